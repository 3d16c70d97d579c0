# SPDX-License-Identifier: Apache-2.0
"""Pieces of a request in other threads: their ends, by the worker's clocks.

A piece of some milliseconds that a look has found stands between two rounds
of looks: taken for all of that time it would be many times as long as it was.
The worker states when each began and ended, and what its thread ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.reader.seen.ends import (
    UNKNOWN,
    Ends,
    Key,
    Shares,
)
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    NO_PLACE,
)

# Of one request; the ends of further ones are as long as the rounds of looks
# have it.
MOST_FAR = 200


class PieceClocks(NamedTuple):
    """When a piece began and ended, and what its thread ran for it.

    Nanoseconds, the first two by monotonic_ns().
    """

    began_ns: int
    ended_ns: int
    ran_ns: int = UNKNOWN


def piece_clocks(
    rows: Iterable[Sequence[int]], began_ns: int
) -> dict[int, PieceClocks]:
    """Return the clocks of each piece by its number.

    *rows* are as the worker sends them: the number, the microseconds from
    the begin of the request at *began_ns* on, how many it took, and how many
    it ran.
    """
    clocks = {}
    for number, start_us, us, ran_us in rows:
        start_ns = began_ns + 1000 * start_us
        ran_ns = UNKNOWN if ran_us < 0 else 1000 * ran_us
        clocks[number] = PieceClocks(start_ns, start_ns + 1000 * us, ran_ns)
    return clocks


class FarPiece:
    """The first and the last look at a piece in another thread."""

    __slots__ = (
        "_began_ns",
        "_ended_ns",
        "_first",
        "_first_ns",
        "_first_place",
        "_last",
        "_last_ns",
        "_last_place",
        "ran_ns",
    )

    def __init__(
        self, began_ns: int, key: Key, at_ns: int, place: int
    ) -> None:
        """*began_ns* is when it was taken to have begun.

        *key*, a path and a state, was found at *at_ns*, and has its stretch
        at *place*.
        """
        self._began_ns = began_ns
        self._first, self._first_ns, self._first_place = key, at_ns, place
        self._last, self._last_ns, self._last_place = key, at_ns, place
        # When it was taken to have ended; 0 as long as it goes on.
        self._ended_ns = 0
        # What its thread ran between the looks.
        self.ran_ns = 0

    def end(self, ended_ns: int, key: Key, at_ns: int, place: int) -> None:
        """Note what the last look has found, at *at_ns*."""
        self._ended_ns = ended_ns
        self._last, self._last_ns, self._last_place = key, at_ns, place

    def move(self, places: Mapping[int, int]) -> None:
        """Note that stretches were joined: the new place of each."""
        self._first_place = places.get(self._first_place, NO_PLACE)
        self._last_place = places.get(self._last_place, NO_PLACE)

    def ends(self, clocks: PieceClocks | None) -> tuple[Ends, Shares]:
        """Return its ends, and what they consist of.

        By the worker's *clocks*; without those as long as the rounds have
        it, and each look stands for what it found.
        """
        if clocks is None:
            clocks = PieceClocks(self._began_ns, self._ended_ns)
        ends, ran_ns = Ends(), clocks.ran_ns
        for key, time_ns, place, is_begin in (
            (
                *(self._first, self._first_ns - clocks.began_ns),
                *(self._first_place, True),
            ),
            (
                *(self._last, clocks.ended_ns - self._last_ns),
                *(self._last_place, False),
            ),
        ):
            ends.add(key, max(0, time_ns), place, is_begin)
        if ran_ns != UNKNOWN:
            ran_ns = max(0, ran_ns - self.ran_ns)
        return ends, ends.shares(ran_ns, 0, 0)
