# SPDX-License-Identifier: Apache-2.0
"""What the records of a run add up to; no printing, no reading of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from nova_profiler.groups import (
    DB_API,
    EITHER,
    NOT_PROCESSOR,
    PYTHON,
    SQL,
    UNSPLIT,
    WAITING,
)
from nova_profiler.reading.advice.findings import parts_of
from nova_profiler.reading.advice.largest import PART_LABELS
from nova_profiler.reading.requests.calls_by_route import (
    RouteCalls,
    calls_by_route,
)
from nova_profiler.record import RequestRecord

# Together they are what no hook, and no clock, has a name for.
_LEAST_MS = 0.005
_NAMELESS = (
    *(WAITING.name, PYTHON.name, EITHER.name),
    *(NOT_PROCESSOR.name, UNSPLIT.name),
)


class Part(NamedTuple):
    """A part of a request's time."""

    name: str
    label: str
    ms: float
    share: float


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

    @property
    def mean_ms(self) -> float:
        """Return the mean time of a request."""
        return self.calls.duration_ms / self.calls.requests

    def parts(self) -> list[Part]:
        """Return where a request's time went, the largest part first."""
        whole = sum(self.mean_breakdown_ms.values())
        return [
            Part(name, PART_LABELS.get(name, name), ms, ms / whole)
            for name, ms in sorted(
                self.mean_breakdown_ms.items(), key=lambda item: -item[1]
            )
            if ms >= _LEAST_MS
        ]

    def largest_named(self, most: int) -> list[Part]:
        """Return its *most* largest parts that have a name."""
        named = [part for part in self.parts() if part.name not in _NAMELESS]
        return named[:most]


def slowest_of(routes: Iterable[RouteFigures]) -> RouteFigures:
    """Return the route whose requests take longest in the mean."""
    return max(routes, key=lambda route: route.mean_ms)


def requests_of(
    route: RouteFigures, records: Iterable[RequestRecord]
) -> list[RequestRecord]:
    """Return those of *records* that *route* adds up."""
    return [record for record in records if _name_of(record) == route.name]


def by_route(records: Iterable[RequestRecord]) -> list[RouteFigures]:
    """Return the figures of each route, in the order they were first asked."""
    routes: dict[str, list[RequestRecord]] = {}
    for record in sorted(records, key=lambda record: record.started_at):
        routes.setdefault(_name_of(record), []).append(record)
    return [_route(name, found) for name, found in routes.items()]


def _name_of(record: RequestRecord) -> str:
    return f"{record.method} {record.route}"


def _route(name: str, records: list[RequestRecord]) -> RouteFigures:
    breakdown: Counter[str] = Counter()
    statements = lookups = 0
    for record in records:
        breakdown.update(parts_of(record))
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
