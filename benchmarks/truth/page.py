# SPDX-License-Identifier: Apache-2.0
"""Prints what profilers find beside what is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.truth.measuring import (
    CONTENDERS,
    LIMIT_POINTS,
    Foreign,
    Progress,
    Share,
    figures,
    measure_foreign,
    measure_shares,
    truth_of,
    version_of,
)


def run(
    console: Console,
    pythons: Sequence[str],
    seconds: float,
    only: str | None,
    progress: Progress,
) -> tuple[dict[str, Any], list[Figure]]:
    """Measure and print; return everything, and the figures to reach."""
    for python in pythons:
        # A Python that lacks something ends the run now, not in ten minutes.
        version_of(python)
    shares: list[Share] = []
    rows: list[Foreign] = []
    if only != "foreign":
        shares = measure_shares(seconds, progress)
        show_shares(console, shares)
    if only != "shares":
        rows = measure_foreign(pythons, seconds, progress)
        show_foreign(console, rows)
    values = {
        "shares": [share._asdict() for share in shares],
        "foreign": [row._asdict() for row in rows],
    }
    return values, figures(shares, rows)


def show_shares(console: Console, shares: Sequence[Share]) -> None:
    """Print a row a part: its share by the clocks, then by each contender."""
    table = Table(
        title="Shares of a request in percent, and points off the clocks",
        caption=f"! more than {LIMIT_POINTS:g} points off; * the same, with a "
        f"note of the dump that explains it",
    )
    table.add_column("load")
    table.add_column("function")
    table.add_column("clocks", justify="right")
    for name in CONTENDERS:
        table.add_column(name, justify="right")
    for load, part in dict.fromkeys((s.load, s.part) for s in shares):
        cells = {
            s.contender: _cell(s)
            for s in shares
            if (s.load, s.part) == (load, part)
        }
        table.add_row(
            load,
            part,
            f"{truth_of(shares, load, part):.1f}",
            *(cells.get(name, "-") for name in CONTENDERS),
        )
    console.print(table)
    reasons = {s.contender: s.reasons[0] for s in shares if s.reasons}
    for name, reason in reasons.items():
        console.print(f"* {name}: {reason}", highlight=False)


def show_foreign(console: Console, rows: Sequence[Foreign]) -> None:
    """Print a row a contender, Python and mode."""
    table = Table(
        title="16 requests at once, each with functions of its own",
        caption="foreign: samples (cProfile: calls) with a function of "
        "another request; noted: those in a profile with a note about it",
    )
    for heading in ("contender", "Python", "mode"):
        table.add_column(heading)
    for heading in (
        "requests",
        "profiles",
        "without",
        "errors",
        "samples",
        "foreign",
        "noted",
    ):
        table.add_column(heading, justify="right")
    table.add_column("stacks are")
    for row in rows:
        table.add_row(
            row.contender,
            row.python,
            row.mode,
            *(str(value) for value in row[3:]),
            row.verdict,
            style="bold red" if row.foreign > row.noted else "",
            end_section=row.contender == CONTENDERS[-1],
        )
    console.print(table)


def _cell(share: Share) -> str:
    mark = ""
    if abs(share.off) > LIMIT_POINTS:
        mark = "*" if share.is_explained else "!"
    return f"{share.found:.1f} {share.off:+.1f}{mark}"
