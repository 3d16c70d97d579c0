# SPDX-License-Identifier: Apache-2.0
"""The stacks of one session, each common beginning kept once.

A request's samples have nearly all of their frames in common. What a frame
means is looked up once for each place in here, not for each sample.
"""

from __future__ import annotations

from collections.abc import Iterable

# Bounds what a session that was made to be silly can take. Past it a stack
# ends where it leaves those that are there.
MOST_FRAMES = 1_000_000


class Place:
    """A frame below others: time and samples that ended just there."""

    __slots__ = ("below", "samples", "seconds", "work_s")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.samples = 0.0
        # Of this and all below it, for who adds that up.
        self.work_s = 0.0
        self.below: dict[str, Place] = {}


def trie_of(samples: Iterable[tuple[list[str], float, float]]) -> Place:
    """Return the root of all stacks in *samples*: (frames, seconds, number).

    Each may stand for a number of samples that were alike.
    """
    root = Place()
    left = MOST_FRAMES
    for stack, seconds, number in samples:
        place = root
        for frame in stack:
            found = place.below.get(frame)
            if found is None:
                if not left:
                    break
                left -= 1
                found = place.below[frame] = Place()
            place = found
        place.seconds += seconds
        place.samples += number
    return root
