# SPDX-License-Identifier: Apache-2.0
"""Stacks by lane and time, and what of a session is in no lane."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from profile_builders import API, ORM, rebuild_samples, session, timed_session

from nova_profiler.profiles import IN_LINE, RAN_UNSEEN, WAITING
from nova_profiler.profiles.session_files import read_session
from nova_profiler.reading.code.timelines import looks as module
from nova_profiler.reading.code.timelines.looks import (
    REST_TITLE,
    STACKS_TITLE,
    stacks_of,
)


def stacks_in(fields):
    return stacks_of(read_session(json.dumps(fields).encode()))


def names_of(stacks):
    return [one.frames[-1].function.name for one in stacks]


def test_without_times_all_is_side_by_side():
    """As in sessions of pyinstrument, and of releases before."""
    found = stacks_in(session(*rebuild_samples()))

    assert found.lanes == {}
    assert found.rest_title == STACKS_TITLE
    assert len(found.rest) == 100
    assert found.rest[-1].start_ms == sum(one.ms for one in found.rest[:-1])


def test_what_has_no_place_in_a_lane_is_the_rest():
    """Sums of which no look is known, and stacks that were left out."""
    fields = timed_session(
        (0, [API], 1.0, 20.0), (2, [API, WAITING], 3.0, 5.0)
    )
    fields["frame_records"] += [[[API, ORM], 0.03], [[IN_LINE], 0.07]]
    fields["frame_records"][0][1] += 0.002

    found = stacks_in(fields)

    assert sorted(found.lanes) == [0, 2]
    assert names_of(found.lanes[2]) == [WAITING]
    assert found.rest_title == REST_TITLE
    assert names_of(found.rest) == ["rebuild", "instances", IN_LINE]
    assert [round(one.ms) for one in found.rest] == [2, 30, 70]
    assert [round(one.start_ms) for one in found.rest] == [0, 2, 32]


def test_what_a_neighbour_stands_for_is_no_rest():
    """Its time is in the lane already."""
    fields = timed_session((0, [API], 1.0, 20.0), joined=3)
    fields["frame_records"] += [[[API, ORM], 0.03], [[RAN_UNSEEN], 0.07]]

    assert names_of(stacks_in(fields).rest) == [RAN_UNSEEN]


def test_what_rounding_left_is_no_rest():
    """Looks have microseconds, their sums more."""
    fields = timed_session((0, [API], 1.0, 20.0))
    fields["frame_records"][0][1] += 0.0004

    assert stacks_in(fields).rest == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([[API], [API, ORM], [ORM, WAITING]]),
            st.floats(0, 1e9),
            st.floats(0, 1e6),
        ),
        max_size=20,
    )
)
def test_no_two_stretches_of_a_lane_overlap(stretches):
    """Whatever the order of a file's, and no time of them is lost."""
    found = stacks_in(timed_session(*stretches))

    for lane, stacks in found.lanes.items():
        at = 0.0
        for one in stacks:
            assert one.start_ms >= at
            at = one.start_ms + one.ms
        wanted = sum(ms for of, *_, ms in stretches if of == lane)
        placed = sum(one.ms for one in stacks)
        # A session has microseconds, and none of less.
        assert abs(placed - wanted) <= 0.001 * len(stretches)


def test_a_stack_that_is_named_too_often_is_bounded(monkeypatch):
    """One text may stand in a file for a million; the rest has it."""
    monkeypatch.setattr(module, "MOST_FRAMES", 5)

    found = stacks_in(
        timed_session(*[(0, [API, ORM], 10.0 * n, 2.0) for n in range(9)])
    )

    assert len(found.lanes[0]) == 2
    assert [round(one.ms) for one in found.rest] == [14]


def test_time_of_others_is_in_no_lane():
    """Nor is a record without a frame or without time."""
    fields = timed_session(
        (0, ["[out-of-context]\x00\x000"], 0.0, 5.0),
        (1, [], 5.0, 1.0),
        (2, [API], 6.0, 0.0),
    )

    assert stacks_in(fields) == module.Stacks({}, [], REST_TITLE)
