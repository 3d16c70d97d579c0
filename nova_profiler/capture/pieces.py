# SPDX-License-Identifier: Apache-2.0
"""The lanes of pieces of work that a request's threads hand over."""

from __future__ import annotations

from nova_profiler.capture.contracts import Submitted
from nova_profiler.capture.hand_overs import HandingOver
from nova_profiler.capture.lanes import Capture, Lane


class PieceLane(Lane):
    """The lane of one piece of work that was handed over."""

    __slots__ = ("ended", "is_first", "piece", "running", "task")

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture)
        # Whether it is the first to run such a piece, which a pool may run
        # often; whether it runs now; whether it has.
        self.is_first = True
        self.running = False
        self.ended = False
        # Its number as the profiler has it, 0 where that has none.
        self.piece = 0
        self.task: Submitted | None = None


def handing_of(capture: Capture) -> HandingOver:
    """Return what goes on for *capture* elsewhere, from now on known."""
    handing = capture.handing
    if handing is None:
        handing = capture.handing = HandingOver()
    return handing
