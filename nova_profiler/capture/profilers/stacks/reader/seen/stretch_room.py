# SPDX-License-Identifier: Apache-2.0
"""How many stretches and frames all requests of a reader have together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    MOST_OF_ALL,
    TimedLooks,
)

# To make room for stretches takes as long as a look or two: of a request with
# fewer it is not worth that, nor soon again where none has so many.
_LEAST_JOINED = 16
TRIED_EVERY = 256


class Timed(Protocol):
    """What has stretches, and can have fewer."""

    timed: TimedLooks

    def make_room(self) -> None:
        """Have fewer stretches than now; none if they cannot be joined."""


class Room:
    """What is taken, and whether there is room for more."""

    def __init__(self, requests: Mapping[int, Timed]) -> None:
        self._requests = requests
        self.taken = 0
        # Frames that were new in looks at these requests.
        self.frames = 0
        self._misses = 0

    def has_one(self) -> bool:
        """Return whether there is room for one, which may have to be made.

        The request that has the most of them makes it.
        """
        is_full = self.taken >= MOST_OF_ALL
        if is_full and self._misses % TRIED_EVERY == 0:
            found = self._requests.values()
            largest = max(found, key=lambda one: len(one.timed))
            if len(largest.timed) >= _LEAST_JOINED:
                largest.make_room()
                is_full = self.taken >= MOST_OF_ALL
        self._misses = self._misses + 1 if is_full else 0
        return not is_full
