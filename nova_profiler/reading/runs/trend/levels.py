# SPDX-License-Identifier: Apache-2.0
"""The level of each route from run to run, and its changes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.runs.trend.changes import (
    LEAST_RUNS,
    Split,
    splits_of,
)

MEASURES = ("p50", "p99")
_CHANCE = 0.05


# No table of runs takes so many before a step is seen.
_MOST_RUNS = 60


class RouteRun(NamedTuple):
    """A route in one run."""

    run: str
    calls: int
    p50_ms: float
    p99_ms: float

    def ms(self, measure: str) -> float:
        """Return the time at *measure*."""
        return self.p50_ms if measure == "p50" else self.p99_ms


class LevelChange(NamedTuple):
    """A route's times are on another level from the run ``at`` on.

    The levels are medians of the runs between the changes before and after
    this one. ``p`` is the chance of such a split in any route of the
    history, with the runs in random order.
    """

    measure: str
    at: str
    before_ms: float
    after_ms: float
    change: float
    runs_before: int
    runs_after: int
    p: float


class RouteTrend(NamedTuple):
    """A route over the runs, oldest first.

    ``few_runs``, with ``few_calls`` together, have no level and are not among
    ``runs``.
    """

    method: str
    route: str
    runs: tuple[RouteRun, ...]
    few_runs: int
    few_calls: int
    changes: tuple[LevelChange, ...]

    @property
    def calls(self) -> int:
        """Return how many calls the runs have together."""
        return self.few_calls + sum(run.calls for run in self.runs)


def trends_of(
    rows: Iterable[Mapping[str, Any]],
    order: Sequence[str],
    least_change: float,
) -> list[RouteTrend]:
    """Return each route over the runs in *order*, changed ones first.

    The others follow, the most called first. A row has run, method, route,
    calls, p50_ms and p99_ms.
    """
    place = {run: index for index, run in enumerate(order)}
    by_route: dict[tuple[str, str], list[RouteRun]] = {}
    for row in rows:
        by_route.setdefault((row["method"], row["route"]), []).append(
            RouteRun(row["run"], row["calls"], row["p50_ms"], row["p99_ms"])
        )
    tests = len(by_route) * len(MEASURES)
    trends = []
    for (method, route), found in by_route.items():
        found.sort(key=lambda run: place[run.run])
        runs = tuple(run for run in found if run.calls >= FEW_CALLS)
        few = [run.calls for run in found if run.calls < FEW_CALLS]
        changes = tuple(
            change
            for measure in MEASURES
            for change in _changes(runs, measure, tests, least_change)
        )
        trends.append(
            RouteTrend(method, route, runs, len(few), sum(few), changes)
        )
    return sorted(trends, key=_order)


@lru_cache(64)
def fewest_runs(routes: int) -> int:
    """Return how many runs it takes to see a level change of *routes*.

    With fewer not even a clean step is beyond chance.
    """
    chance = _CHANCE / max(1, routes * len(MEASURES))
    runs = 2 * LEAST_RUNS
    while runs < _MOST_RUNS and not splits_of(list(range(runs)), chance):
        runs += 1
    return runs


def figures_of(trend: RouteTrend) -> dict[str, Any]:
    """Return *trend* as JSON-ready values."""
    return {
        **trend._asdict(),
        "calls": trend.calls,
        "runs": [run._asdict() for run in trend.runs],
        "changes": [change._asdict() for change in trend.changes],
    }


def _order(trend: RouteTrend) -> tuple[float, int, str, str]:
    most = max((abs(change.change) for change in trend.changes), default=0.0)
    return (-most, -trend.calls, trend.route, trend.method)


def _changes(
    runs: Sequence[RouteRun], measure: str, tests: int, least_change: float
) -> Iterable[LevelChange]:
    values = [run.ms(measure) for run in runs]
    splits = splits_of(values, _CHANCE / tests)
    ends = [0, *(split.at for split in splits), len(values)]
    for index, split in enumerate(splits):
        before = values[ends[index] : split.at]
        after = values[split.at : ends[index + 2]]
        change = _level_change(before, after, split, tests)
        if abs(change.change) >= least_change:
            yield change._replace(measure=measure, at=runs[split.at].run)


def _level_change(
    before: Sequence[float], after: Sequence[float], split: Split, tests: int
) -> LevelChange:
    before_ms = statistics.median(before)
    after_ms = statistics.median(after)
    return LevelChange(
        measure="",
        at="",
        before_ms=before_ms,
        after_ms=after_ms,
        change=after_ms / before_ms - 1 if before_ms else 0.0,
        runs_before=len(before),
        runs_after=len(after),
        p=min(1.0, split.p * tests),
    )
