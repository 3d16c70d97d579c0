# SPDX-License-Identifier: Apache-2.0
"""Requests as tracks: their calls on one clock, and the sums of stacks."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import chain

import pytest
from builders import numbered, parallel_detail, record, slow_rebuild
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import (
    API,
    ORM,
    rebuild_samples,
    session,
    timed_session,
)

from nova_profiler.profiles import IN_LINE, WAITING_FOR_GIL
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.session_files import Session, read_session
from nova_profiler.reading.code.timelines import lane_calls, lane_room, looks
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


@given(
    st.lists(st.lists(st.sampled_from([1, 2, 3]), max_size=6), max_size=3),
    st.integers(1, 8),
)
def test_a_file_has_so_many_calls_whatever_they_take(requests, most):
    """Where many take equally long, too: the others are all counted."""
    sources = [
        Source(
            "a",
            record(
                timeline=[
                    TimelineEntry("sql", "SELECT", 0.0, float(ms))
                    for ms in times
                ]
            ),
            None,
        )
        for times in requests
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_calls, "MOST_CALLS", most)
        found = timelines_of(sources)

    kept = [
        call.ms
        for one in found.requests
        for calls in one.lanes.values()
        for call in calls
    ]
    whole = sorted(chain(*requests), reverse=True)
    assert sorted(kept, reverse=True) == whole[:most]
    assert found.left_out == len(whole[most:])


def test_each_request_has_its_share_of_the_lanes(monkeypatch):
    """Its own thread and the busiest ones; the others are counted."""
    monkeypatch.setattr(lane_room, "MOST_LANES", 4)
    made = record(
        timeline=[
            TimelineEntry("sql", "SELECT", 0.0, ms, lane=lane)
            for lane, ms in ((0, 1.0), (1, 2.0), (2, 3.0), (2, 3.0), (3, 5.0))
        ]
    )

    found = timelines_of([Source(name, made, None) for name in "ab"])

    assert [list(one.lanes) for one in found.requests] == [[0, 2], [0, 2]]
    assert found.lanes_left_out == 4
    assert found.calls_of_lanes_left_out == 4


stretches = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from([[ORM], [API], [API, ORM]]),
        st.integers(0, 1000),
        st.integers(1, 1000),
    ),
    min_size=1,
    max_size=20,
)


@given(stretches, st.integers(1, 4), st.integers(0, 3))
def test_lanes_of_stacks_are_bounded(found, most, joined):
    """What stood in the others is with the rest: no time is lost."""
    content = timed_session(*found, joined=joined)
    stacks = read_session(json.dumps(content).encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_room, "MOST_LANES", most)
        timelines = timelines_of([Source("a", None, stacks)])

    [request] = timelines.requests
    lanes = {lane for lane, *_ in found}
    assert len(request.lanes) == min(most, len(lanes))
    assert timelines.lanes_left_out == len(lanes) - len(request.lanes)
    placed = chain(request.stacks.rest, *request.stacks.lanes.values())
    whole = sum(ms for *_, ms in found)
    assert sum(one.ms for one in placed) == pytest.approx(whole)


@given(stretches, st.integers(0, 30), st.integers(0, 3))
def test_frames_of_stacks_in_lanes_are_bounded(found, most, joined):
    """What has no room is with the rest and counted: no time is lost."""
    content = timed_session(*found, joined=joined)
    stacks = read_session(json.dumps(content).encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "MOST_FRAMES", most)
        [request] = timelines_of([Source("a", None, stacks)]).requests

    placed = [*chain.from_iterable(request.stacks.lanes.values())]
    assert sum(len(one.frames) for one in placed) <= most
    assert len(placed) + request.stacks.without_room == len(found)
    everything = chain(request.stacks.rest, placed)
    whole = sum(ms for *_, ms in found)
    assert sum(one.ms for one in everything) == pytest.approx(whole)


def test_a_title_is_short():
    """It stands in a file again for each lane."""
    made = record(route="/" + "r" * 19_000)

    [request] = timelines_of([Source("a", made, None)]).requests

    assert len(request.title) < 400
    assert len(request.process) < 500
    assert request.process.endswith(f"..., {made.duration_ms:.1f} ms")


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


def test_no_function_waits_by_its_name_where_stacks_have_states():
    """Those of the engine stacks do; others have names alone."""
    function = Function("/usr/lib/python3.11/threading.py", 3, "wait")

    assert state_of(function, by_name=True) == IS_WAITING
    assert state_of(function, by_name=False) == RUNNING
    assert state_of(Function("~", 0, "[waiting]"), by_name=False) == IS_WAITING


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

    rows, left_out = nested(calls)

    assert sum(map(len, rows)) + left_out == len(calls)
    for row in rows:
        for place, one in enumerate(row):
            for other in row[place + 1 :]:
                end = one.start_ms + one.ms
                assert (
                    other.start_ms >= end
                    or other.start_ms + other.ms <= end + 1e-9
                )
