# SPDX-License-Identifier: Apache-2.0
"""What a lane keeps, what it adds up, and what it lets go of."""

from __future__ import annotations

from threading import get_ident

import pytest
from serving import Message, set_clock

from nova_profiler.capture.lanes import OVER, Capture, Lane


def lane_with(room: int = 1_000) -> Lane:
    return Capture(Message(), room).main


@pytest.mark.parametrize(
    ("in_db_api", "waited"), [(True, (0.0, 3.0)), (False, (3.0, 0.0))]
)
def test_what_neither_ran_nor_was_the_drivers_was_waiting(
    in_db_api, waited, monkeypatch
):
    """Ten seconds: two on the processor, five in the driver."""
    set_clock(monkeypatch, lambda: 2.0, "thread_time")
    lane = lane_with()
    lane.capture.thread = get_ident()
    lane.driver_s = 5.0

    lane.read_cpu(10.0, in_db_api)

    assert (lane.waiting_python_s, lane.waiting_db_api_s) == waited


def test_a_capture_that_is_released_holds_nothing():
    """Its lanes belong to nobody's request, and take no more calls."""
    capture = Capture(Message(), 10)
    late = capture.new_lane()

    capture.close()
    capture.release()

    assert late.closed
    assert late.capture is OVER
    assert capture.lanes == []
    assert capture.served is OVER.served
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
