# SPDX-License-Identifier: Apache-2.0
"""Measures each hook with and without a request, beside the bare call."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.price.hooks.cases import CASES, ELSEWHERE, Call, Case
from benchmarks.running import processes
from benchmarks.running.figures import Figure, Spread, spread_of
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import active, lane_var
from nova_profiler.groups import HOOKS, Hook

# What a call may cost where no request is on.
OUTSIDE_US = 0.15
# Pieces of work have a lane each, of which a request has a few thousand.
_CALLS = 1_000
ROUNDS = 60
QUICK_ROUNDS = 3


class HookPrice(NamedTuple):
    """What *hook* adds to one call, microseconds of CPU."""

    hook: str
    label: str
    outside: Spread
    inside: Spread
    limit_us: float | None
    points: int


class _Variant(NamedTuple):
    """Nanoseconds of one call: bare and hooked, no request on or in one."""

    bare_outside: list[float]
    outside: list[float]
    bare_inside: list[float]
    inside: list[float]


def measure(
    rounds: int, progress: Callable[[str], None]
) -> Iterator[HookPrice]:
    """Yield the price of each case, hook by hook, as groups.HOOKS has them."""
    with processes.pinned(processes.cores().measured):
        for hook in HOOKS:
            for case in CASES.get(hook.name, ()):
                progress(f"{hook.name}: {case.label}")
                yield _price(hook, case, rounds)


def unmeasured() -> list[str]:
    """Return the hooks that have no case, and no benchmark of their own."""
    return [
        hook.name
        for hook in HOOKS
        if hook.name not in CASES and hook.name not in ELSEWHERE
    ]


def figures(found: list[HookPrice]) -> list[Figure]:
    """Return each price beside its limit."""
    rows = [
        Figure(f"{one.hook}: {one.label}", one.inside.median, limit, "us")
        for one in found
        if (limit := one.limit_us) is not None
    ]
    rows += [
        Figure(
            f"{one.hook}: {one.label}, no request",
            one.outside.median,
            one.points * OUTSIDE_US,
            "us",
        )
        for one in found
        if one.limit_us is not None
    ]
    return rows + [
        Figure(f"{hook}: no case", None, 0.0, "us") for hook in unmeasured()
    ]


def _price(hook: Hook, case: Case, rounds: int) -> HookPrice:
    taken = _Variant([], [], [], [])
    with case.make() as call, _installed(case.needs):
        for _ in range(rounds):
            # Side by side: other work of the machine hits both alike.
            taken.bare_outside.append(_spent(call))
            with _request():
                taken.bare_inside.append(_spent(call))
            with _installed(hook.name, *_taken(hook, case)):
                taken.outside.append(_spent(call))
                with _request():
                    taken.inside.append(_spent(call))
    return HookPrice(
        hook.name,
        case.label,
        _added(taken.outside, taken.bare_outside),
        _added(taken.inside, taken.bare_inside),
        case.limit_us,
        case.points,
    )


def _taken(hook: Hook, case: Case) -> list[tuple[str, ...]]:
    return [case.takes] if hook.takes else []


@contextmanager
def _installed(name: str, *taken: tuple[str, ...]) -> Iterator[None]:
    """Have the hook *name* in place, none if that is empty."""
    with ExitStack() as stack:
        for hook in HOOKS:
            if hook.name == name:
                module = f"nova_profiler.capture.hooks.{hook.module}"
                install = importlib.import_module(module).install
                stack.callback(install(*taken))
        yield


@contextmanager
def _request() -> Iterator[Capture]:
    """Be in a request, in a thread that has a CPU clock."""
    capture = Capture(NothingServed(), 2_000, has_cpu_clock=True)
    active[id(capture)] = capture
    token = lane_var.set(capture.main)
    try:
        yield capture
    finally:
        lane_var.reset(token)
        capture.close()
        active.pop(id(capture))
        capture.release()


def _spent(call: Call) -> float:
    """Return nanoseconds of CPU for one call."""
    before = time.thread_time_ns()
    for _ in range(_CALLS):
        call()
    return (time.thread_time_ns() - before) / _CALLS


def _added(hooked: list[float], bare: list[float]) -> Spread:
    """Return the microseconds added, from rounds taken side by side."""
    added = [
        (one - other) / 1_000 for one, other in zip(hooked, bare, strict=True)
    ]
    if len(added) < 4:
        middle = statistics.median(added)
        return Spread(middle, middle, middle)
    return spread_of(added)
