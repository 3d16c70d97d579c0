# SPDX-License-Identifier: Apache-2.0
"""Counted calls as a graph: each function and its callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_profiler.profiles import CPROFILE, WAITING
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.hot_calls import hot_path_of
from nova_profiler.profiles.stats.stats_files import Key, Stats
from nova_profiler.profiles.summaries import CALLS, Row, Step, Wait

# Bounds what thousands of profiles, or one made to be silly, can take.
MOST_FUNCTIONS = 300_000
_MOST_CLIMBED = 100


class Called:
    """A function's figures, and those of its calls by each caller."""

    __slots__ = (
        "callers",
        "calls",
        "function",
        "primitive",
        "self_s",
        "total_s",
    )

    def __init__(self, function: Function) -> None:
        self.function = function
        self.calls = 0
        self.primitive = 0
        self.self_s = 0.0
        self.total_s = 0.0
        self.callers: dict[Key, tuple[int, int, float, float]] = {}

    def add(self, other: Stats | Called) -> None:
        """Add what one profile has of the function, or several."""
        self.calls += other.calls
        self.primitive += other.primitive
        self.self_s += other.self_s
        self.total_s += other.total_s
        for key, edge in other.callers.items():
            known = self.callers.get(key)
            if known is not None:
                edge = (
                    known[0] + edge[0],
                    known[1] + edge[1],
                    known[2] + edge[2],
                    known[3] + edge[3],
                )
            self.callers[key] = edge


class CallGraph:
    """The calls of one request, or of many added up.

    Of each call only the caller is known, not the whole stack.
    """

    engine = CPROFILE
    kind = CALLS
    elsewhere_s = 0.0
    sample_s = 0.0

    def __init__(self) -> None:
        self.functions: dict[Key, Called] = {}
        self.profiles = 0
        self.number = 0
        self.busy_s = 0.0
        self.waiting_s = 0.0
        self.cut = 0

    @property
    def busy_number(self) -> float:
        """Return how many of the calls are not of a function that waits."""
        waits = sum(wait.number for wait in self.waits())
        return float(self.number - waits)

    def add(self, stats: Iterable[Stats]) -> None:
        """Add the functions of one profile."""
        self.profiles += 1
        for one in stats:
            self._add(one.key, one)

    def join(self, other: CallGraph) -> None:
        """Add all that *other* has."""
        self.profiles += other.profiles
        self.cut += other.cut
        for key, called in other.functions.items():
            self._add(key, called)

    def _add(self, key: Key, other: Stats | Called) -> None:
        called = self.functions.get(key)
        if called is None:
            if len(self.functions) >= MOST_FUNCTIONS:
                self.cut += 1
                return
            called = self.functions[key] = Called(Function(*key))
        called.add(other)
        self.number += other.calls
        if called.function.is_wait:
            self.waiting_s += other.self_s
        else:
            self.busy_s += other.self_s

    def rows(self) -> list[Row]:
        """Return each function but those that wait, by its own time."""
        rows = [
            Row(
                called.function,
                called.calls,
                called.primitive,
                called.self_s,
                called.total_s,
            )
            for called in self.functions.values()
            if not called.function.is_wait
        ]
        return sorted(rows, key=lambda row: (-row.self_s, -row.total_s))

    def waits(self) -> list[Wait]:
        """Return the functions that wait, and the main caller of each."""
        waits = [
            wait
            for called in self.functions.values()
            if called.function.is_wait
            for wait in self._waits_in(called)
        ]
        return sorted(waits, key=lambda wait: -wait.seconds)

    def _waits_in(self, called: Called) -> Iterator[Wait]:
        function = called.function
        if not (called.calls or called.self_s):
            # Its waiting is WAITING's, above it.
            return
        if function.name != WAITING or not called.callers:
            yield Wait(
                function,
                self._caller(function),
                called.calls,
                called.self_s,
            )
            return
        # An export of samples has one WAITING above all that waited.
        for key, (_, calls, self_s, _) in called.callers.items():
            waiting = Function(*key)
            caller = self._caller(waiting) if key in self.functions else None
            yield Wait(waiting, caller, calls, self_s)

    def hot_path(self) -> list[Step]:
        """Return the path down to what still holds most of the work."""
        return hot_path_of(self.functions)

    def _caller(self, function: Function) -> Function | None:
        """Return nova's function above, by the callers with most time."""
        key: Key = function
        nearest = None
        for _ in range(_MOST_CLIMBED):
            callers = {
                caller: edge
                for caller, edge in self.functions[key].callers.items()
                if caller in self.functions and caller != key
            }
            if not callers:
                break
            key = max(callers, key=lambda caller: callers[caller][3])
            caller = Function(*key)
            if caller.is_telling:
                return caller
            nearest = nearest or caller
        return nearest
