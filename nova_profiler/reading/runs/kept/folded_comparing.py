# SPDX-License-Identifier: Apache-2.0
"""The questions of one comparison, asked of an engine as they come up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nova_profiler.reading.runs.kept import queries

if TYPE_CHECKING:
    import ibis.expr.types as ir

Rows = list[dict[str, Any]]


class SidesFigures:
    """Answers about two sides; each method is one query."""

    def __init__(
        self, a: ir.Table, b: ir.Table, runs_a: Sequence[str]
    ) -> None:
        self._both = queries.sides(a, b)
        self._by_run = queries.by_run(a)
        self.baseline_runs = tuple(runs_a)

    @cached_property
    def totals(self) -> Rows:
        """What each side has of each route: calls, failures, p50, p99."""
        return _rows(queries.totals(self._both))

    def order_statistics(self) -> Rows:
        """Return times of each side and route, evenly by rank."""
        return _rows(queries.order_statistics(self._times(self._both)))

    def baseline_order_statistics(self) -> Rows:
        """Return the same for the single runs of a; a run is the side."""
        return _rows(queries.order_statistics(self._times(self._by_run)))

    def rank_sums(self, drift: float) -> Rows:
        """Return rank sums by route, b scaled down by *drift*."""
        return _rows(queries.rank_sums(self._times(self._both), drift))

    def _times(self, requests: ir.Table) -> ir.Table:
        # Spreading takes longer than all the rest, and most logs know more
        # than milliseconds.
        is_needed = any(
            row["is_whole"] and row["calls"] > 1 for row in self.totals
        )
        times = queries.spread_times if is_needed else queries.times
        return times(requests)


def _rows(table: ir.Table) -> Rows:
    rows: Rows = table.to_pyarrow().to_pylist()
    return rows
