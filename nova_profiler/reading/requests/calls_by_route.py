# SPDX-License-Identifier: Apache-2.0
"""Adds up the DB API functions or SQL of many requests, by route."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

from nova_profiler.groups import SUMMED_GROUPS
from nova_profiler.reading.advice.adding_up import Evidence, advice_rows
from nova_profiler.reading.record_words import full_title
from nova_profiler.record import (
    KILLED,
    CallTotals,
    GroupTotals,
    RequestRecord,
)

# What stands for the names of a group whose calls have none.
_SUMMED = {group.name: group.bucket.label for group in SUMMED_GROUPS}


class FunctionCalls:
    """All calls of one function by the requests of one route."""

    __slots__ = (
        "calls",
        "driver_ms",
        "driver_of_ms",
        "errors",
        "max_ms",
        "ms",
        "name",
        "per_request_ms",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.errors = 0
        self.ms = 0.0
        # None: calls without names have no longest one.
        self.max_ms: float | None = 0.0
        # The driver's share is over the calls whose driver time is known.
        self.driver_ms = 0.0
        self.driver_of_ms = 0.0
        self.per_request_ms = array("d")

    def add(self, totals: CallTotals) -> None:
        """Add one request's calls; nested ones are in the others' time."""
        self.calls += int(totals.count - totals.nested)
        self.errors += int(totals.errors)
        self.ms += totals.ms
        if self.max_ms is not None:
            self.max_ms = max(self.max_ms, totals.max_ms)
        if totals.driver_ms is not None:
            self.driver_ms += float(totals.driver_ms)
            self.driver_of_ms += totals.ms
        self.per_request_ms.append(totals.ms)

    def add_sum(self, totals: GroupTotals) -> None:
        """Add one request's calls of a group whose calls have no names."""
        self.calls += int(totals.calls)
        self.ms += totals.ms
        self.max_ms = None
        self.per_request_ms.append(totals.ms)

    @property
    def mean_ms(self) -> float:
        """Return the mean time of a call."""
        return self.ms / self.calls if self.calls else 0.0

    @property
    def driver_share(self) -> float | None:
        """Return the driver's part of the time, None if unknown."""
        if self.driver_of_ms <= 0:
            return None
        return self.driver_ms / self.driver_of_ms


class RouteCalls:
    """The requests of one route and their calls."""

    def __init__(
        self, kind: str, method: str, route: str, action: str | None
    ) -> None:
        self.kind = kind
        self.method = method
        self.route = route
        self.action = action
        self.durations_ms = array("d")
        self.wall_ms = 0.0
        self.evidence = Evidence()
        self.functions: dict[str, FunctionCalls] = {}

    def add(self, record: RequestRecord, group: str) -> None:
        """Add one request's calls of *group*, and its evidence of all."""
        self.evidence.add_record(record)
        self.durations_ms.append(record.duration_ms)
        totals = record.groups.get(group)
        if totals is not None:
            self.wall_ms += totals.wall_ms
            if group in _SUMMED:
                self.function(_SUMMED[group]).add_sum(totals)
        for call in record.calls:
            if call.group == group:
                self.function(call.name).add(call)

    def function(self, name: str) -> FunctionCalls:
        """Return the row of *name*."""
        row = self.functions.get(name)
        if row is None:
            row = self.functions[name] = FunctionCalls(name)
        return row

    @property
    def name(self) -> str:
        """Return method, route and action."""
        return full_title(self.method, self.route, self.action)

    @property
    def requests(self) -> int:
        """Return the number of requests."""
        return len(self.durations_ms)

    @property
    def duration_ms(self) -> float:
        """Return the time of all requests together."""
        return sum(self.durations_ms)

    @property
    def share(self) -> float | None:
        """Return the part of the requests' time in which a call ran."""
        whole = self.duration_ms
        return self.wall_ms / whole if whole > 0 else None

    @property
    def totals(self) -> FunctionCalls:
        """Return all functions added up."""
        totals = FunctionCalls("total")
        for row in self.functions.values():
            totals.calls += row.calls
            totals.errors += row.errors
            totals.ms += row.ms
            if row.max_ms is None or totals.max_ms is None:
                totals.max_ms = None
            else:
                totals.max_ms = max(totals.max_ms, row.max_ms)
            totals.driver_ms += row.driver_ms
            totals.driver_of_ms += row.driver_of_ms
        return totals

    def slowest_functions(self) -> list[FunctionCalls]:
        """Return the functions, the one that took longest first."""
        return sorted(self.functions.values(), key=lambda row: -row.ms)

    def percentile_ms(self, row: FunctionCalls, percent: float) -> float:
        """Return a percentile of the function's time in a request.

        Requests without a call count 0.
        """
        values = sorted(row.per_request_ms)
        zeros = max(0, self.requests - len(values))
        return percentile([0.0] * zeros + values, percent)


def calls_by_route(
    records: Iterable[RequestRecord], group: str
) -> list[RouteCalls]:
    """Return the calls of *group* by route, the most expensive one first."""
    routes: dict[tuple[str, str, str, str | None], RouteCalls] = {}
    for record in records:
        if record.outcome == KILLED:
            # Its calls are not known, so that it would lower their means.
            continue
        key = (record.kind, record.method, record.route, record.action)
        route = routes.get(key)
        if route is None:
            route = routes[key] = RouteCalls(*key)
        route.add(record, group)
    return sorted(routes.values(), key=lambda route: -route.totals.ms)


def percentile(in_order: list[float], percent: float) -> float:
    """Return the smallest value that *percent* of all do not exceed."""
    if not in_order:
        return 0.0
    rank = -(-len(in_order) * percent // 100)
    return in_order[max(0, int(rank) - 1)]


def figures_of(route: RouteCalls) -> dict[str, Any]:
    """Return a route's figures as JSON-ready values."""
    durations = sorted(route.durations_ms)
    totals = route.totals
    return {
        "kind": route.kind,
        "method": route.method,
        "route": route.route,
        "action": route.action,
        "requests": route.requests,
        "duration_ms": {
            "total": round(route.duration_ms, 3),
            "p50": round(percentile(durations, 50), 3),
            "p95": round(percentile(durations, 95), 3),
            "max": round(durations[-1], 3) if durations else 0.0,
        },
        "wall_ms": round(route.wall_ms, 3),
        "share": _rounded(route.share),
        "advice": advice_rows(route.evidence.advice()),
        "totals": _row_figures(route, totals),
        "functions": [
            {
                **_row_figures(route, row),
                "p50_ms_per_request": round(route.percentile_ms(row, 50), 3),
                "p95_ms_per_request": round(route.percentile_ms(row, 95), 3),
            }
            for row in route.slowest_functions()
        ],
    }


def _row_figures(route: RouteCalls, row: FunctionCalls) -> dict[str, Any]:
    return {
        "name": row.name,
        "calls": row.calls,
        "calls_per_request": round(row.calls / max(1, route.requests), 3),
        "ms": round(row.ms, 3),
        "mean_ms": round(row.mean_ms, 3),
        "max_ms": _rounded(row.max_ms, 3),
        "errors": row.errors,
        "driver_share": _rounded(row.driver_share),
    }


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
