# SPDX-License-Identifier: Apache-2.0
"""The DB API table of each route."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nova_profiler.groups import WRAPPER, Group
from nova_profiler.reading.requests.calls_by_route import (
    FunctionCalls,
    RouteCalls,
    percentile,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    counted,
    ms_text,
    page_width,
    plain_table,
    safe,
    share_text,
)

_MOST_FUNCTIONS = 25
_WIDE = 110


def print_calls(
    console: Console, routes: Sequence[RouteCalls], group: Group
) -> None:
    """Print a table for each of *routes*, and its sum in words."""
    for route in routes:
        width = page_width(console)
        console.print(_heading(route), width=width)
        # Names are long: on a narrow terminal smaller gaps leave them room.
        table = _table(route, group, gap=2 if width >= _WIDE else 1)
        for part in (table, Text(_sum_in_words(route, group))):
            indented = Padding(part, (0, 0, 0, 2), expand=False)
            console.print(indented, width=width)
        console.print()


def _heading(route: RouteCalls) -> Text:
    durations = sorted(route.durations_ms)
    name = f"{route.method} {route.route}"
    if route.action:
        name += f" {route.action}"
    return Text.assemble(
        safe(name, "bold"),
        f"   {counted(route.requests, 'request')}",
        (
            f"   p50 {ms_text(percentile(durations, 50))}"
            f"   p95 {ms_text(percentile(durations, 95))}"
            f"   max {ms_text(durations[-1])} ms",
            FAINT,
        ),
    )


def _table(route: RouteCalls, group: Group, gap: int) -> Table:
    table = plain_table(gap)
    table.add_column(group.named, overflow="fold")
    headings = ["calls", "/req", "total ms", "mean", "max"]
    # These two are percentiles of the time in one request.
    headings += ["p50/req", "p95/req"]
    if group.kind == WRAPPER:
        headings.append("driver")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    rows = route.slowest_functions()
    for row in rows[:_MOST_FUNCTIONS]:
        label = safe(row.name)
        if row.errors:
            label.append(f" {row.errors} failed", style=BAD)
        percentiles = [
            ms_text(route.percentile_ms(row, percent), 2)
            for percent in (50, 95)
        ]
        table.add_row(label, *_figures(route, row, percentiles, group))
    if len(rows) > _MOST_FUNCTIONS:
        table.add_row(
            Text(f"and {len(rows) - _MOST_FUNCTIONS} more", style=FAINT)
        )
    if len(rows) > 1:
        totals = _figures(route, route.totals, ["", ""], group)
        table.add_row(Text("total"), *totals, style="bold")
    return table


def _figures(
    route: RouteCalls,
    row: FunctionCalls,
    percentiles: list[str],
    group: Group,
) -> list[str]:
    cells = [
        str(row.calls),
        f"{row.calls / max(1, route.requests):.1f}",
        ms_text(row.ms),
        ms_text(row.mean_ms, 2),
        ms_text(row.max_ms, 2),
        *percentiles,
    ]
    if group.kind == WRAPPER:
        cells.append(share_text(row.driver_share))
    return cells


def _sum_in_words(route: RouteCalls, group: Group) -> str:
    words = []
    if route.share is not None:
        words.append(
            f"{group.name} {share_text(route.share)} of these requests' time"
        )
    driver = route.totals.driver_share
    if driver is not None:
        words.append(
            f"of the calls' time driver {share_text(driver)}, SQLAlchemy, "
            f"wrapper and waiting {share_text(1 - driver)}"
        )
    return "; ".join(words)
