# SPDX-License-Identifier: Apache-2.0
"""Routes over runs on a terminal: lines of bars, and their steps."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nova_profiler.reading.runs.trend.levels import (
    MEASURES,
    LevelChange,
    RouteRun,
    RouteTrend,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    bar,
    heights,
    ms_text,
    page_width,
    plain_table,
    print_part,
    printable,
    safe,
)

# The bars of a route span at least this part of its lowest level, so that
# noise stays low.
_LEAST_RANGE = 0.3
_BAR_WIDTH = 16
_WIDEST_LINE = 40
_GOOD = "green"


def print_trends(
    console: Console, trends: Sequence[RouteTrend], runs: int, limit: int
) -> None:
    """Print at most *limit* of *trends*, or a single one run by run."""
    if len(trends) == 1:
        _print_one(console, trends[0])
        return
    table = plain_table()
    table.add_column("route", overflow="fold")
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("calls", justify="right", no_wrap=True)
    for measure in MEASURES:
        table.add_column(f"{measure} ms", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    width = min(_WIDEST_LINE, max(8, (page_width(console) - 70) // 2))
    for trend in trends[:limit]:
        _add_route(console, table, trend, width)
    print_part(console, table)
    for trend in trends[:limit]:
        for change in trend.changes:
            text = safe(f"{trend.method} {trend.route}: ")
            console.print(text + _change_text(change), soft_wrap=True)
    if trends[limit:]:
        console.print(f"{len(trends) - limit} more; see --limit")
    _print_summary(console, trends, runs)


def _add_route(
    console: Console, table: Table, trend: RouteTrend, width: int
) -> None:
    cells: list[Text | str] = [
        safe(f"{trend.method} {trend.route}"),
        str(len(trend.runs)),
        str(trend.calls),
    ]
    for measure in MEASURES:
        values = [run.ms(measure) for run in trend.runs]
        cells.append(ms_text(values[-1]) if values else "few")
        cells.append(_line(console, values, width))
    table.add_row(*cells)


def _line(console: Console, values: Sequence[float], width: int) -> Text:
    shown = _condensed(values, width)
    if not shown:
        return Text("")
    low = min(shown)
    span = max(max(shown) - low, _LEAST_RANGE * low) or 1.0
    # The lowest is an eighth, so that it can be seen.
    shares = [(1 + 7 * (value - low) / span) / 8 for value in shown]
    return heights(console, shares, "cyan")


def _condensed(values: Sequence[float], width: int) -> list[float]:
    """Return at most *width* values: medians of neighbours."""
    if len(values) <= width:
        return list(values)
    edges = [len(values) * cell // width for cell in range(width + 1)]
    return [
        statistics.median(values[start:end])
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def _step_text(change: LevelChange) -> Text:
    slower = change.change > 0
    return Text(
        f"{change.measure} {abs(100 * change.change):.1f} % "
        f"{'slower' if slower else 'faster'}",
        style=BAD if slower else _GOOD,
    )


def _change_text(change: LevelChange) -> Text:
    text = _step_text(change)
    text.append(
        f" from {printable(change.at)} on: {ms_text(change.before_ms)} to "
        f"{ms_text(change.after_ms)} ms, {change.runs_before} and "
        f"{change.runs_after} runs, p {change.p:.2g}"
    )
    return text


def _print_summary(
    console: Console, trends: Sequence[RouteTrend], runs: int
) -> None:
    starts = Counter(
        at
        for trend in trends
        for at in {change.at for change in trend.changes}
    )
    changed = sum(1 for trend in trends if trend.changes)
    console.print(
        Text(
            f"{runs} runs, {len(trends)} routes, {changed} changed level",
            style=HEADING,
        )
    )
    for at, count in starts.most_common(1):
        if count > max(1, len(trends) // 2):
            console.print(
                f"{count} of {len(trends)} routes changed at "
                f"{printable(at)}: another machine, or a change to all"
            )


def _print_one(console: Console, trend: RouteTrend) -> None:
    heading = safe(f"{trend.method} {trend.route}", style=HEADING)
    console.print(heading, soft_wrap=True)
    table = plain_table()
    table.add_column("run", overflow="fold")
    table.add_column("calls", justify="right", no_wrap=True)
    for measure in MEASURES:
        table.add_column(f"{measure} ms", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    table.add_column("")
    tops = {
        measure: max((run.ms(measure) for run in trend.runs), default=0.0)
        for measure in MEASURES
    }
    for run in trend.runs:
        steps = [_step_text(one) for one in trend.changes if one.at == run.run]
        cells = _run_cells(console, run, tops)
        table.add_row(*cells, Text(" ").join(steps))
    print_part(console, table)
    for change in trend.changes:
        console.print(_change_text(change), soft_wrap=True)
    if trend.few_runs:
        console.print(
            Text(f"{trend.few_runs} runs left out: few calls", style=FAINT)
        )


def _run_cells(
    console: Console, run: RouteRun, tops: dict[str, float]
) -> list[Text | str]:
    cells: list[Text | str] = [safe(run.run), str(run.calls)]
    for measure in MEASURES:
        ms = run.ms(measure)
        share = ms / tops[measure] if tops[measure] else 0.0
        cells.append(ms_text(ms))
        cells.append(bar(console, share, _BAR_WIDTH, "cyan"))
    return cells
