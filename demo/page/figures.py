# SPDX-License-Identifier: Apache-2.0
"""What the records of a run add up to; no printing, no reading of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from nova_profiler.groups import DB_API, SQL
from nova_profiler.reading.requests.calls_by_route import (
    RouteCalls,
    calls_by_route,
)
from nova_profiler.record import RequestRecord


class RouteFigures(NamedTuple):
    """One route: its DB API calls, and where a request's time went.

    ``each`` has the fewest and the most calls of a function that one request
    made.
    """

    name: str
    calls: RouteCalls
    each: dict[str, tuple[int, int]]
    mean_breakdown_ms: dict[str, float]
    statements: float
    config_lookups: float


def by_route(records: Iterable[RequestRecord]) -> list[RouteFigures]:
    """Return the figures of each route, in the order they were first asked."""
    routes: dict[str, list[RequestRecord]] = {}
    for record in sorted(records, key=lambda record: record.started_at):
        name = f"{record.method} {record.route}"
        routes.setdefault(name, []).append(record)
    return [_route(name, found) for name, found in routes.items()]


def _route(name: str, records: list[RequestRecord]) -> RouteFigures:
    breakdown: Counter[str] = Counter()
    statements = lookups = 0
    for record in records:
        breakdown.update(record.breakdown_ms)
        if sql := record.groups.get(SQL.name):
            statements += sql.calls
        lookups += record.counts.get("config_lookups", 0)
    number = len(records)
    (calls,) = calls_by_route(records, DB_API.name)
    return RouteFigures(
        name,
        calls,
        _each(records),
        {bucket: ms / number for bucket, ms in breakdown.items()},
        statements / number,
        lookups / number,
    )


def _each(records: list[RequestRecord]) -> dict[str, tuple[int, int]]:
    counts: dict[str, list[int]] = {}
    for record in records:
        for row in record.calls:
            if row.group == DB_API.name:
                # What ran inside another call is that one's.
                counts.setdefault(row.name, []).append(row.count - row.nested)
    return {
        name: (min(found) if len(found) == len(records) else 0, max(found))
        for name, found in counts.items()
    }
