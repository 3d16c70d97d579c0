# SPDX-License-Identifier: Apache-2.0
"""Routes over runs on a terminal: lines of bars, and their steps."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.runs.trend.levels import (
    MEASURES,
    LevelChange,
    RouteRun,
    RouteTrend,
    fewest_runs,
)
from nova_profiler.reading.screen.fitted_table import (
    Column,
    figures_column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    bar,
    counted,
    heights,
    ms_text,
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
_SHORTEST_LINE = 8
_EASY_ROUTE = 44
_SHORTEST_ROUTE = 20
_GOOD = "green"


def print_trends(
    console: Console, trends: Sequence[RouteTrend], runs: int, limit: int
) -> None:
    """Print at most *limit* of *trends*, or a single one run by run."""
    if len(trends) == 1:
        _print_one(console, trends[0])
        return
    columns = _columns(console, trends[:limit])
    print_left_out(console, print_fitted(console, columns))
    for trend in trends[:limit]:
        for change in trend.changes:
            text = safe(f"{trend.method} {trend.route}: ")
            console.print(text + _change_text(change), soft_wrap=True)
    if trends[limit:]:
        console.print(f"{len(trends) - limit} more; see --limit")
    _print_summary(console, trends, runs)


def _columns(console: Console, trends: Sequence[RouteTrend]) -> list[Column]:
    """Return the columns, the lines of bars giving way first."""
    names = [safe(f"{trend.method} {trend.route}") for trend in trends]
    columns = [
        Column(
            "route",
            names,
            gives=5,
            least=_SHORTEST_ROUTE,
            ease=_EASY_ROUTE,
            folds=True,
        ),
        figures_column(
            "runs",
            [str(len(trend.runs) + trend.few_runs) for trend in trends],
            3,
        ),
        figures_column("calls", [str(trend.calls) for trend in trends], 4),
    ]
    for place, measure in enumerate(MEASURES):
        values = [[run.ms(measure) for run in trend.runs] for trend in trends]
        last = [ms_text(one[-1]) if one else "few" for one in values]
        columns.append(figures_column(f"{measure} ms", last))
        columns.append(_lines(console, values, 2 - place % 2))
    return columns


def _lines(
    console: Console, values: Sequence[Sequence[float]], gives: int
) -> Column:
    def drawn(width: int) -> list[Text]:
        return [_line(console, one, width) for one in values]

    longest = max((len(one) for one in values), default=1)
    return Column(
        drawn=drawn,
        ease=_SHORTEST_LINE,
        most=min(_WIDEST_LINE, max(_SHORTEST_LINE, longest)),
        gives=gives,
    )


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
    counts = f"{counted(runs, 'run')}, {counted(len(trends), 'route')}"
    fewest = fewest_runs(len(trends))
    verdict = (
        f"{changed} changed level"
        if runs >= fewest or changed
        else f"too few runs to see a level change: it takes {fewest} or more"
    )
    console.print(Text(f"{counts}, {verdict}", style=HEADING))
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
    if trend.runs:
        print_part(console, table)
    for change in trend.changes:
        console.print(_change_text(change), soft_wrap=True)
    if trend.few_runs:
        console.print(
            Text(
                f"{counted(trend.few_runs, 'run')} left out: "
                f"{counted(trend.few_calls, 'call')} there, and fewer than "
                f"{FEW_CALLS} in each",
                style=FAINT,
            )
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
