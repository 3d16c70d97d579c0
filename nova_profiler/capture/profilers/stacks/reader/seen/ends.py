# SPDX-License-Identifier: Apache-2.0
"""Time of a request's own thread before its first look and after its last.

The kernel's clocks were read at one end of it only. The worker has the clocks
of the whole request: what of them is not between looks is of these ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    NO_PLACE,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import RUNS

Key = tuple[Path, int]

# Looks whose ends are kept apart; further ones are in the sums alone.
MOST_ENDS = 4000
# Stretches of time that are made longer; of further ends they are not.
MOST_STRETCHED = 200
# Of a clock that the worker could not read.
UNKNOWN = -1


class Clocks(NamedTuple):
    """What the worker knows of a request that ended.

    When it began and ended, in nanoseconds by monotonic_ns(); how long its
    own thread ran for it, and stood in line for a processor at least.
    """

    began_ns: int
    ended_ns: int
    ran_ns: int = UNKNOWN
    queued_ns: int = UNKNOWN


class Shares(NamedTuple):
    """What the ends consist of, in nanoseconds.

    *running* goes to looks that found the thread running, *waiting* to the
    others; the rest of what ran and waited no look found so.
    """

    ran: int
    queued: int
    running: int
    waiting: int
    ran_unseen: int
    waited_unseen: int


class Ends:
    """The ends of one request, by what the look beside each has found."""

    def __init__(self) -> None:
        self.by_look: dict[Key, int] = {}
        # The stretch of each look, and whether its begin is meant.
        self.stretches: list[tuple[Key, int, int, bool]] = []
        self.running_ns = self.waiting_ns = 0

    @property
    def total_ns(self) -> int:
        """Return the nanoseconds of all."""
        return self.running_ns + self.waiting_ns

    def add(
        self,
        key: Key,
        time_ns: int,
        place: int = NO_PLACE,
        is_begin: bool = False,
    ) -> None:
        """Add time beside a look that found *key*, a path and a state.

        *place* is that of its stretch, before which the time was if it
        *is_begin*, or else after it.
        """
        if place != NO_PLACE and len(self.stretches) < MOST_STRETCHED:
            self.stretches.append((key, time_ns, place, is_begin))
        found = self.by_look.get(key)
        if found is not None or len(self.by_look) < MOST_ENDS:
            self.by_look[key] = (found or 0) + time_ns
        if key[1] == RUNS:
            self.running_ns += time_ns
        else:
            self.waiting_ns += time_ns

    def shares(self, ran_ns: int, queued_ns: int, beside_ns: int) -> Shares:
        """Return what they consist of.

        *ran_ns* and *queued_ns* are of them and of *beside_ns* more, of which
        nothing was seen. UNKNOWN: each look stands for what it found.
        """
        total = self.total_ns
        if ran_ns == UNKNOWN:
            return Shares(
                *(self.running_ns, 0, self.running_ns, self.waiting_ns, 0, 0)
            )
        whole = max(1, total + beside_ns)
        ran = min(total, ran_ns * total // whole)
        queued = min(total - ran, max(0, queued_ns) * total // whole)
        waited = total - ran - queued
        running = min(ran, self.running_ns)
        waiting = min(waited, self.waiting_ns)
        return Shares(
            *(ran, queued, running, waiting, ran - running, waited - waiting)
        )

    def move(self, places: Mapping[int, int]) -> None:
        """Note that stretches were joined: the new place of each."""
        self.stretches = [
            (key, time_ns, places[place], is_begin)
            for key, time_ns, place, is_begin in self.stretches
            if place in places
        ]

    def part_of(self, key: Key, time_ns: int, shares: Shares) -> int:
        """Return how many of *time_ns* beside looks at *key* it gets."""
        if key[1] == RUNS:
            given, of_all = shares.running, self.running_ns
        else:
            given, of_all = shares.waiting, self.waiting_ns
        return time_ns * given // max(1, of_all)
