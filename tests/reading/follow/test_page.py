# SPDX-License-Identifier: Apache-2.0
"""The page of a followed request: narrow ones, and lines without a time."""

from __future__ import annotations

import io
import re

import pytest
from followed import REQUEST, bare, line, rebuild, story
from rich.console import Console

from nova_profiler.reading.follow.markdown import markdown_of
from nova_profiler.reading.follow.page import print_story

UNSTAMPED = [f"INFO nova.api [{REQUEST} u p] number {n}" for n in range(5)]


def page_of(found, width: int = 120) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system=None
    )
    print_story(console, found, whole=False)
    return file.getvalue()


def held_of(shown: str) -> list[str]:
    _, _, rest = shown.partition("Which service held the time\n")
    return rest.partition("  Largest gap")[0].splitlines()


def on_two_hosts() -> dict[str, list[str]]:
    """Return a rebuild that is logged on hosts with long names, too."""
    head = "devstack@n-cpu.service[9]: INFO nova.compute.manager"
    journal = [
        f"Nov 21 00:53:5{number} node-{number % 2}.rack-17.example.org {head} "
        f"[None {REQUEST} admin admin] hello"
        for number in range(6, 9)
    ]
    calls = [line("00:53:57.100", "nova.db.main.api.instance_get 0.120 sec")]
    logs = rebuild()
    return {**logs, "journal": journal, "calls.log": calls}


@pytest.mark.parametrize("width", [120, 100, 80, 60, 40])
def test_who_held_the_time_is_told_at_any_width(tmp_path, width):
    """Names are folded, then bars go; the figures are what it is for."""
    found = story(tmp_path, on_two_hosts())

    shown = page_of(found, width)

    held = held_of(shown)
    assert max(map(len, shown.splitlines())) <= width
    assert not any("…" in row for row in held)
    for one in found.held:
        share = f"{100 * one.share:.1f} %"
        assert any(f" {one.ms:.1f}" in row and share in row for row in held)
    assert any("█" in row for row in held) is (width >= 80)
    assert shown.rstrip().endswith(f" {found.ms:.1f} ms")
    assert f"{found.largest_gap.ms:.1f}  █" in shown


@pytest.mark.parametrize("width", [120, 100, 80, 60])
def test_the_answer_is_whole_at_any_width(tmp_path, width):
    """The call with its time, and each holder with its own."""
    shown = page_of(story(tmp_path, rebuild()), width)

    head = " ".join(shown.partition("\n\n")[0].split())
    assert head.startswith("POST /v2.1/servers/{id}/action 202 3200.0 ms ")
    assert "until the answer held by nova-api 3" in head


def test_a_pipe_gets_the_answer_in_a_line(tmp_path):
    """A program that searches for it finds it, with its figures."""
    file = io.StringIO()
    console = Console(file=file, width=80)
    print_story(console, story(tmp_path, rebuild()), whole=False)

    shown = file.getvalue().splitlines()
    assert shown[0].startswith("POST /v2.1/servers/{id}/action 202 3200.0 ms")
    assert shown[1].startswith("until the answer held by nova-api 3")
    assert not any(text.endswith(" ") for text in shown)


def test_lines_of_files_without_any_time(tmp_path):
    """One by one, without a date, a length or a holder."""
    found = story(tmp_path, {"nova-api.log": UNSTAMPED})

    shown = page_of(found)
    assert [row.text[-8:] for row in found.apart] == [
        f"number {number}" for number in range(5)
    ]
    assert "5 lines of 1 service\n" in shown
    assert "The time of these 5 lines is not known: their order" in shown
    assert shown.count("\n-             nova-api  ") == 5
    for absent in ("1970", "00:00", " 0.0 ms", "Which service held", "When"):
        assert absent not in shown
        assert absent not in markdown_of(found)
    assert markdown_of(found).count("\n- nova-api ") == 5


def test_they_come_last_beside_others(tmp_path):
    """Apart, and everything else is as it would be without them."""
    logs = {**rebuild(), "a.log": UNSTAMPED[:1]}
    (tmp_path / "plain").mkdir()
    (tmp_path / "both").mkdir()
    plain = story(tmp_path / "plain", rebuild())

    found = story(tmp_path / "both", logs)

    shown = page_of(found)
    assert (found.gaps, found.ms) == (plain.gaps, plain.ms)
    assert [one.ms for one in found.held] == [one.ms for one in plain.held]
    assert shown.index("Instance rebuilt") < shown.index(
        "The time of this line is not known: "
    )
    assert "7 lines of 2 services over 3320.0 ms" in shown
    assert "number 0" in markdown_of(found).splitlines()[-2]


def test_a_line_without_a_time_has_a_dash(tmp_path):
    """It stands below its file's line before, above the gap after that."""
    logs = {
        "nova-api.log": [
            line("00:01:00.000", "before"),
            f"wrapped {REQUEST}",
            line("00:01:01.000", "after"),
        ],
    }

    found = story(tmp_path, logs)

    shown = page_of(found).splitlines()
    first = shown.index("00:01:00.000  nova-api  before")
    assert shown[first + 1] == f"-             nova-api  wrapped {REQUEST}"
    assert shown[first + 2].startswith("      1000.0  █")
    assert f"\n- nova-api wrapped {REQUEST}\n    1000.0 ms" in markdown_of(
        found
    )


def test_a_traceback_has_no_blank_end(tmp_path):
    """oslo.log ends it with a prefix and nothing after it."""
    logger = "nova.compute.manager"
    logs = {
        "nova-compute.log": [
            line("00:01:00.0", "failed", logger=logger, level="ERROR"),
            bare("00:01:00.0", "Traceback", logger=logger),
            bare("00:01:00.0", "", logger=logger),
            bare("00:01:00.0", "ValueError: 7", logger=logger),
            bare("00:01:00.0", "", logger=logger),
            bare("00:01:00.0", " ", logger=logger),
        ]
    }

    shown = page_of(story(tmp_path, logs))

    assert re.search(
        r" Traceback\n +\n +ValueError: 7\n\nWhich service held", shown
    )
