# SPDX-License-Identifier: Apache-2.0
"""Where lines without a time stand, and what is not known of them."""

from __future__ import annotations

import json

from followed import REQUEST, line, story

from nova_profiler.reading.follow.doubtful_times import (
    no_time_text,
    placed,
)
from nova_profiler.reading.follow.gaps import gaps_of
from nova_profiler.reading.follow.rows import rows_of
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.story import figures_of


def test_a_place_is_that_of_the_same_file():
    """After the line before it, before the first; another file's is none."""
    lines = [
        LogLine(None, "s", "early", source="a"),
        LogLine(5.0, "s", "first", source="a"),
        LogLine(9.0, "s", "second", source="a"),
        LogLine(None, "s", "late", source="a"),
        LogLine(None, "s", "nowhere", source="b"),
    ]

    found = placed(lines)

    assert [(at, one.message) for at, one in found.standing] == [
        (5.0, "early"),
        (5.0, "first"),
        (9.0, "second"),
        (9.0, "late"),
    ]
    # None of them is given a time that it does not have.
    assert [one.at for _, one in found.standing] == [None, 5.0, 9.0, None]
    assert [one.message for one in found.apart] == ["nowhere"]


def test_another_service_without_a_time_holds_nothing():
    """The gap around it is between its neighbours."""
    lines = [
        LogLine(1.0, "nova-api", "first", source="host.log"),
        LogLine(None, "neutron-server", "when?", source="host.log"),
        LogLine(3.0, "nova-api", "last", source="host.log"),
    ]

    rows = rows_of(placed(lines).standing, 0.0)

    assert [row.has_time for row in rows] == [True, False, True]
    (gap,) = gaps_of(rows)
    assert (gap.ms, gap.holder, gap.row, gap.following) == (
        2000.0,
        "nova-api",
        0,
        2,
    )


def test_calls_are_not_folded_over_them():
    """A row of several lines has one time, which all of them must have."""
    call = "nova.db.main.api.instance_get 0.120 sec"
    lines = [
        LogLine(at, "nova-api", call, source="a") for at in (1.0, None, 1.0)
    ]

    rows = rows_of(placed(lines).standing, 1.0)

    assert [(row.calls, row.has_time) for row in rows] == [
        (1, True),
        (1, False),
        (1, True),
    ]


def test_figures_have_no_time_for_them(tmp_path):
    """Null, not the time of a neighbour, nor 1970."""
    logs = {
        "a.log": [line("00:01:00.000", "before"), f"wrapped {REQUEST}"],
        "b.log": [f"{REQUEST} apart"],
    }

    figures = json.loads(json.dumps(figures_of(story(tmp_path, logs))))

    rows = figures["rows"]
    assert [row["since_ms"] for row in rows] == [0.0, None, None]
    assert [row["at"] for row in rows][1:] == [None, None]
    assert [row["lines"][0]["at"] for row in rows][1:] == [None, None]


def test_figures_of_nothing_with_a_time(tmp_path):
    """Neither begin nor length is known."""
    figures = figures_of(story(tmp_path, {"a.log": [f"{REQUEST} one"]}))

    assert (figures["started_at"], figures["ms"]) == (None, None)
    assert figures["held"] == []


def test_what_is_not_known_is_one_sentence():
    """Of one line as of several."""
    assert no_time_text(1).startswith("The time of this line is not known: ")
    assert no_time_text(2).startswith(
        "The time of these 2 lines is not known: "
    )
