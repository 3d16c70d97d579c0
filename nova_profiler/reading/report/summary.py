# SPDX-License-Identifier: Apache-2.0
"""The content of a report, a JSON-ready value that all formats show."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from nova_profiler.reading.advice.adding_up import advice_rows
from nova_profiler.reading.logs.forms.worker_losses import (
    ANNOUNCED,
    DEATH,
    LOSSES,
)
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.durations import QUANTILE_ERROR
from nova_profiler.reading.report.figures import OTHERS, Figures, Row

SCHEMA = 1

_FASTEST = 5


def summary_of(report: Report, limit: int) -> dict[str, Any]:
    """Return the figures of *report*, *limit* rows of each table."""
    figures = report.figures
    asked = figures.asked
    rows = _rows_of(figures)
    callers = _callers_of(figures)
    return {
        "schema": SCHEMA,
        "logs": report.sources,
        "forms": dict(sorted(figures.forms.items())),
        "from": None if figures.first is None else iso_of(figures.first),
        "to": None if figures.last is None else iso_of(figures.last),
        "slow_ms": asked.slow_ms,
        "percentile_error": (
            0.0 if figures.total.durations.is_exact else QUANTILE_ERROR
        ),
        "total": figures_of(figures.total),
        "advice": advice_rows(
            one
            for key, evidence in figures.evidence.items()
            for one in evidence.advice(" ".join(key))
        ),
        "spread": _spread_of(figures.total),
        "fastest": _fastest_of(figures),
        "slow_calls": callers[:limit],
        "slow_calls_more": len(callers[limit:]),
        "by": asked.by,
        "rows": rows[:limit],
        "rows_more": len(rows[limit:]),
        "excluded": figures.excluded,
        "out_of_time": figures.out_of_time,
        "without_time": figures.without_time,
        "fronts": figures.fronts.figures(),
        "lost": sum(map(report.unread.count_of, LOSSES)),
        "deaths": _deaths_of(report.unread),
        "unread": report.unread.figures(),
    }


def _deaths_of(unread: Unread) -> int:
    """Return how many workers died of which no line says why."""
    announced = sum(map(unread.count_of, ANNOUNCED))
    return max(0, unread.count_of(DEATH) - announced)


def nothing_counted(summary: dict[str, Any]) -> str | None:
    """Return why there is nothing to show, None if there is something."""
    if summary["total"]["calls"]:
        return None
    if summary["out_of_time"]:
        return "no calls in this time"
    if summary["without_time"]:
        return "no calls with a time of day; leave --since and --until out"
    return "no calls of these routes"


def figures_of(row: Row) -> dict[str, Any]:
    """Return one row's figures."""
    durations = row.durations
    p50, p90, p99 = durations.percentiles_ms(50, 90, 99)
    found: dict[str, Any] = {
        "calls": durations.count,
        "slow_calls": durations.slow,
        "slow_share": round(durations.slow_share, 6),
        "total_ms": round(durations.total_ms, 3),
        "min_ms": round(durations.shortest_ms, 3) if durations.count else 0.0,
        "mean_ms": round(durations.mean_ms, 3),
        "p50_ms": round(p50, 3),
        "p90_ms": round(p90, 3),
        "p99_ms": round(p99, 3),
        "max_ms": round(durations.longest_ms, 3),
    }
    if row.db_api_requests:
        of_ms = row.db_api_of_ms
        found["db_api"] = {
            "requests": row.db_api_requests,
            "calls_per_request": round(
                row.db_api_calls / row.db_api_requests, 3
            ),
            "ms": round(row.db_api_ms, 3),
            "share": (
                round(row.db_api_wall_ms / of_ms, 4) if of_ms > 0 else None
            ),
        }
    if row.breakdown_ms:
        found["breakdown_ms"] = {
            bucket: round(ms, 3)
            for bucket, ms in sorted(
                row.breakdown_ms.items(), key=lambda item: -item[1]
            )
        }
    return found


def _rows_of(figures: Figures) -> list[dict[str, Any]]:
    by = figures.asked.by
    if by == "route":
        rows = [
            {"method": method, "route": route, **figures_of(row)}
            for (method, route), row in figures.routes.items()
        ]
    else:
        rows = [
            {by: value, **figures_of(row)}
            for (value,), row in figures.groups.items()
        ]
    if by == "hour":
        return sorted(rows, key=lambda row: str(row["hour"]))
    # The most time first.
    return sorted(rows, key=lambda row: (-row["total_ms"], str(row)))


def _fastest_of(figures: Figures) -> list[dict[str, Any]]:
    routes = sorted(
        (row.durations.shortest_ms, method, route, row.durations)
        for (method, route), row in figures.routes.items()
        if method != OTHERS
    )
    return [
        {
            "method": method,
            "route": route,
            "calls": durations.count,
            "min_ms": round(shortest_ms, 3),
            "mean_ms": round(durations.mean_ms, 3),
        }
        for shortest_ms, method, route, durations in routes[:_FASTEST]
    ]


def _callers_of(figures: Figures) -> list[dict[str, Any]]:
    """Return each user's routes with a slow call, by their mean."""
    found = [
        {"user": user, "method": method, "route": route, **figures_of(row)}
        for (user, method, route), row in figures.callers.items()
        if row.durations.slow
    ]
    return sorted(found, key=lambda row: (-row["mean_ms"], str(row)))


def _spread_of(row: Row) -> list[dict[str, Any]]:
    """Return how many calls took how long, in steps of about a factor 2."""
    steps: dict[int, int] = {}
    bounds = _bounds()
    for ms, count in row.durations.spread():
        step = bisect_right(bounds, ms)
        steps[step] = steps.get(step, 0) + count
    return (
        [
            {
                "from_ms": bounds[step - 1] if step else 0.0,
                "below_ms": bounds[step] if step < len(bounds) else None,
                "calls": steps.get(step, 0),
            }
            for step in range(min(steps), max(steps) + 1)
        ]
        if steps
        else []
    )


def _bounds() -> list[float]:
    """Return 0.1, 0.2, 0.5, 1 and so on, in milliseconds, to a day."""
    return [
        round(first * 10.0**decade, 1)
        for decade in range(-1, 8)
        for first in (1, 2, 5)
    ]
