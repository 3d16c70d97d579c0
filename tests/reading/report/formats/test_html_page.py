# SPDX-License-Identifier: Apache-2.0
"""The report's page is one file, which runs nothing."""

from __future__ import annotations

import pytest
from one_file_pages import parts_of

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.figures import Asked, Figures
from nova_profiler.reading.report.formats.html_page import (
    Axis,
    html_of,
    marks_of,
    steps_of,
)
from nova_profiler.reading.report.summary import summary_of

DB_API = {"db_api_ms": 5.0, "db_api_calls": 1, "db_api_wall_ms": 5.0}
HOSTILE = "=x\x1b[31m</title><script>`|*\u202e"


def summary(by="route", users=("demo",), limit=15, **more):
    """Return ten calls of each of *users*, and a slow one."""
    figures = Figures(Asked(by=by))
    for user in users:
        for number in range(10):
            figures.add_entry(
                AccessEntry(
                    "log_file", "nova-api", 1.5e9 + 3600 * number, "GET",
                    "/v2/{id}/images/{id}", 200, 100.0 + number,
                    user_name=user, **more,
                )
            )  # fmt: skip
    figures.add_entry(
        AccessEntry(
            "log_file", "nova-api", 1.5e9, "POST", "/v2.1/servers/{id}/action",
            202, 2997.3, user_name=users[0],
        )
    )  # fmt: skip
    unread = Unread()
    unread.add("log line without a request", HOSTILE)
    return summary_of(Report(figures, unread, 1), limit)


@pytest.mark.parametrize("by", ["route", "user", "hour"])
def test_the_page_stands_alone(by):
    """Plots within, nothing from elsewhere, no script, hostile or not."""
    text, tags = parts_of(html_of(summary(by, [HOSTILE], **DB_API)))

    assert {"svg", "rect", "circle", "table", "details"} <= tags
    assert "9.1 %" in text
    assert "took 1 s or more (1)" in text


def test_figures_have_one_unit_a_column():
    """It is in the heading."""
    text, _ = parts_of(html_of(summary()))

    assert "route calls ≥ 1 s % mean ms p50 ms p90 ms p99 ms max ms" in text
    assert "POST /v2.1/servers/{id}/action 1 100.0 2997.3" in text


def test_many_rows_are_folded():
    """Fifteen are in sight, whatever --limit asks for."""
    users = [f"user-{n}" for n in range(60)]

    text, _ = parts_of(html_of(summary("user", users, limit=40)))

    assert "25 more" in text
    assert "and 20 that have no place on this page" in text


def test_a_page_of_hostile_names_is_bounded():
    """However many and however long they are."""
    users = [f"{n}{HOSTILE}" + "x" * 4000 for n in range(550)]

    parts_of(html_of(summary("user", users, limit=10_000)))


def test_marks_stand_in_the_order_of_the_percentiles():
    """On an axis that has room for all."""
    found = summary()
    row = found["rows"][0]

    marks = marks_of(row, Axis(10.0, 10_000.0), 1000.0)

    bars = [mark for mark in marks if mark.shape == "bar"]
    assert all(0 <= mark.left + mark.width <= 1 for mark in marks)
    widths = [mark.width for mark in bars]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (300.0, ["50 ms", "100 ms", "200 ms"]),
        (1e6, ["0.1 s", "1 s", "10 s", "100 s", "1000 s"]),
    ],
)
def test_an_axis_has_a_few_round_times(most, labels):
    """More of them where it is short."""
    ticks = Axis(30.0, most).ticks()

    assert [tick.label for tick in ticks] == labels
    assert all(0 <= tick.left <= 1 for tick in ticks)


def test_the_highest_step_fills_the_picture():
    """The others are as high as their part of its calls."""
    steps = steps_of(summary())

    assert max(step.height for step in steps) == 1.0
    assert [step.is_slow for step in steps][-1]
    assert sum(step.calls for step in steps) == 11


@pytest.mark.parametrize(("found", "left"), [(4, 0), (20, 0), (23, 3)])
def test_what_would_save_most_is_whole_or_counted(found, left):
    """More than a terminal shows, and no more without a word."""
    made = summary()
    made["advice"] = [{"text": f"finding {n};"} for n in range(found)]

    text, _ = parts_of(html_of(made))

    assert all(f"finding {n};" in text for n in range(found - left))
    assert (f"and {left} more" in text) == bool(left)
    assert f"finding {found - left};" not in text
