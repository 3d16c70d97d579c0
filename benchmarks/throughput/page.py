# SPDX-License-Identifier: Apache-2.0
"""Prints pairs of runs as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import spread_of
from benchmarks.running.output import spread_text
from benchmarks.throughput.measuring import Pair


def show_pairs(console: Console, pairs: Sequence[Pair], mode: str) -> None:
    """Print both runs of each pair, and the spread of their ratios."""
    table = Table(title=f"The real nova-api, GET servers/detail, {mode}")
    table.add_column("pair")
    for heading in (
        "requests/s\nwithout",
        "requests/s\nwith",
        "ratio",
        "CPU ms\nwithout",
        "CPU ms\nwith",
        "ratio",
    ):
        table.add_column(heading, justify="right")
    for number, pair in enumerate(pairs, 1):
        table.add_row(
            str(number),
            f"{pair.without.requests_s:.2f}",
            f"{pair.with_filter.requests_s:.2f}",
            f"{pair.throughput:.3f}",
            f"{pair.without.cpu_ms:.1f}",
            f"{pair.with_filter.cpu_ms:.1f}",
            f"{pair.cpu:.3f}",
        )
    table.add_section()
    table.add_row(
        "median",
        *("", "", _spread([pair.throughput for pair in pairs])),
        *("", "", _spread([pair.cpu for pair in pairs])),
    )
    console.print(table)


def _spread(ratios: Sequence[float]) -> str:
    return spread_text(spread_of(ratios), 3)
