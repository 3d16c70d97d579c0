# SPDX-License-Identifier: Apache-2.0
"""The DB API table of each route."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from nova_profiler.groups import WRAPPER, Group
from nova_profiler.reading.command_line.kind_option import noun_of
from nova_profiler.reading.requests.calls_by_route import (
    FunctionCalls,
    RouteCalls,
    percentile,
)
from nova_profiler.reading.screen.fitted_table import (
    Column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    counted,
    ms_text,
    page_width,
    safe,
    share_text,
)

# Calls of several threads run at the same time.
ADDED_UP = (
    "Times in tables are ms, added up also of calls that ran at the same "
    "time: they are no shares of the clock. driver is a share of them."
)

_MOST_FUNCTIONS = 25
_INDENT = 2
# The longest name of nova's DB API, and what can still be read.
_NAME, _SHORTEST_NAME = 46, 20
# The columns of figures, and the order in which they are left out; 0: never.
_FIGURES = {
    "calls": 0,
    "/req": 0,
    "total ms": 0,
    "mean": 3,
    "max": 2,
    "p50/req": 1,
    "p95/req": 4,
    "driver": 0,
}


def print_calls(
    console: Console, routes: Sequence[RouteCalls], group: Group
) -> None:
    """Print a table for each of *routes*, and its sum in words.

    Then in one line what the times in the tables are.
    """
    for route in routes:
        width = page_width(console)
        console.print(_heading(route), width=width)
        left_out = print_fitted(console, _columns(route, group), _INDENT)
        words = Padding(Text(_sum_in_words(route, group)), (0, 0, 0, _INDENT))
        console.print(words, width=width)
        print_left_out(console, left_out, _INDENT)
        console.print()
    if routes:
        console.print(Text(ADDED_UP), width=page_width(console))


def _heading(route: RouteCalls) -> Text:
    durations = sorted(route.durations_ms)
    return Text.assemble(
        safe(route.name, "bold"),
        f"   {counted(route.requests, noun_of(route.kind))}",
        (
            f"   p50 {ms_text(percentile(durations, 50))}"
            f"   p95 {ms_text(percentile(durations, 95))}"
            f"   max {ms_text(durations[-1])} ms",
            FAINT,
        ),
    )


def _columns(route: RouteCalls, group: Group) -> list[Column]:
    """Return the table; where it is too wide, names are the last to fold."""
    rows = route.slowest_functions()
    shown = rows[:_MOST_FUNCTIONS]
    names = [_label(row) for row in shown]
    figures = [_figures(route, row) for row in shown]
    if rows[_MOST_FUNCTIONS:]:
        more = f"and {len(rows) - _MOST_FUNCTIONS} more"
        names.append(Text(more, style=FAINT))
        figures.append({})
    if len(rows) > 1:
        names.append(Text("total", HEADING))
        totals = _figures(route, route.totals)
        # A sum of percentiles is none.
        figures.append({**totals, "p50/req": "", "p95/req": ""})
    headings = dict(_FIGURES)
    if group.kind != WRAPPER:
        del headings["driver"]
    return [
        Column(
            group.named,
            names,
            gives=len(_FIGURES),
            least=_SHORTEST_NAME,
            ease=_NAME,
            folds=True,
        ),
        *(
            Column(
                heading,
                [
                    Text(cells.get(heading, ""), name.style)
                    for name, cells in zip(names, figures, strict=True)
                ],
                right=True,
                gives=gives,
            )
            for heading, gives in headings.items()
        ),
    ]


def _label(row: FunctionCalls) -> Text:
    label = safe(row.name)
    if row.errors:
        label.append(f" {row.errors} failed", style=BAD)
    return label


def _figures(route: RouteCalls, row: FunctionCalls) -> dict[str, str]:
    """Return the cells of a row by their headings."""
    return {
        "calls": str(row.calls),
        "/req": f"{row.calls / max(1, route.requests):.1f}",
        "total ms": ms_text(row.ms),
        "mean": ms_text(row.mean_ms, 2),
        "max": "" if row.max_ms is None else ms_text(row.max_ms, 2),
        # These two are percentiles of the time in one request.
        "p50/req": ms_text(route.percentile_ms(row, 50), 2),
        "p95/req": ms_text(route.percentile_ms(row, 95), 2),
        "driver": share_text(row.driver_share),
    }


def _sum_in_words(route: RouteCalls, group: Group) -> str:
    words = []
    if route.share is not None:
        words.append(
            f"{group.name} {ms_text(route.totals.ms)} ms added up, "
            f"{ms_text(route.wall_ms)} ms of the clock: "
            f"{share_text(route.share)} of these {noun_of(route.kind)}s' time"
        )
    driver = route.totals.driver_share
    if driver is not None:
        words.append(
            f"of the time added up driver {share_text(driver)}, SQLAlchemy "
            f"and what else runs inside {share_text(1 - driver)}"
        )
    return "; ".join(words)
