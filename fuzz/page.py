# SPDX-License-Identifier: Apache-2.0
"""The tables of a run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from fuzz.trying.outcomes import Outcome


def show_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a row for each reader, and each find."""
    table = Table(title="What each reader did with made-up inputs")
    table.add_column("reader")
    for name in ("inputs", "finds", "longest ms", "memory MB"):
        table.add_column(name, justify="right")
    for one in outcomes:
        finds = str(len(one.finds))
        table.add_row(
            one.reader,
            str(one.tried),
            f"[bold red]{finds}[/]" if one.finds else finds,
            f"{one.longest_s * 1000:.0f}",
            f"{one.peak_mb:.0f}",
        )
    console.print(table)
