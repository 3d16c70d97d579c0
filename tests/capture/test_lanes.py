# SPDX-License-Identifier: Apache-2.0
"""What a lane keeps, what it adds up, and what it lets go of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import set_clock

from nova_profiler.capture.lanes import OVER, CallKey, Capture, Lane


def lane_with(room: int = 1_000) -> Lane:
    return Capture({}, room).main


def test_a_key_of_nested_calls_is_its_own():
    """Same group and name, told apart by which of the two it is."""
    key = CallKey("db_api", "get", "nova.db.main.api.get")

    assert key.outermost
    assert not key.nested.outermost
    assert key.nested.nested is key.nested
    assert (key.nested.group, key.nested.label) == (key.group, key.label)


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=20),
    st.integers(0, 100),
)
def test_folding_loses_no_figure(chunks, room):
    """Whatever is kept one by one, count, sum and longest are of all."""
    lane = lane_with(room)
    samples = []

    for chunk in chunks:
        samples += [(0.0, float(spent), 2.0) for spent in chunk]
        lane.fold(samples)
        assert samples == []

    spent = [one for chunk in chunks for one in chunk]
    if chunks:
        tally = lane.tallies[id(samples)]
        assert (tally.count, tally.total_s) == (len(spent), sum(spent))
        assert tally.max_s == max(spent, default=0)
        assert tally.extra == 2 * len(spent)
        kept = sum(map(len, tally.chunks))
        assert kept <= room + max(map(len, chunks), default=0)


def test_errors_are_counted_past_the_end_of_their_list():
    """As many are named as calls may be listed."""
    lane = lane_with(3)
    samples = [(0.0, 1.0, 0.0)]

    for number in range(10):
        lane.failed(samples, float(number), "LookupError")

    assert lane.error_counts == {id(samples): 10}
    assert [start for _, start, _ in lane.errors] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("in_db_api", "waited"), [(True, (0.0, 3.0)), (False, (3.0, 0.0))]
)
def test_what_neither_ran_nor_was_the_drivers_was_waiting(
    in_db_api, waited, monkeypatch
):
    """Ten seconds: two on the processor, five in the driver."""
    set_clock(monkeypatch, lambda: 2.0, "thread_time")
    lane = lane_with()
    lane.driver_s = 5.0

    lane.read_cpu(10.0, in_db_api)

    assert (lane.waiting_python_s, lane.waiting_db_api_s) == waited


def test_a_capture_that_is_released_holds_nothing():
    """Its lanes belong to nobody's request, and take no more calls."""
    capture = Capture({"PATH_INFO": "/"}, 10)
    late = capture.new_lane()

    capture.close()
    capture.release()

    assert late.closed
    assert late.capture is OVER
    assert (capture.lanes, capture.environ) == ([], {})
    assert capture.main is OVER.main


def test_a_lane_begun_as_the_request_ends_is_closed():
    """The thread asked for it before, and adds it after the end."""
    capture = lane_with().capture

    class EndsMeanwhile(list):
        def append(self, lane):
            capture.close()
            super().append(lane)

    capture.lanes = EndsMeanwhile(capture.lanes)

    lane = capture.new_lane()

    assert lane.closed
