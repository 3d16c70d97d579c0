# SPDX-License-Identifier: Apache-2.0
"""A comparison on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.page import (
    FIRST_NUMBER,
    HEADINGS,
    cells_of,
    count_line,
    heading_of,
    lines_about_all,
)
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    FASTER,
    SLOWER,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    has_width,
    plain_table,
    print_part,
    safe,
)

_STYLES = {FAILED_B: BAD, SLOWER: BAD, FASTER: "green"}
_ROUTE = 1


def print_comparison(console: Console, found: Comparison, limit: int) -> None:
    """Print at most *limit* routes, and what failed last."""
    console.print(safe(heading_of(found), style=HEADING))
    for line in lines_about_all(found):
        console.print(Text(line), soft_wrap=not has_width(console))
    table = plain_table()
    for index, heading in enumerate(HEADINGS):
        table.add_column(
            heading,
            justify="right" if index >= FIRST_NUMBER else "left",
            no_wrap=index != _ROUTE,
            overflow="fold" if index == _ROUTE else "ellipsis",
        )
    for change in found.changes[:limit]:
        style = _STYLES.get(change.verdict, FAINT)
        verdict, *rest = cells_of(change)
        table.add_row(Text(verdict, style=style), *map(Text, rest))
    print_part(console, table)
    if found.changes[limit:]:
        console.print(f"{len(found.changes) - limit} more; see --limit")
    console.print(Text(count_line(found), style=HEADING))
    for failure in found.failures:
        # What a CI job is searched for must be one line.
        console.print(safe(f"failed: {failure}", style=BAD), soft_wrap=True)
