# SPDX-License-Identifier: Apache-2.0
"""A comparison of two sides: changes, common drift, and the gate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from nova_profiler.reading.runs import FEW_CALLS, RouteKey
from nova_profiler.reading.runs.compare.shifts import (
    Drift,
    Shift,
    drift_of,
    samples_of,
    shifts_of,
)
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    FASTER,
    SLOWER,
    Limits,
    RouteChange,
    changes_of,
    side_figures,
)

__all__ = ["Comparison", "Limits", "compared", "figures_of"]

Rows = Sequence[Mapping[str, Any]]

# A machine moves all routes. Where this part of them stayed where they were,
# the others moved for reasons of their own.
_MANY_STILL = 0.1


class SidesTimes(Protocol):
    """What is asked of both sides; ``side`` is ``a`` or ``b`` in each row.

    ``queries`` has it of kept runs. ``baseline_runs`` are the runs of side
    a, and ``baseline_order_statistics`` has one of them in each ``side``.
    """

    baseline_runs: tuple[str, ...]

    @property
    def totals(self) -> Rows:
        """Return calls, failed, p50_ms and p99_ms of each route."""

    def order_statistics(self) -> Rows:
        """Return a size and a value in each row, evenly by rank."""

    def baseline_order_statistics(self) -> Rows:
        """Return the same of each run of a."""

    def rank_sums(self, drift: float) -> Rows:
        """Return calls_a, calls_b, rank_sum_b and ties of each route."""


class Comparison(NamedTuple):
    """Both sides compared; ``failures`` are the exceeded limits.

    ``nothing_compared`` is the reason if no route could be compared.
    """

    a: str
    b: str
    runs_a: int
    limits: Limits
    drift: Drift
    changes: tuple[RouteChange, ...]
    failures: tuple[str, ...]
    nothing_compared: str | None


def compared(
    names: tuple[str, str], figures: SidesTimes, limits: Limits
) -> Comparison:
    """Return how side b differs from side a."""
    samples = samples_of(figures.order_statistics())
    shifts = shifts_of(
        samples.get("a", {}), samples.get("b", {}), limits.confidence
    )
    sides = side_figures(figures.totals)

    def changes_beside(drift: Drift) -> list[RouteChange]:
        ranks = figures.rank_sums(drift.ratio)
        return changes_of(sides, shifts, drift, ranks, limits)

    drift = drift_of(shifts, _baseline(figures))
    changes = changes_beside(drift)
    if not drift.is_usual and _many_stayed(changes, shifts, drift):
        drift = drift._replace(is_taken_out=False)
        changes = changes_beside(drift)
    return Comparison(
        *names,
        len(figures.baseline_runs),
        limits,
        drift,
        tuple(changes),
        tuple(failures_of(changes, drift, limits)),
        nothing_compared(changes),
    )


def _baseline(figures: SidesTimes) -> list[dict[RouteKey, Shift]]:
    if len(figures.baseline_runs) < 2:
        return []
    samples = samples_of(figures.baseline_order_statistics())
    return [
        shifts_of(samples.get(one, {}), samples.get(other, {}))
        for one, other in pairwise(figures.baseline_runs)
    ]


def _many_stayed(
    changes: Sequence[RouteChange],
    shifts: Mapping[RouteKey, Shift],
    drift: Drift,
) -> bool:
    """Return whether many routes surely did not move with the others.

    A route that moved the other way has a reason of its own.
    """
    against = FASTER if drift.log_ratio > 0 else SLOWER
    tested = [change for change in changes if change.p is not None]
    still = [
        change
        for change in tested
        if change.verdict == against
        and abs(shifts[change.method, change.route].log_ratio)
        < abs(drift.log_ratio) / 2
    ]
    return len(still) >= max(1.0, _MANY_STILL * len(tested))


def failures_of(
    changes: Sequence[RouteChange], drift: Drift, limits: Limits
) -> Iterator[str]:
    """Yield a line for each exceeded limit."""
    yield from _of_all(drift, limits)
    if limits.fail_above is None:
        return
    for change in changes:
        name = f"{change.method} {change.route}"
        slower = change.change or 0.0
        if change.verdict == SLOWER and slower > limits.fail_above:
            yield (
                f"{name} is {100 * slower:.1f} % slower; the limit is "
                f"{100 * limits.fail_above:g} %"
            )
        elif (
            change.verdict == FAILED_B
            and min(change.a.calls, change.b.failed) >= FEW_CALLS
        ):
            yield f"{name}: all {change.b.failed} calls in B failed"


def _of_all(drift: Drift, limits: Limits) -> Iterator[str]:
    most = limits.most_drift
    slower = math.expm1(drift.log_ratio)
    if most is None or slower <= max(most, limits.least_change):
        return
    # With few routes the interval reaches from the least moved to the most:
    # a single still route must not excuse all the others.
    doubt = ""
    if drift.low <= 0:
        low, high = 100 * math.expm1(drift.low), 100 * math.expm1(drift.high)
        doubt = f" ({low:+.1f} to {high:+.1f}: too unsure to pass)"
    yield (
        f"all routes together are {100 * slower:.1f} % slower{doubt}; the "
        f"limit is {100 * most:g} %"
    )


def nothing_compared(changes: Sequence[RouteChange]) -> str | None:
    """Return why no route could be compared; None if one could."""
    if any(change.p is not None for change in changes):
        return None
    for side, figures in (
        ("A", [change.a for change in changes]),
        ("B", [change.b for change in changes]),
    ):
        if not any(one.calls for one in figures):
            failed = sum(one.failed for one in figures)
            return f"all {failed} requests of {side} failed"
    if not any(change.a.calls and change.b.calls for change in changes):
        return "no route has requests on both sides that did not fail"
    return f"no route has {FEW_CALLS} calls on both sides that did not fail"


def figures_of(found: Comparison) -> dict[str, Any]:
    """Return *found* as JSON-ready values; a change of 0.1 is 10 %."""
    drift = found.drift
    return {
        "a": found.a,
        "b": found.b,
        "runs_a": found.runs_a,
        "limits": {
            **found.limits._asdict(),
            "fail_all_above": found.limits.most_drift,
            "few_calls": FEW_CALLS,
        },
        "all_routes": {
            "routes": drift.routes,
            "change": math.expm1(drift.log_ratio),
            "low": math.expm1(drift.low),
            "high": math.expm1(drift.high),
            "wobble": drift.wobble,
            "taken_out": drift.is_taken_out,
        },
        "routes": [
            {
                **change._asdict(),
                "a": change.a._asdict(),
                "b": change.b._asdict(),
            }
            for change in found.changes
        ],
        "failures": list(found.failures),
        "nothing_compared": found.nothing_compared,
    }
