# SPDX-License-Identifier: Apache-2.0
"""The queries of kept runs, as ibis expressions for any engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
from ibis import _

from nova_profiler.reading.runs.kept.engines import Rows, rows_of
from nova_profiler.record.rows import MOST

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Requests that the server failed are not timed: the work was not done.
FAILED_FROM = 500
# The most times of one route and side that are fetched, evenly by rank.
GRID = 200
# Times are compared as ratios, and zero has none. A log writes zero for a
# time below its last digit.
_LEAST_MS = 0.0005

_KEYS = ["side", "method", "route"]


class SidesFigures:
    """The figures of two sides; each method is one query."""

    def __init__(
        self, a: ir.Table, b: ir.Table, runs_a: Sequence[str]
    ) -> None:
        self._both = sides(a, b)
        self._by_run = by_run(a)
        self.baseline_runs = tuple(runs_a)

    @cached_property
    def totals(self) -> Rows:
        """Calls, failures, p50 and p99 of each route on each side."""
        return rows_of(totals(self._both))

    def order_statistics(self) -> Rows:
        """Return times of each side and route, evenly by rank."""
        return rows_of(order_statistics(self._times(self._both)))

    def baseline_order_statistics(self) -> Rows:
        """Return the same of each run of a, with the run as the side."""
        return rows_of(order_statistics(self._times(self._by_run)))

    def rank_sums(self, drift: float) -> Rows:
        """Return rank sums by route, b scaled down by *drift*."""
        return rows_of(rank_sums(self._times(self._both), drift))

    def _times(self, requests: ir.Table) -> ir.Table:
        # Spreading takes longer than all other queries, and most logs have
        # more digits than milliseconds.
        is_needed = any(
            row["is_whole"] and row["calls"] > 1 for row in self.totals
        )
        return (spread_times if is_needed else times)(requests)


def is_impossible_time(requests: ir.Table) -> ir.BooleanValue:
    """Return whether a request's time is none, or cannot be added up."""
    return requests.ms.isnull() | ~_can_be(requests.ms)


def is_without_name(requests: ir.Table) -> ir.BooleanValue:
    """Return whether a request has no method, or no route."""
    return requests.method.isnull() | requests.route.isnull()


def impossible(requests: ir.Table) -> ir.Table:
    """Return the runs with requests that no run keeps, and how many.

    ``times`` have a time that cannot be; the other ones have no name.
    """
    flags = requests.select(
        "run",
        is_time=is_impossible_time(requests).ifelse(1, 0),
        is_nameless=is_without_name(requests).ifelse(1, 0),
    )
    # Not by a filter of rows: DuckDB passes over what a file's own
    # statistics rule out, and no nan is among these.
    counts = flags.group_by("run").agg(
        times=_.is_time.sum(), nameless=_.is_nameless.sum()
    )
    return counts.filter((_.times > 0) | (_.nameless > 0))


def levels(requests: ir.Table) -> ir.Table:
    """Return calls, p50 and p99 of each route in each run."""
    groups = _timed(requests).group_by("run", "method", "route")
    return _with_percentiles(
        groups.agg(calls=_.count(), in_order=_.ms.collect().sort())
    )


def sides(a: ir.Table, b: ir.Table) -> ir.Table:
    """Return the requests of two sides in one table, with a ``side``."""
    columns = ("method", "route", "status", "ms")
    return ibis.union(
        a.select(*columns).mutate(side=ibis.literal("a")),
        b.select(*columns).mutate(side=ibis.literal("b")),
    )


def by_run(requests: ir.Table) -> ir.Table:
    """Return the requests of several runs, each a side of its own."""
    columns = ("method", "route", "status", "ms")
    return requests.select(*columns, side=requests.run)


def totals(both: ir.Table) -> ir.Table:
    """Return calls, failures, p50 and p99 of each route on each side.

    And whether all times are whole milliseconds.
    """
    timed = _is_timed(both).ifelse(both.ms, ibis.null("float64"))
    return _with_percentiles(
        both.mutate(timed=timed)
        .group_by(*_KEYS)
        .agg(
            calls=_.timed.count(),
            failed=_.count() - _.timed.count(),
            in_order=_.timed.collect().sort(),
            # A number: of ClickHouse no boolean comes back.
            is_whole=(_.timed == _.timed.floor()).cast("int8").min(),
        )
    )


def times(both: ir.Table) -> ir.Table:
    """Return the times of each side and route."""
    timed = _timed(both)
    return timed.select(*_KEYS, value=ibis.greatest(timed.ms, _LEAST_MS))


def spread_times(both: ir.Table) -> ir.Table:
    """Return the times of each side and route without ties of rounding.

    Some logs have whole milliseconds only. Equal ones would hide a
    difference, or all break the same way once one side is scaled. So equal
    times are spread evenly over the millisecond that they stand for.
    """
    timed = _timed(both)
    is_whole = (timed.ms == timed.ms.floor()).cast("int8")
    timed = timed.mutate(
        whole=is_whole.min().over(group_by=_KEYS),
        slot=ibis.row_number().over(group_by=[*_KEYS, "ms"], order_by="ms"),
        ties=timed.count().over(group_by=[*_KEYS, "ms"]),
    )
    within = (timed.slot + 0.5) / timed.ties - 0.5
    value = timed.ms + (timed.whole == 1).ifelse(within, 0.0)
    return timed.select(*_KEYS, value=ibis.greatest(value, _LEAST_MS))


def order_statistics(times: ir.Table) -> ir.Table:
    """Return at most GRID times of each side and route, evenly by rank."""
    ranked = times.mutate(
        rank=ibis.row_number().over(group_by=_KEYS, order_by="value"),
        size=times.count().over(group_by=_KEYS),
    )
    # The ranks nearest to the middles of GRID equal parts.
    per_rank = GRID / ranked.size
    is_chosen = (ranked.size <= GRID) | (
        ((ranked.rank + 1) * per_rank - 0.5).floor()
        > (ranked.rank * per_rank - 0.5).floor()
    )
    return ranked.filter(is_chosen).select(*_KEYS, "size", "value")


def rank_sums(times: ir.Table, drift: float) -> ir.Table:
    """Return the sum of the ranks of side b in each route, and its ties.

    The times of b are divided by *drift*, the factor of the whole run.
    """
    keys = ["method", "route"]
    is_b = times.side == "b"
    scaled = times.mutate(
        is_b=is_b.cast("int64"),
        value=is_b.ifelse(times.value / drift, times.value),
    )
    equal = scaled.group_by(*keys, "value").agg(
        calls=_.count(), of_b=_.is_b.sum()
    )
    # Equal times share the middle of their places. Not by rank(): over a
    # whole frame ClickHouse numbers rows.
    up_to = equal.calls.sum().over(
        ibis.cumulative_window(group_by=keys, order_by="value")
    )
    return (
        equal.mutate(middle=up_to - (equal.calls - 1) / 2)
        .group_by(*keys)
        .agg(
            calls_a=(_.calls - _.of_b).sum(),
            calls_b=_.of_b.sum(),
            rank_sum_b=(_.middle * _.of_b).sum(),
            # Two million equal times, cubed, are no 64-bit number.
            ties=(_.calls.cast("float64") * (_.calls * _.calls - 1)).sum(),
        )
    )


def as_reported(requests: ir.Table, slow_ms: float) -> ir.Table:
    """Return each route's figures as a report has them, failures included.

    ``sql_sum_ms`` is the sum of the column ``sql_ms``, None where no request
    has a value; so with each column of times. A value that cannot be is none.
    """
    parts = [
        name
        for name in requests.columns
        if name.endswith("_ms") and requests[name].type().is_floating()
    ]
    return _with_percentiles(
        requests.group_by("method", "route").agg(
            calls=_.count(),
            slow_calls=(_.ms >= slow_ms).cast("int64").sum(),
            total_ms=_.ms.sum(),
            max_ms=_.ms.max(),
            in_order=_.ms.collect().sort(),
            **{
                f"{name.removesuffix('_ms')}_sum_ms": requests[name].sum(
                    where=_can_be(requests[name])
                )
                for name in parts
            },
        ),
        (50, 90, 99),
    )


def together(requests: ir.Table, names: Sequence[str]) -> ir.Table:
    """Return the requests of the routes *names*, as those of one route.

    A name is a method, a space and a route.
    """
    name = requests.method + " " + requests.route
    return requests.filter(name.isin(names)).mutate(
        method=ibis.literal(""), route=ibis.literal("")
    )


def _with_percentiles(
    groups: ir.Table, percents: Sequence[int] = (50, 99)
) -> ir.Table:
    """Replace ``in_order`` by the times that so many % do not exceed.

    These are times of requests. An engine's own quantile lies between two.
    """
    return groups.mutate(
        **{f"p{percent}_ms": _nearest(percent) for percent in percents}
    ).drop("in_order")


def _nearest(percent: int) -> Any:
    # In whole numbers, as 0.99 * 100 is below 99. Spark wants a 32-bit index
    # and raises for one beyond the end.
    index = ((_.calls * percent + 99) // 100 - 1).cast("int32")
    return (_.calls > 0).ifelse(_.in_order[index], ibis.null("float64"))


def _can_be(ms: ir.Column) -> ir.BooleanValue:
    # DuckDB infers the comparison from least and largest values that a file
    # states of itself, and no nan is among these.
    return (ms - ms == 0) & ms.between(0, MOST)


def _timed(requests: ir.Table) -> ir.Table:
    return requests.filter(_is_timed(requests))


def _is_timed(requests: ir.Table) -> Any:
    """Return whether a request's time counts: it was answered, and well.

    One that its worker was killed for has no status.
    """
    return (requests.status > 0) & (requests.status < FAILED_FROM)
