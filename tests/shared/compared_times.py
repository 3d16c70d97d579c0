# SPDX-License-Identifier: Apache-2.0
"""Two sides made up for tests of comparisons, with times in memory."""

from __future__ import annotations

import math
import random

from nova_profiler.reading.runs.compare.comparison import compared
from nova_profiler.reading.runs.compare.verdicts import Limits
from nova_profiler.reading.runs.kept.queries import GRID


class Times:
    """The figures of two sides whose times are in memory."""

    def __init__(self, a, b, baseline=()):
        self._sides = {"a": a, "b": b}
        self._baseline = {f"n{at}": run for at, run in enumerate(baseline)}
        self.baseline_runs = tuple(self._baseline) or ("a",)
        self.totals = [
            self._row(
                side, route, calls=len(ms), failed=0, p50_ms=1.0, p99_ms=2.0
            )
            for side, routes in self._sides.items()
            for route, ms in routes.items()
        ]

    def order_statistics(self):
        return self._statistics(self._sides)

    def baseline_order_statistics(self):
        return self._statistics(self._baseline)

    def rank_sums(self, drift):
        a, b = self._sides["a"], self._sides["b"]
        for route in a.keys() & b.keys():
            scaled = [ms / drift for ms in b[route]]
            order = sorted(
                [(ms, 0) for ms in a[route]] + [(ms, 1) for ms in scaled]
            )
            yield {
                "method": "GET",
                "route": route,
                "calls_a": len(a[route]),
                "calls_b": len(scaled),
                "rank_sum_b": sum(
                    rank for rank, one in enumerate(order, 1) if one[1]
                ),
                "ties": 0,
            }

    def _statistics(self, sides):
        return [
            self._row(side, route, size=len(ms), value=value)
            for side, routes in sides.items()
            for route, ms in routes.items()
            for value in _evenly(ms)
        ]

    @staticmethod
    def _row(side, route, **values):
        return {"side": side, "method": "GET", "route": route, **values}


def _evenly(times):
    """Return all of a few *times*, GRID of many, as an engine does."""
    if len(times) <= GRID:
        return times
    step = len(times) / GRID
    ranked = sorted(times)
    return [ranked[int((part + 0.5) * step)] for part in range(GRID)]


def run_of(seed, calls=60, routes=30, spread=0.25, wobble=0.01, slowed=None):
    """Return lognormal times by route, with wobbles of the run's own."""
    levels = random.Random(0)
    chance = random.Random(seed)
    machine = math.exp(chance.gauss(0, 0.03))
    run = {}
    for number in range(routes):
        level = levels.uniform(5, 500) * machine
        level *= math.exp(chance.gauss(0, wobble))
        level *= (slowed or {}).get(number, 1.0)
        run[f"/r{number}"] = [
            level * math.exp(chance.gauss(0, spread)) for _ in range(calls)
        ]
    return run


def compare(a, b, baseline=(), **limits):
    return compared(("a", "b"), Times(a, b, baseline), Limits(**limits))


def verdicts(found) -> dict[str, str]:
    return {one.route: one.verdict for one in found.changes}


def pooled(runs) -> dict[str, list[float]]:
    """Return the times of all *runs* as one."""
    return {
        route: [ms for run in runs for ms in run[route]] for route in runs[0]
    }
