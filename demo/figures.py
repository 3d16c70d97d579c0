# SPDX-License-Identifier: Apache-2.0
"""What the records of a run add up to; no printing, no reading of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nova_profiler.record import RequestRecord

# The parts of a request's time that the database driver and the pool took.
DRIVER_BUCKETS = (
    "sql",
    "fetch",
    "connect",
    "pool_wait",
    "ping",
    "transaction",
)
WRAPPER_BUCKET = "sqlalchemy"


class FunctionFigures(NamedTuple):
    """One DB API function over all requests of a route."""

    name: str
    calls: int
    fewest: int
    most: int
    total_ms: float
    driver_ms: float

    @property
    def mean_ms(self) -> float:
        """Return the milliseconds of one call."""
        return self.total_ms / self.calls

    @property
    def wrapper_ms(self) -> float:
        """Return the milliseconds that were not the driver's."""
        return self.total_ms - self.driver_ms


class RouteFigures(NamedTuple):
    """One route: its requests, and where their time went."""

    name: str
    durations_ms: list[float]
    functions: list[FunctionFigures]
    mean_breakdown_ms: dict[str, float]
    statements: float
    config_lookups: float

    @property
    def requests(self) -> int:
        """Return how many requests the figures are of."""
        return len(self.durations_ms)

    @property
    def total_ms(self) -> float:
        """Return the time of all requests, one after the other."""
        return sum(self.durations_ms)


def by_route(records: Iterable[RequestRecord]) -> list[RouteFigures]:
    """Return the figures of each route, in the order they were first asked."""
    routes: dict[str, list[RequestRecord]] = {}
    for record in sorted(records, key=lambda record: record.started_at):
        name = f"{record.method} {record.route}"
        routes.setdefault(name, []).append(record)
    return [_route(name, found) for name, found in routes.items()]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* of *values* do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _route(name: str, records: list[RequestRecord]) -> RouteFigures:
    breakdown: Counter[str] = Counter()
    statements = lookups = 0
    for record in records:
        breakdown.update(record.breakdown_ms)
        statements += (
            record.groups["sql"].calls if "sql" in record.groups else 0
        )
        lookups += record.counts.get("config_lookups", 0)
    number = len(records)
    return RouteFigures(
        name,
        [record.duration_ms for record in records],
        _functions(records),
        {bucket: ms / number for bucket, ms in breakdown.items()},
        statements / number,
        lookups / number,
    )


def _functions(records: list[RequestRecord]) -> list[FunctionFigures]:
    """Return the DB API functions, the one that took most time first."""
    rows: dict[str, list[tuple[int, float, float]]] = {}
    for record in records:
        for row in record.calls:
            # Calls made inside another one are part of that one's time.
            if row.group == "db_api" and row.count > row.nested:
                rows.setdefault(row.name, []).append(
                    (row.count - row.nested, row.ms, row.driver_ms or 0.0)
                )
    functions = []
    for name, calls in rows.items():
        counts = [count for count, _, _ in calls]
        functions.append(
            FunctionFigures(
                name,
                sum(counts),
                min(counts) if len(calls) == len(records) else 0,
                max(counts),
                sum(ms for _, ms, _ in calls),
                sum(driver_ms for _, _, driver_ms in calls),
            )
        )
    return sorted(functions, key=lambda row: -row.total_ms)
