# SPDX-License-Identifier: Apache-2.0
"""The figures of the overview: routes, heat map, requests, differences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from nova_profiler.groups import LABELS
from nova_profiler.web.choice import PAGE_ROWS, Choice
from nova_profiler.web.overview.differences import differences
from nova_profiler.web.overview.heat_map import HeatMap, heat_map_of
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.columns import Array
from nova_profiler.web.tables.table import Table

_MOST_ROUTES = 50
# Steps of a route's spark line.
SPARKS = 24


class Overview(NamedTuple):
    """What the page shows; ``differ`` compares the chosen, or the slow."""

    choice: Choice
    slow_ms: float
    dumps: int
    total: dict[str, Any]
    routes: list[dict[str, Any]]
    more_routes: int
    heat_map: HeatMap | None
    requests: list[Row]
    pages: int
    differ: dict[str, list[dict[str, Any]]]
    differ_of: str

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        heat_map = None
        if self.heat_map is not None:
            heat_map = self.heat_map._asdict()
            heat_map["cells"] = [cell._asdict() for cell in heat_map["cells"]]
        return {
            "choice": self.choice.filters,
            "slow_ms": self.slow_ms,
            "dumps": self.dumps,
            "total": self.total,
            "routes": self.routes,
            "more_routes": self.more_routes,
            "heat_map": heat_map,
            "differences": {"of": self.differ_of, **self.differ},
            "page": self.choice.page,
            "pages": self.pages,
            "requests": [row_fields(row) for row in self.requests],
        }


def overview_of(
    rows: Iterable[Row], choice: Choice, slow_ms: float
) -> Overview:
    """Return the overview of those of *rows* that *choice* chooses."""
    table = Table.of(rows)
    chosen = choice.of(table)
    routes, more_routes = _routes(chosen, slow_ms)
    differ, differ_of = _differ(table, chosen, choice, slow_ms)
    return Overview(
        choice,
        slow_ms,
        len(table),
        totals_of(chosen, slow_ms),
        routes,
        more_routes,
        heat_map_of(chosen),
        _page(chosen, choice),
        max(1, -(-len(chosen) // PAGE_ROWS)),
        differ,
        differ_of,
    )


def row_fields(row: Row) -> dict[str, Any]:
    """Return a request of the table as JSON-ready values."""
    return {
        "key": row.key,
        "started_at": row.started_at,
        "duration_ms": round(row.duration_ms, 3),
        "title": row.title,
        "kind": row.kind,
        "state": row.state,
        "status": row.status,
        "outcome": row.outcome,
        "request_id": row.request_id,
        "user": row.user,
        "project": row.project,
        "service": row.service,
        "host": row.host,
        "parts_ms": {name: round(ms, 3) for name, ms in row.parts},
        "problem": row.problem,
    }


def label_of(bucket: str) -> str:
    """Return what a part of the breakdown is called."""
    return LABELS.get(bucket, bucket)


def _differ(
    table: Table, chosen: Table, choice: Choice, slow_ms: float
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    if choice.is_any and len(chosen) < len(table):
        return differences(chosen, table.chosen(~choice.mask(table))), "chosen"
    is_slow = table.column("duration_ms") >= slow_ms
    return differences(table.chosen(is_slow), table.chosen(~is_slow)), "slow"


def _routes(table: Table, slow_ms: float) -> tuple[list[dict[str, Any]], int]:
    """Return the routes with the most time, and how many others there are."""
    titles, took = table.column("title"), table.column("duration_ms")
    counts = np.bincount(titles)
    total_ms = np.bincount(titles, weights=took)
    there = np.flatnonzero(counts)
    shown = there[np.argsort(-total_ms[there], kind="stable")][:_MOST_ROUTES]
    # The place of each title among those that are shown; the others are last.
    place_of = np.full(len(counts), len(shown), np.uint8)
    place_of[shown] = np.arange(len(shown))
    places = place_of[titles]
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(counts[shown]).tolist()
    sparks = _sparks(table.column("epoch_ms"), places, len(shown))
    routes = []
    for number, start, end, over_time in zip(
        shown.tolist(), [0, *ends], ends, sparks, strict=False
    ):
        of_route = table.chosen(order[start:end])
        figures = totals_of(of_route, slow_ms)
        routes.append(
            {"route": table.text(number), **figures, "over_time": over_time}
        )
    return routes, len(there) - len(shown)


def _sparks(epoch_ms: Array, places: Array, routes: int) -> list[list[int]]:
    """Return for each route how many requests each step of time has."""
    is_dated = epoch_ms != 0
    at, places = epoch_ms[is_dated], places[is_dated]
    if not len(at):
        return [[0] * SPARKS for _ in range(routes)]
    width = max(1.0, float(at.max() - at.min()) / SPARKS)
    steps = ((at - at.min()) / width).astype(np.int64)
    steps = np.minimum(steps, SPARKS - 1) + SPARKS * places.astype(np.int64)
    counts = np.bincount(steps, minlength=SPARKS * (routes + 1))
    found: list[list[int]] = counts.reshape(-1, SPARKS)[:routes].tolist()
    return found


def totals_of(rows: Iterable[Row], slow_ms: float) -> dict[str, Any]:
    """Return counts, percentiles and the share that is slow, for JSON."""
    table = Table.of(rows)
    took = np.sort(table.column("duration_ms"))
    slow = len(took) - int(np.searchsorted(took, slow_ms))
    return {
        "requests": len(took),
        "total_ms": round(float(took.sum()), 3),
        "p50_ms": _percentile(took, 50),
        "p99_ms": _percentile(took, 99),
        "max_ms": _percentile(took, 100),
        "slow": slow,
        "slow_share": round(slow / len(took), 4) if len(took) else 0.0,
        "failed": int(table.column("is_failed").sum()),
    }


def _percentile(in_order: Array, percent: int) -> float:
    """Return the smallest value that *percent* of all do not exceed."""
    if not len(in_order):
        return 0.0
    rank = -(-len(in_order) * percent // 100)
    return round(float(in_order[max(0, rank - 1)]), 3)


def _page(table: Table, choice: Choice) -> list[Row]:
    """Return the rows of the page, in the order that was asked for."""
    first = (choice.page - 1) * PAGE_ROWS
    last = first + PAGE_ROWS
    if choice.sort == "time":
        return table[first:last]
    key = _sort_key(table, choice.sort.removeprefix("-"))
    if not choice.sort.startswith("-"):
        key = -key
    return table.chosen(_smallest(key, last)[first:])[:]


def _smallest(key: Array, count: int) -> Array:
    """Return the places of the *count* smallest values, in their order.

    Equal ones stay as they are, so that each is on one page.
    """
    if count >= len(key) // 4:
        order: Array = np.argsort(key, kind="stable")[:count]
        return order
    among = np.flatnonzero(key <= np.partition(key, count)[count])
    order = among[np.argsort(key[among], kind="stable")]
    return order[:count]


def _sort_key(table: Table, sort: str) -> Array:
    """Return a number for each row, in whose order the rows are."""
    if sort == "time":
        return table.column("epoch_ms")
    if sort == "ms":
        return table.column("duration_ms")
    if sort == "status":
        return table.column("status")
    if sort == "user":
        projects = _ranks(table, "project")
        users = _ranks(table, "user").astype(np.int64)
        key: Array = users * (len(projects) + 1) + projects
        return key
    return _ranks(table, sort)


def _ranks(table: Table, name: str) -> Array:
    """Return the place of each row's text in the order of texts."""
    column = table.column(name)
    there = np.flatnonzero(np.bincount(column))
    texts = [table.text(number) for number in there.tolist()]
    ranks = np.zeros(int(column.max(initial=0)) + 1, np.int32)
    ranks[there[sorted(range(len(texts)), key=texts.__getitem__)]] = np.arange(
        len(texts)
    )
    found: Array = ranks[column]
    return found
