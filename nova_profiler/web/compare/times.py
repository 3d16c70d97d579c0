# SPDX-License-Identifier: Apache-2.0
"""The times of two sides, as ``compare`` asks for those of kept runs.

Needs the extra ``history``, as what compares them does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nova_profiler.reading.requests.calls_by_route import percentile
from nova_profiler.reading.runs import RouteKey
from nova_profiler.web.rows import READ, Row
from nova_profiler.web.tables.columns import STATES
from nova_profiler.web.tables.table import Table

# The most times of one route and side that are compared, evenly by rank.
GRID = 200
# Times are compared as ratios, and zero has none.
_LEAST_MS = 0.0005


class TimesOfSides:
    """The times of each route on both sides; failed requests have none."""

    # One side is one run here: what differs between equal ones is not known.
    baseline_runs: tuple[str, ...] = ()

    def __init__(
        self, a: Iterable[Row], b: Iterable[Row], *, as_one: bool
    ) -> None:
        """With *as_one* all requests of a side are of one route."""
        self._times: dict[tuple[str, RouteKey], list[float]] = {}
        self._failed: Counter[tuple[str, RouteKey]] = Counter()
        self.is_of_one = True
        for side, rows in (("a", a), ("b", b)):
            table = Table.of(rows)
            # The name of a dump does not have whether it failed.
            is_read = table.column("state") == STATES.index(READ)
            self._add(side, table.chosen(is_read), as_one=as_one)

    def _add(self, side: str, table: Table, *, as_one: bool) -> None:
        titles = table.column("title")
        if as_one:
            titles = np.zeros_like(titles)
        order = np.argsort(titles, kind="stable")
        numbers, starts = np.unique(titles[order], return_index=True)
        # Of more than one route on a side the mix may change as well.
        self.is_of_one &= len(numbers) <= 1
        took, is_failed = (
            table.column("duration_ms"),
            table.column("is_failed"),
        )
        for number, places in zip(
            numbers.tolist(), np.split(order, starts[1:]), strict=False
        ):
            key = side, _key_of("" if as_one else table.text(number))
            times = np.sort(took[places][~is_failed[places]])
            if len(times):
                in_order = np.maximum(times, _LEAST_MS).tolist()
                self._times[key] = spread(in_order)
            if len(times) < len(places):
                self._failed[key] = len(places) - len(times)

    @property
    def totals(self) -> list[dict[str, Any]]:
        """Return calls, failures, p50 and p99 of each route on each side."""
        rows = []
        for key in {**self._times, **self._failed}:
            values = self._times.get(key, [])
            rows.append(
                {
                    **_names(key),
                    "calls": len(values),
                    "failed": self._failed[key],
                    "p50_ms": percentile(values, 50) if values else None,
                    "p99_ms": percentile(values, 99) if values else None,
                }
            )
        return rows

    def order_statistics(self) -> list[dict[str, Any]]:
        """Return times of each side and route, evenly by rank."""
        return [
            {**_names(key), "size": len(values), "value": ms}
            for key, values in self._times.items()
            for ms in evenly(values, GRID)
        ]

    def baseline_order_statistics(self) -> list[dict[str, Any]]:
        """Return none: a side is no series of runs."""
        return []

    def rank_sums(self, drift: float) -> list[dict[str, Any]]:
        """Return rank sums by route, b scaled down by *drift*."""
        found = []
        for side, route in self._times:
            b = self._times.get(("b", route))
            if side == "a" and b is not None:
                a = self._times["a", route]
                scaled = [ms / drift for ms in b]
                method, path = route
                found.append(
                    {"method": method, "route": path, **rank_sum(a, scaled)}
                )
        return found


def rank_sum(a: Sequence[float], b: Sequence[float]) -> dict[str, float]:
    """Return the sum of the ranks of *b* among both, and the ties.

    Equal times share the middle of their ranks.
    """
    values, equal = np.unique(np.concatenate([a, b]), return_counts=True)
    ranks = np.cumsum(equal) - equal + (equal + 1) / 2
    return {
        "calls_a": len(a),
        "calls_b": len(b),
        "rank_sum_b": float(ranks[np.searchsorted(values, b)].sum()),
        "ties": float((equal * (equal * equal - 1)).sum()),
    }


def evenly(in_order: Sequence[float], most: int) -> list[float]:
    """Return at most *most* of the values, evenly by rank."""
    size = len(in_order)
    if size <= most:
        return list(in_order)
    return [in_order[int((n + 0.5) * size / most)] for n in range(most)]


def spread(in_order: Sequence[float]) -> list[float]:
    """Return times without ties of rounding, in their order.

    Some logs have whole milliseconds only. Equal ones would hide a
    difference, so that they are spread evenly over the millisecond.
    """
    if len(in_order) < 2 or not all(map(float.is_integer, in_order)):
        return list(in_order)
    found = []
    for ms, count in Counter(in_order).items():
        found += [
            max(_LEAST_MS, ms + (n + 0.5) / count - 0.5) for n in range(count)
        ]
    return found


def _key_of(title: str) -> RouteKey:
    method, _, route = title.partition(" ")
    return method, route


def _names(key: tuple[str, RouteKey]) -> Mapping[str, Any]:
    side, (method, route) = key
    return {"side": side, "method": method, "route": route}
