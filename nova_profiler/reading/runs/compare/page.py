# SPDX-License-Identifier: Apache-2.0
"""A comparison on a terminal and as Markdown: the same lines and cells."""

from __future__ import annotations

import math

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    FASTER,
    FEW,
    SLOWER,
    VERDICTS,
    RouteChange,
)
from nova_profiler.reading.screen.markdown_cells import quoted, table_of
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    has_width,
    ms_text,
    plain_table,
    print_part,
    printable,
    safe,
)

_HEADINGS = (
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
    "detectable",
)
_ROUTE = 1
# The columns from here on hold numbers.
_FIRST_NUMBER = 2
_STYLES = {FAILED_B: BAD, SLOWER: BAD, FASTER: "green"}


def print_comparison(console: Console, found: Comparison, limit: int) -> None:
    """Print at most *limit* routes, and the failures last."""
    console.print(safe(_heading_of(found), style=HEADING))
    for line in _lines_about_all(found):
        console.print(Text(line), soft_wrap=not has_width(console))
    table = plain_table()
    for index, heading in enumerate(_HEADINGS):
        table.add_column(
            heading,
            justify="right" if index >= _FIRST_NUMBER else "left",
            no_wrap=index != _ROUTE,
            overflow="fold" if index == _ROUTE else "ellipsis",
        )
    for change in found.changes[:limit]:
        style = _STYLES.get(change.verdict, FAINT)
        verdict, *rest = _cells_of(change)
        table.add_row(Text(verdict, style=style), *map(Text, rest))
    print_part(console, table)
    if found.changes[limit:]:
        console.print(f"{len(found.changes) - limit} more; see --limit")
    console.print(Text(_count_line(found), style=HEADING))
    for failure in found.failures:
        # One line each: a CI job is searched for them.
        console.print(safe(f"failed: {failure}", style=BAD), soft_wrap=True)


def markdown_of(found: Comparison, limit: int) -> str:
    """Return the failures, and at most *limit* routes as a table."""
    lines = [f"### {quoted(_heading_of(found))}", ""]
    lines += [f"- {quoted(line)}" for line in _lines_about_all(found)]
    lines += [f"- {quoted(_count_line(found))}"]
    lines += [f"- **failed**: {quoted(text)}" for text in found.failures]
    rows = map(_cells_of, found.changes[:limit])
    lines += ["", table_of(_HEADINGS, rows, _FIRST_NUMBER)]
    if found.changes[limit:]:
        lines += ["", f"{len(found.changes) - limit} more"]
    return "\n".join(lines)


def _cells_of(change: RouteChange) -> tuple[str, ...]:
    """Return one cell for each of _HEADINGS."""
    return (
        change.verdict,
        printable(f"{change.method} {change.route}"),
        _calls(change.a.calls, change.a.failed),
        _calls(change.b.calls, change.b.failed),
        _ms(change.a.p50_ms),
        _ms(change.b.p50_ms),
        _ms(change.a.p99_ms),
        _ms(change.b.p99_ms),
        _percent(change.change),
        _interval(change.low, change.high),
        _sure(change),
        "" if change.detectable is None else f"{_percent(change.detectable)}",
    )


def _heading_of(found: Comparison) -> str:
    """Return the line with the names of both sides."""
    of_runs = f" ({found.runs_a} runs)" if found.runs_a > 1 else ""
    return printable(f"A {found.a}{of_runs}, B {found.b}")


def _lines_about_all(found: Comparison) -> list[str]:
    """Return the lines about the drift and the wobble."""
    drift = found.drift
    if found.nothing_compared:
        return [f"Nothing could be compared: {found.nothing_compared}."]
    if not drift.routes:
        return [
            "Too few routes to separate the move of the whole run from that "
            "of a route."
        ]
    return [
        f"All routes together: {_percent(math.expm1(drift.log_ratio))} "
        f"({_interval(math.expm1(drift.low), math.expm1(drift.high))}); "
        + (
            "taken out of each route's change."
            if drift.is_taken_out
            else "not taken out, as some routes did not move."
        ),
        "From run to run a route wobbles by "
        f"{100 * drift.wobble:.1f} % "
        + (
            "or more beside the others; more runs in A would show it."
            if drift.is_wobble_the_largest
            else "beside the others."
        ),
    ]


def _count_line(found: Comparison) -> str:
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


def _percent(part: float | None) -> str:
    """Return a part of one with its sign, in per cent."""
    return "" if part is None else f"{100 * part:+.1f} %"


def _interval(low: float | None, high: float | None) -> str:
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
