# SPDX-License-Identifier: Apache-2.0
"""A comparison in words: the lines and cells that every format shows."""

from __future__ import annotations

import math

from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.shifts import FEW_CALLS
from nova_profiler.reading.runs.compare.verdicts import (
    FASTER,
    FEW,
    SLOWER,
    VERDICTS,
    RouteChange,
)
from nova_profiler.reading.screen.terminal import ms_text, printable

HEADINGS = (
    "",
    "route",
    "calls A",
    "calls B",
    "p50 A",
    "p50 B",
    "p99 A",
    "p99 B",
    "change",
    "interval",
    "sure",
    "would tell",
)
# Columns whose cells are numbers.
FIRST_NUMBER = 2


def cells_of(change: RouteChange) -> tuple[str, ...]:
    """Return one cell for each of HEADINGS."""
    return (
        change.verdict,
        printable(f"{change.method} {change.route}"),
        _calls(change.a.calls, change.a.failed),
        _calls(change.b.calls, change.b.failed),
        _ms(change.a.p50_ms),
        _ms(change.b.p50_ms),
        _ms(change.a.p99_ms),
        _ms(change.b.p99_ms),
        percent(change.change),
        interval(change.low, change.high),
        _sure(change),
        "" if change.detectable is None else f"{percent(change.detectable)}",
    )


def heading_of(found: Comparison) -> str:
    """Return what is compared."""
    of_runs = f" ({found.runs_a} runs)" if found.runs_a > 1 else ""
    return printable(f"A {found.a}{of_runs}, B {found.b}")


def lines_about_all(found: Comparison) -> list[str]:
    """Return what the routes have in common."""
    drift = found.drift
    if found.nothing_compared:
        return [f"Nothing could be compared: {found.nothing_compared}."]
    if not drift.routes:
        return [
            "Too few routes to tell what the whole run moved from what a "
            "route did."
        ]
    return [
        f"All routes together: {percent(math.expm1(drift.log_ratio))} "
        f"({interval(math.expm1(drift.low), math.expm1(drift.high))}); "
        + (
            "taken out of each route's change."
            if drift.is_taken_out
            else "not taken out, as some routes did not move."
        ),
        "From run to run a route wobbles by "
        f"{100 * drift.wobble:.1f} % "
        + (
            "or more beside the others; more runs in A would tell."
            if drift.is_wobble_the_largest
            else "beside the others."
        ),
    ]


def count_line(found: Comparison) -> str:
    """Return how many routes have which verdict."""
    counts = [
        (verdict, sum(1 for one in found.changes if one.verdict == verdict))
        for verdict in VERDICTS
    ]
    words = [f"{count} {verdict}" for verdict, count in counts if count]
    few = f" (under {FEW_CALLS} calls on a side)"
    return ", ".join(
        word + few if word.endswith(FEW) else word for word in words
    )


def percent(part: float | None) -> str:
    """Return a part of one with its sign, in per cent."""
    return "" if part is None else f"{100 * part:+.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """Return both ends with their signs, in per cent."""
    if low is None or high is None:
        return ""
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def _sure(change: RouteChange) -> str:
    if change.p is None or change.verdict not in (SLOWER, FASTER):
        return ""
    sure = 1 - change.p
    return "> 99.99 %" if sure > 0.9999 else f"{100 * sure:.2f} %"


def _calls(calls: int, failed: int) -> str:
    return f"{calls} +{failed} failed" if failed else str(calls)


def _ms(ms: float | None) -> str:
    return "" if ms is None else ms_text(ms)
