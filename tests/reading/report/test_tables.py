# SPDX-License-Identifier: Apache-2.0
"""A report on pages of any width: no figure is ever cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.figures import Asked, Figures
from nova_profiler.reading.report.page import print_report
from nova_profiler.reading.report.summary import summary_of

KIND = "further line about a request, merged"
EXAMPLE = "2016-12-06 09:21:08.488 20 INFO nova.osapi_compute.wsgi " * 3


def page(width: int, by: str = "route") -> str:
    """Return the page of two slow calls and a quick one."""
    figures = Figures(Asked(by=by))
    calls = (
        ("GET", "/services/Cloud", 138597.0, "0f" * 16),
        ("DELETE", "/v2.1/os-volume_attachments/{id}", 31553.4, "admin"),
        ("GET", "/v3/users", 45.7, "demo"),
    )
    for method, route, ms, user in calls:
        figures.add_entry(
            AccessEntry(
                "log_file", "nova-api", 1.5e9, method, route, 200, ms,
                user_name=user, db_api_ms=ms / 2, db_api_calls=3,
                db_api_wall_ms=ms / 2,
            )
        )  # fmt: skip
    unread = Unread()
    unread.add(KIND, EXAMPLE)
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system=None
    )
    print_report(console, summary_of(Report(figures, unread, 1), 15))
    return file.getvalue()


def section(shown: str, start: str) -> list[str]:
    """Return the lines of a part of the page, from *start* on."""
    (part,) = [one for one in shown.split("\n\n") if one.startswith(start)]
    return part.splitlines()


@pytest.mark.parametrize("by", ["route", "user", "hour"])
@pytest.mark.parametrize("width", [120, 100, 80, 60, 45])
def test_figures_are_whole_at_any_width(width, by):
    """One that is cut, such as 1385 for 138597.0, reads as another."""
    shown = page(width, by)

    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    slow = section(shown, "Slow calls")
    assert [line.split()[0] for line in slow if ".0  " in line] == ["138597.0"]
    assert " 45.7" in shown or by == "hour"


@pytest.mark.parametrize("width", [120, 100, 80, 60])
def test_a_route_is_whole_beside_its_mean(width):
    """Other figures give way first."""
    rows, slow = (
        section(page(width), start) for start in ("method", "Slow calls")
    )

    (row,) = [line for line in rows if " 31553.4" in line]
    assert "DELETE  /v2.1/os-volume_attachments/{id}  " in row
    if width >= 80:
        (row,) = [line for line in slow if line.startswith(" 31553.4")]
        assert row.endswith("31553.4")
        assert "DELETE  /v2.1/os-volume_attachments/{id}" in row


def test_a_table_has_one_unit():
    """Each time is in milliseconds, as its heading has it."""
    rows = section(page(120), "method")

    assert [word for word in rows[0].split() if word == "ms"] == ["ms"] * 5
    for name in ("mean", "p50", "p90", "p99", "max"):
        assert f"{name} ms" in rows[0]


def test_the_spread_has_one_unit():
    """That of its largest step: 50 ms below 200 s reads as the longer one."""
    spread = section(page(120), "  ")

    steps = [line.strip().partition("  ")[0] for line in spread[1:]]
    assert steps[0] == "below 0.05 s"
    assert steps[-1] == "below 200 s"
    assert all(step.endswith(" s") for step in steps)


@pytest.mark.parametrize("width", [120, 80, 60, 45])
def test_a_route_has_always_room(width):
    """Folded where there is little; a row without it says nothing."""
    rows = section(page(width), "method")

    assert rows[0].split()[:2] == ["method", "route"]
    folded = "".join(line[8:].split("  ")[0].strip() for line in rows[1:])
    assert "/v2.1/os-volume_attachments/{id}" in folded


def test_columns_that_gave_way_are_named():
    """So that a reader knows that more is there."""
    wide, narrow = page(120, "user"), page(60)

    assert "left out" not in wide
    of_rows, of_calls, *of_fastest = [
        " ".join(part.split("--json")[0].split())
        for part in narrow.split("left out for room: ")[1:]
    ]
    for name in ("p50 ms", "p90 ms", "p99 ms", "DB", "of all time"):
        assert name in of_rows
    assert "p99 ms" in of_calls
    assert of_fastest in ([], ["mean ms;"])


def test_the_total_is_broken_between_its_figures():
    """A terminal would break it in the middle of one."""
    shown = page(60)

    total = section(shown, "3 calls")
    assert all(len(line) <= 60 for line in total)
    assert "max 138597.0 ms" in " ".join(total)


@pytest.mark.parametrize("width", [120, 80, 60, 40])
def test_what_was_not_counted_is_readable(width):
    """The kind is in words; the example has the rest of the line."""
    lines = section(page(width), "Not counted")[1:]

    assert len(lines) <= 2
    assert lines[0].startswith("1 x  further line about a")
    if width >= 60:
        assert "2016-12-06" in lines[0]
        assert lines[0].endswith("...")
