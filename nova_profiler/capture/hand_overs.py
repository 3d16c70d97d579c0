# SPDX-License-Identifier: Apache-2.0
"""What goes on for a request in other threads than its own, and is open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any


class HandingOver:
    """What went on for one capture in other threads than its own."""

    def __init__(self) -> None:
        # Stepped in one go, whichever threads do it at once.
        self.handed = count()
        self.taken_back = count()
        # The thread of each lane that has handed work over.
        self.homes: dict[Any, int] = {}
        # The lane of a thread that was found otherwise.
        self.found: dict[int, Any] = {}
        # Pieces that had not ended with the capture.
        self.unfinished = 0
        # Of each lane of the closed capture, in their order, the number that
        # the profiler has for it.
        self.pieces: list[int] = []

    def close(self, lanes: Sequence[Any], missing: int) -> None:
        """Count what is open, as the capture of *lanes* is closed.

        *missing* pieces have begun without a lane.
        """
        self.pieces = [lane.piece for lane in lanes]
        begun = sum([lane.is_first for lane in lanes])
        running = sum([lane.running for lane in lanes])
        waiting = next(self.handed) - next(self.taken_back) - begun
        self.unfinished = running + max(0, waiting - missing)
