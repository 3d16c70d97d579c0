# SPDX-License-Identifier: Apache-2.0
"""Pieces of work that a request's threads hand over, and how many are open."""

from __future__ import annotations

from itertools import count

from nova_profiler.capture.lanes import Capture, Lane


class PieceLane(Lane):
    """The lane of one piece of work that was handed over."""

    __slots__ = ("ended", "is_first", "running")

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture)
        # Whether it is the first to run such a piece, which a pool may run
        # often; whether it runs now; whether it has.
        self.is_first = True
        self.running = False
        self.ended = False


class HandingOver:
    """What went on for one capture in other threads than its own."""

    def __init__(self) -> None:
        # Stepped in one go, whichever threads do it at once.
        self.handed = count()
        self.taken_back = count()
        # The thread of each lane that has handed work over.
        self.homes: dict[Lane, int] = {}
        # The lane of a thread that was found otherwise.
        self.found: dict[int, Lane] = {}
        # Pieces that had not ended with the capture.
        self.unfinished = 0

    def close(self, capture: Capture) -> None:
        """Count what is open, as *capture* is closed."""
        pieces = [x for x in capture.lanes if isinstance(x, PieceLane)]
        begun = sum([piece.is_first for piece in pieces])
        running = sum([piece.running for piece in pieces])
        waiting = next(self.handed) - next(self.taken_back) - begun
        self.unfinished = running + max(0, waiting - capture.lanes_missing)


def handing_of(capture: Capture) -> HandingOver:
    """Return what goes on for *capture* elsewhere, from now on known."""
    handing = capture.handing
    if handing is None:
        handing = capture.handing = HandingOver()
    return handing
