# SPDX-License-Identifier: Apache-2.0
"""The hot path through counted calls, as far as it can be known.

A ``.prof`` has of each call only its caller, not the whole stack. Where a
function is called from several places, its callees are divided among these,
by the part that each place's calls have in the function's total; so is its
waiting. In a request nearly all of the upper functions have but one caller,
and there this is exact.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Protocol

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stats.stats_files import Key
from nova_profiler.profiles.summaries import MOST, Step

# Rounds until the waiting within recursions is known, and how exactly.
_MOST_ROUNDS = 200
_EXACT = 1e-4

Callees = dict[Key, list[tuple[Key, float]]]


class Called(Protocol):
    """A function's times; the last figure of each caller is the total."""

    function: Function
    self_s: float
    total_s: float
    callers: dict[Key, tuple[int, int, float, float]]


def hot_path_of(functions: Mapping[Key, Called]) -> list[Step]:
    """Return the path down to what still holds at least MOST of the work."""
    work = _Work(functions)
    choice = [
        (work.of(key), key) for key in _outermost(functions, work.callees)
    ]
    whole = sum(seconds for seconds, _ in choice)
    steps: list[Step] = []
    passed: set[Key] = set()
    while choice and whole > 0:
        on_path, key = max(choice)
        share = on_path / whole
        if share < MOST:
            break
        passed.add(key)
        steps.append(Step(functions[key].function, None, on_path, share))
        choice = list(work.below(key, on_path, passed))
    return steps


class _Work:
    """How long each function worked, waiting left out, and its callees."""

    def __init__(self, functions: Mapping[Key, Called]) -> None:
        self._functions = functions
        self.callees = _callees_of(functions)
        self._waiting = _waiting_of(functions, self.callees)

    def of(self, key: Key) -> float:
        """Return the work in a function and all that it called."""
        return self._functions[key].total_s * (1 - self._waiting[key])

    def below(
        self, key: Key, on_path: float, passed: Container[Key]
    ) -> Iterator[tuple[float, Key]]:
        """Yield what was called for *on_path* seconds, unless *passed*.

        A recursion leads back to a function that was passed: then what that
        one calls counts.
        """
        parts = {key: _part(on_path, self.of(key))}
        todo = [key]
        while todo:
            caller = todo.pop()
            for callee, edge_s in self.callees.get(caller, ()):
                if callee not in passed:
                    part = _part(edge_s, self._functions[callee].total_s)
                    seconds = self.of(callee) * part * parts[caller]
                    yield min(on_path, seconds), callee
                elif callee not in parts:
                    parts[callee] = 1.0
                    todo.append(callee)


def _callees_of(functions: Mapping[Key, Called]) -> Callees:
    callees: Callees = {}
    for key, called in functions.items():
        for caller, edge in called.callers.items():
            if caller in functions:
                callees.setdefault(caller, []).append((key, edge[3]))
    return callees


def _outermost(functions: Mapping[Key, Called], callees: Callees) -> list[Key]:
    """Return the roots; of functions in a cycle, the one with most time.

    The first function of a request may be called again further in, as the
    ``__call__`` that all filters of a pipeline share: then only its time
    shows that it came first.
    """
    found = [
        key
        for key, called in functions.items()
        if not any(one != key and one in functions for one in called.callers)
    ]
    reached = set(found)
    todo = list(found)
    while todo:
        new = {callee for callee, _ in callees.get(todo.pop(), ())} - reached
        reached |= new
        todo.extend(new)
    ring = functions.keys() - reached
    if ring:
        found.append(max(ring, key=lambda key: functions[key].total_s))
    return found


def _waiting_of(
    functions: Mapping[Key, Called], callees: Callees
) -> dict[Key, float]:
    """Return which part of each function's total was waiting.

    It is the mean of its callees' parts, by their time, its own work being
    a callee that never waits. A recursion has the same time in several of
    them: a mean is right all the same, a sum would count it as often.
    Callees come before callers, so that all but recursions are right at
    once.
    """
    waiting = {
        key: 1.0 if called.function.is_wait else 0.0
        for key, called in functions.items()
    }
    parts = []
    for key in _innermost_first(functions, callees):
        calls = callees.get(key, [])
        whole = functions[key].self_s + sum(edge_s for _, edge_s in calls)
        if whole > 0 and not functions[key].function.is_wait:
            parts.append((key, whole, calls))
    for _ in range(_MOST_ROUNDS):
        changed = 0.0
        for key, whole, calls in parts:
            part = (
                sum(waiting[callee] * edge_s for callee, edge_s in calls)
                / whole
            )
            changed = max(changed, abs(part - waiting[key]))
            waiting[key] = part
        if changed < _EXACT:
            break
    return waiting


def _innermost_first(
    functions: Mapping[Key, Called], callees: Callees
) -> list[Key]:
    """Return the functions, callees before callers but in a recursion."""
    order: list[Key] = []
    begun: set[Key] = set()
    todo = [(key, False) for key in functions]
    while todo:
        key, is_last = todo.pop()
        if is_last:
            order.append(key)
        elif key not in begun:
            begun.add(key)
            todo.append((key, True))
            todo.extend((callee, False) for callee, _ in callees.get(key, ()))
    return order


def _part(seconds: float, of_seconds: float) -> float:
    return min(1.0, seconds / of_seconds) if of_seconds > 0 else 0.0
