# SPDX-License-Identifier: Apache-2.0
"""Requests as tracks: their calls on one clock, and the sums of stacks."""

from __future__ import annotations

from datetime import datetime

import pytest
from builders import numbered, parallel_detail, record, slow_rebuild
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import ORM, rebuild_samples, session

from nova_profiler.profiles import IN_LINE, WAITING_FOR_GIL
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.session_files import Session
from nova_profiler.reading.code.timelines import lane_calls
from nova_profiler.reading.code.timelines.lane_calls import Call, nested
from nova_profiler.reading.code.timelines.looks import (
    IS_WAITING,
    RUNNING,
    state_of,
)
from nova_profiler.reading.code.timelines.tracks import Source, timelines_of
from nova_profiler.record import TimelineEntry


def session_with(*samples):
    records = session(*samples)["frame_records"]
    return Session(records, "pyinstrument", len(records), 1.0)


def test_requests_stand_where_they_began():
    """The clock of the file begins with the first of them."""
    later, first = numbered(5), numbered(3)

    found = timelines_of([Source("a", later, None), Source("b", first, None)])

    assert [one.began_ms for one in found.requests] == [2000.0, 0.0]
    began = datetime.fromisoformat(first.started_at)
    assert found.epoch_ms == 1000 * began.timestamp()


def test_each_lane_has_its_calls_in_order():
    """Those of the request's own thread are lane 0, which is always there."""
    source = Source("a", parallel_detail(), None)

    [request] = timelines_of([source]).requests

    assert list(request.lanes) == sorted(request.lanes)
    assert 0 in request.lanes
    for calls in request.lanes.values():
        starts = [call.start_ms for call in calls]
        assert starts == sorted(starts)


def test_a_statement_has_its_text_and_the_function_that_sent_it():
    """With rows and the line that made it, where they are known."""
    made = record(
        timeline=[
            TimelineEntry("db_api", "instance_get", 0.0, 9.0, id=0),
            TimelineEntry(
                *("sql", "SELECT instances", 1.0, 2.0),
                rows=3,
                statement=0,
                id=1,
                parent=0,
                made_by="nova/api.py:3 get",
            ),
        ],
        statements=slow_rebuild().statements,
    )

    [request] = timelines_of([Source("a", made, None)]).requests

    facts = request.lanes[0][1].facts
    assert facts.pop("statement").startswith("SELECT anon_1.instances_id")
    assert facts == {
        "name": "SELECT instances",
        "db_api": "instance_get",
        "rows": 3,
        "made_by": "nova/api.py:3 get",
    }


def test_the_longest_calls_have_room(monkeypatch):
    """The others are counted."""
    monkeypatch.setattr(lane_calls, "MOST_CALLS", 2)
    made = record(
        timeline=[
            TimelineEntry("sql", f"SELECT t{ms}", 0.0, float(ms))
            for ms in (1, 4, 2, 3)
        ]
    )

    found = timelines_of([Source("a", made, None)])

    assert found.left_out == 2
    assert {call.ms for call in found.requests[0].lanes[0]} == {3.0, 4.0}


def test_stacks_have_their_time_and_state():
    """Waiting is a frame of its own; another's time is left out."""
    elsewhere = [ORM, "[out-of-context]\x00\x000"]
    stacks = session_with(
        *rebuild_samples()[-1:],
        ([ORM, "[waiting]"], 0.25),
        (elsewhere, 4.0),
        ([], 1.0),
    )

    [request] = timelines_of([Source("a", slow_rebuild(), stacks)]).requests

    states = [state_of(one.frames[-1].function) for one in request.stacks.rest]
    assert states == [IS_WAITING, IS_WAITING]
    assert [one.ms for one in request.stacks.rest] == [10.0, 250.0]


@pytest.mark.parametrize(
    ("function", "state"),
    [
        (Function("~", 0, WAITING_FOR_GIL), "waiting for the GIL"),
        (Function("~", 0, IN_LINE), "in line for a processor"),
        (Function("<built-in>", 0, "lock.acquire"), IS_WAITING),
        (Function("nova/compute/api.py", 3, "rebuild"), RUNNING),
    ],
)
def test_states(function, state):
    """A thread's state is that of the function on top of its stack."""
    assert state_of(function) == state


def test_a_record_without_a_time_and_stacks_without_a_record():
    """Both have a place all the same."""
    found = timelines_of(
        [
            Source("a", numbered(3, started_at="yesterday"), None),
            Source("b.pyisession", None, session_with(([ORM], 0.5))),
        ]
    )

    assert [one.began_ms for one in found.requests] == [0.0, 0.0]
    assert found.requests[1].process == "b.pyisession"
    assert found.requests[1].duration_ms == 500.0


times = st.floats(0, 100).map(lambda ms: round(ms, 3))


@settings(max_examples=50)
@given(st.lists(st.tuples(times, times), max_size=12))
def test_rows_are_well_nested(spans):
    """Whatever a damaged record has."""
    calls = [
        Call("sql", "SELECT", start, ms, {})
        for start, ms in sorted(spans, key=lambda one: (one[0], -one[1]))
    ]

    for row in nested(calls):
        for place, one in enumerate(row):
            for other in row[place + 1 :]:
                end = one.start_ms + one.ms
                assert (
                    other.start_ms >= end
                    or other.start_ms + other.ms <= end + 1e-9
                )
