# SPDX-License-Identifier: Apache-2.0
"""The hot path through counted calls, as far as they tell it.

A ``.prof`` knows of each call only its caller, not the whole stack. Where a
function is called from several places, each is given of what lies below the
part that its own calls have in the function's total; the same for waiting.
In a request nearly all of the upper functions have but one caller, and
there this is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stats_files import Key
from nova_profiler.profiles.summaries import MOST, Step

# Rounds until the waiting within recursions is known, and how exactly.
_MOST_ROUNDS = 200
_EXACT = 1e-4

Callees = dict[Key, list[tuple[Key, float]]]


class Called(Protocol):
    """A function's times; of its callers' figures the last is the total."""

    function: Function
    self_s: float
    total_s: float
    callers: dict[Key, tuple[int, int, float, float]]


def hot_path_of(functions: Mapping[Key, Called]) -> list[Step]:
    """Return the path down to what still holds most of the work."""
    callees = _callees_of(functions)
    waiting = _waiting_of(functions, callees)

    def busy(key: Key) -> float:
        return functions[key].total_s * (1 - waiting[key])

    def below(key: Key, on_path: float) -> Iterator[tuple[float, Key]]:
        """Yield the callees that are not on the path yet.

        A recursion leads back to what is: then what that calls counts.
        """
        parts = {key: _part(on_path, busy(key))}
        todo = [key]
        while todo:
            caller = todo.pop()
            for callee, edge_s in callees.get(caller, ()):
                if callee not in passed:
                    part = _part(edge_s, functions[callee].total_s)
                    seconds = busy(callee) * part * parts[caller]
                    yield min(on_path, seconds), callee
                elif callee not in parts:
                    parts[callee] = 1.0
                    todo.append(callee)

    choice = [(busy(key), key) for key in _outermost(functions, callees)]
    whole = sum(seconds for seconds, _ in choice)
    steps: list[Step] = []
    passed: set[Key] = set()
    while choice and whole > 0:
        on_path, key = max(choice)
        if on_path / whole < MOST:
            break
        passed.add(key)
        steps.append(
            Step(functions[key].function, None, on_path, on_path / whole)
        )
        choice = list(below(key, on_path))
    return steps


def _callees_of(functions: Mapping[Key, Called]) -> Callees:
    callees: Callees = {}
    for key, called in functions.items():
        for caller, edge in called.callers.items():
            if caller in functions:
                callees.setdefault(caller, []).append((key, edge[3]))
    return callees


def _outermost(functions: Mapping[Key, Called], callees: Callees) -> list[Key]:
    """Return what nobody called, and the longest of what they do not reach.

    The first function of a request may be called again further in, as the
    ``__call__`` that all filters of a pipeline share: then nothing tells
    that it came first but its time.
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
    them; a mean does not mind, where a sum would count it as often. Callees
    come before callers, so that all but recursions are right at once.
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
