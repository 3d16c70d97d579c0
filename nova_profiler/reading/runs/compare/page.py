# SPDX-License-Identifier: Apache-2.0
"""A comparison on a terminal and as Markdown: the same lines and cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    FASTER,
    FEW,
    NO_CHANGE,
    SLOWER,
    VERDICTS,
    RouteChange,
)
from nova_profiler.reading.screen.fitted_table import (
    Column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.markdown_cells import quoted, table_of
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    counted,
    has_width,
    ms_text,
    printable,
    safe,
)

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
    "detectable",
)
_ROUTE = 1
# The columns from here on hold numbers.
FIRST_NUMBER = 2
# The verdict, the route and the change stay at any width.
_GIVES = {
    "": 0,
    "route": 7,
    "calls A": 4,
    "calls B": 4,
    "p50 A": 8,
    "p50 B": 8,
    "p99 A": 6,
    "p99 B": 6,
    "change": 0,
    "interval": 3,
    "sure": 2,
    "detectable": 1,
}
# In each heading it would take the room of two columns.
_UNIT = "p50 and p99 in ms"
# The longest of nova's routes, with its method.
_EASY_ROUTE = 56
_SHORTEST_ROUTE = 20
# Verdicts as they read after a number of routes.
_COUNTED = {
    NO_CHANGE: "without a sure change",
    FEW: f"with under {FEW_CALLS} calls on a side",
}
_STYLES = {FAILED_B: BAD, SLOWER: BAD, FASTER: "green"}


def print_comparison(console: Console, found: Comparison, limit: int) -> None:
    """Print the answer, at most *limit* routes, and the failures last."""
    console.print(safe(heading_of(found), style=HEADING))
    is_whole = not has_width(console)
    console.print(safe(answer_of(found), style=HEADING), soft_wrap=is_whole)
    for line in lines_about_all(found):
        console.print(Text(line), soft_wrap=is_whole)
    left_out = print_fitted(console, _columns(found.changes[:limit]))
    console.print(Text(_UNIT, style=FAINT))
    print_left_out(console, left_out)
    if found.changes[limit:]:
        console.print(f"{len(found.changes) - limit} more; see --limit")
    for failure in found.failures:
        # One line each: a CI job is searched for them.
        console.print(safe(f"failed: {failure}", style=BAD), soft_wrap=True)


def _columns(changes: Sequence[RouteChange]) -> list[Column]:
    """Return the table's columns, with the order in which they give way."""
    cells = [list(map(Text, cells_of(change))) for change in changes]
    for row, change in zip(cells, changes, strict=True):
        row[0].stylize(_STYLES.get(change.verdict, FAINT))
    return [
        Column(
            heading,
            [row[index] for row in cells],
            right=index >= FIRST_NUMBER,
            gives=_GIVES[heading],
            least=_SHORTEST_ROUTE if index == _ROUTE else 0,
            ease=_EASY_ROUTE if index == _ROUTE else 0,
            folds=index == _ROUTE,
        )
        for index, heading in enumerate(HEADINGS)
    ]


def markdown_of(found: Comparison, limit: int) -> str:
    """Return the answer, and at most *limit* routes as a table."""
    lines = [f"### {quoted(heading_of(found))}", ""]
    lines += [f"- {quoted(answer_of(found))}"]
    lines += [f"- **failed**: {quoted(text)}" for text in found.failures]
    lines += [f"- {quoted(line)}" for line in lines_about_all(found)]
    rows = map(cells_of, found.changes[:limit])
    lines += ["", table_of(HEADINGS, rows, FIRST_NUMBER), "", _UNIT]
    if found.changes[limit:]:
        lines += ["", f"{len(found.changes) - limit} more"]
    return "\n".join(lines)


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
        percent_text(change.change),
        interval_text(change.low, change.high),
        sure_text(change),
        ""
        if change.detectable is None
        else f"{percent_text(change.detectable)}",
    )


def heading_of(found: Comparison) -> str:
    """Return the line with the names of both sides."""
    of_runs = f" ({found.runs_a} runs)" if found.runs_a > 1 else ""
    return printable(f"A {found.a}{of_runs}, B {found.b}")


def lines_about_all(found: Comparison) -> list[str]:
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
        f"All routes together: {percent_text(math.expm1(drift.log_ratio))} "
        f"({interval_text(math.expm1(drift.low), math.expm1(drift.high))}); "
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


def answer_of(found: Comparison) -> str:
    """Return how many routes changed, and the largest change of all.

    By how much that is, and how sure.
    """
    text = count_line(found)
    changed = [one for one in found.changes if one.verdict in _STYLES]
    if not changed:
        return text
    most = "the most: " if changed[1:] else ""
    return f"{text}; {most}{_sentence_about(max(changed, key=_size))}"


def _size(change: RouteChange) -> tuple[int, float]:
    """Return what sorts a change: failing, slower, faster, then by size."""
    rank = (FASTER, SLOWER, FAILED_B).index(change.verdict)
    return rank, abs(change.change or 0.0)


def _sentence_about(change: RouteChange) -> str:
    route = printable(f"{change.method} {change.route}")
    if change.verdict == FAILED_B:
        return f"{route}: all {change.b.failed} calls in B failed"
    by = abs(100 * (change.change or 0.0))
    return (
        f"{route} is {by:.1f} % {change.verdict} "
        f"({interval_text(change.low, change.high)}), {sure_text(change)} sure"
    )


def count_line(found: Comparison) -> str:
    """Return how many routes have which verdict."""
    counts = [
        (verdict, sum(1 for one in found.changes if one.verdict == verdict))
        for verdict in VERDICTS
    ]
    words = [
        f"{count} {_COUNTED.get(verdict, verdict)}"
        for verdict, count in counts
        if count
    ]
    routes = counted(len(found.changes), "route")
    return ": ".join([routes, ", ".join(words)] if words else [routes])


def percent_text(part: float | None) -> str:
    """Return a part of one with its sign, in per cent."""
    return "" if part is None else f"{_signed(100 * part)} %"


def interval_text(low: float | None, high: float | None) -> str:
    """Return both ends with their signs, in per cent."""
    if low is None or high is None:
        return ""
    return f"{_signed(100 * low)} to {_signed(100 * high)}"


def _signed(number: float) -> str:
    """Return *number* with its sign; what rounds to nothing has a plus."""
    return f"{round(number, 1) + 0.0:+.1f}"


def sure_text(change: RouteChange) -> str:
    """Return how sure a change is, empty where none is."""
    if change.p is None or change.verdict not in (SLOWER, FASTER):
        return ""
    sure = 1 - change.p
    return "> 99.99 %" if sure > 0.9999 else f"{100 * sure:.2f} %"


def _calls(calls: int, failed: int) -> str:
    return f"{calls} +{failed} failed" if failed else str(calls)


def _ms(ms: float | None) -> str:
    return "" if ms is None else ms_text(ms)
