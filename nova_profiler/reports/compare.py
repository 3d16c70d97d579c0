# SPDX-License-Identifier: Apache-2.0
"""A comparison of two sides: routes, what they have in common, verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from nova_profiler.reports.compare_routes import (
    SLOWER,
    Limits,
    RouteChange,
    changes_of,
    side_figures,
)
from nova_profiler.reports.compare_shifts import (
    FEW_CALLS,
    Drift,
    RouteKey,
    Shift,
    drift_of,
    samples_of,
    shifts_of,
)

__all__ = ["Comparison", "Limits", "compared", "figures_of"]

Rows = Sequence[Mapping[str, Any]]


class Figures(Protocol):
    """What a comparison asks; nova_profiler.history.comparing answers."""

    @property
    def baseline_runs(self) -> Sequence[str]:
        """The runs of side a, oldest first."""

    @property
    def totals(self) -> Rows:
        """Calls, failures, p50 and p99 by side and route."""

    def order_statistics(self) -> Rows:
        """Return times by side and route, evenly by rank."""

    def baseline_order_statistics(self) -> Rows:
        """Return the same by run of side a."""

    def rank_sums(self, drift: float) -> Rows:
        """Return rank sums by route, b scaled down by *drift*."""


class Comparison(NamedTuple):
    """What came out; ``failures`` are the limits that were passed."""

    a: str
    b: str
    runs_a: int
    limits: Limits
    drift: Drift
    changes: tuple[RouteChange, ...]
    failures: tuple[str, ...]


def compared(
    names: tuple[str, str], figures: Figures, limits: Limits
) -> Comparison:
    """Return how side b differs from side a."""
    samples = samples_of(figures.order_statistics())
    shifts = shifts_of(
        samples.get("a", {}), samples.get("b", {}), limits.confidence
    )
    drift = drift_of(shifts, _baseline(figures))
    changes = changes_of(
        side_figures(figures.totals),
        shifts,
        drift,
        figures.rank_sums(drift.ratio),
        limits,
    )
    return Comparison(
        *names,
        len(figures.baseline_runs),
        limits,
        drift,
        tuple(changes),
        tuple(_failures(changes, drift, limits)),
    )


def _baseline(figures: Figures) -> list[dict[RouteKey, Shift]]:
    if len(figures.baseline_runs) < 2:
        return []
    samples = samples_of(figures.baseline_order_statistics())
    return [
        shifts_of(samples.get(one, {}), samples.get(other, {}))
        for one, other in pairwise(figures.baseline_runs)
    ]


def _failures(
    changes: Sequence[RouteChange], drift: Drift, limits: Limits
) -> list[str]:
    failures = []
    most = limits.most_drift
    if most is not None and math.expm1(drift.low) > 0:
        slower = math.expm1(drift.log_ratio)
        if slower > max(most, limits.least_change):
            failures.append(
                f"all routes together are {100 * slower:.1f} % slower; the "
                f"limit is {100 * most:g} %"
            )
    above = limits.fail_above
    for change in changes:
        slower = change.change or 0.0
        if above is not None and change.verdict == SLOWER and slower > above:
            failures.append(
                f"{change.method} {change.route} is {100 * slower:.1f} % "
                f"slower; the limit is {100 * above:g} %"
            )
    return failures


def figures_of(found: Comparison) -> dict[str, Any]:
    """Return *found* as JSON-ready values; changes are parts of one."""
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
    }
