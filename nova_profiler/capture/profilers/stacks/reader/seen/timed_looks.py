# SPDX-License-Identifier: Apache-2.0
"""When each look at a request was, in bounded memory.

A look stands for a stretch of time around its moment. Where there are more
stretches than there is room for, neighbours in a lane are joined: the longer
one's stack stands for both. Where that does not help, the request has none.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

# Stretches of one request, and of all requests of the reader together. Each
# takes 24 bytes.
MOST_STRETCHES = 1500
MOST_OF_ALL = 30_000

# The lane of pieces in the request's own slot, which are one after the other.
OWN_LANE = 0
# What a look that is not kept has for a place.
NO_PLACE = -1
# Of a stretch: its lane and stack, its start, its nanoseconds.
_WORDS = 3
_STACK_BITS = 16
_STACKS = (1 << _STACK_BITS) - 1
# What the clock of a thread that runs may be late by: the kernel adds to it
# once a tick, of 10 ms where it has the longest.
_SLACK_NS = 10_000_000
# As many of them have to be gone for another to be worth the work.
_LEAST_GAIN = 1 / 4


class Stretch(NamedTuple):
    """A stretch of time in a lane, and the number of the stack in it."""

    lane: int
    stack: int
    start_ns: int
    ns: int


class TimedLooks:
    """The stretches of one request, in the order of their looks."""

    __slots__ = ("_words", "is_given_up", "joined")

    def __init__(self) -> None:
        self._words = array("q")
        # Stretches that have become a part of a neighbour with another stack.
        self.joined = 0
        # There were more than could be joined.
        self.is_given_up = False

    def __len__(self) -> int:
        return len(self._words) // _WORDS

    def __iter__(self) -> Iterator[Stretch]:
        words = self._words
        for place in range(0, len(words), _WORDS):
            which, start_ns, ns = words[place : place + _WORDS]
            lane, stack = which >> _STACK_BITS, which & _STACKS
            yield Stretch(lane, stack, start_ns, ns)

    def continues(self, place: int, new: Stretch) -> bool:
        """Return whether *new* goes on where the one at *place* ends.

        As far as clocks can tell, which is a tick.
        """
        if place == NO_PLACE:
            return False
        which, start_ns, ns = self._words[place : place + _WORDS]
        return (
            which == new.lane << _STACK_BITS | new.stack
            and abs(new.start_ns - start_ns - ns) <= _SLACK_NS
        )

    def add(self, new: Stretch) -> int:
        """Add a stretch; return its place."""
        words = self._words
        place = len(words)
        which = new.lane << _STACK_BITS | new.stack
        words.extend((which, new.start_ns, new.ns))
        return place

    def lengthen(self, place: int, ns: int) -> None:
        """Have the stretch at *place* go on for *ns*."""
        if place != NO_PLACE:
            self._words[place + 2] += ns

    def begin_earlier(self, place: int, ns: int) -> None:
        """Have the stretch at *place* begin *ns* before it does."""
        if place != NO_PLACE:
            self._words[place + 1] -= ns
            self._words[place + 2] += ns

    def join(self) -> dict[int, int]:
        """Join neighbours in pairs; return the new place of each place.

        Where too few have one all are given up: no place is left then.
        """
        words, kept = self._words, array("q")
        places: dict[int, int] = {}
        # Of each lane the last stretch, which has no other in it yet.
        single: dict[int, int] = {}
        joined = 0
        for place in range(0, len(words), _WORDS):
            which, start_ns, ns = words[place : place + _WORDS]
            lane = which >> _STACK_BITS
            at = single.pop(lane, NO_PLACE)
            if at != NO_PLACE:
                before_ns = kept[at + 2]
                gap_ns = start_ns - kept[at + 1] - before_ns
                if gap_ns <= before_ns + ns:
                    joined += which != kept[at]
                    if ns > before_ns:
                        kept[at] = which
                    kept[at + 2] = before_ns + ns
                    places[place] = at
                    continue
            single[lane] = places[place] = len(kept)
            kept.extend((which, start_ns, ns))
        if len(kept) > len(words) * (1 - _LEAST_GAIN):
            self.is_given_up = True
            self.joined = 0
            self._words = array("q")
            return {}
        self._words = kept
        self.joined += joined
        return places
