# SPDX-License-Identifier: Apache-2.0
"""What a capture does with its lanes, and what it lets go of."""

from __future__ import annotations

from serving import Message

from nova_profiler.capture.captures import OVER, Capture


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
    capture = Capture(Message(), 1_000)

    class EndsMeanwhile(list):
        def append(self, lane):
            capture.close()
            super().append(lane)

    capture.lanes = EndsMeanwhile(capture.lanes)

    lane = capture.new_lane()

    assert lane.closed
