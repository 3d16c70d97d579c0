# SPDX-License-Identifier: Apache-2.0
"""What every command of the benchmarks prints and keeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.running import results
from benchmarks.running.figures import Figure, Spread

# Wide enough for the tables where the output is no terminal.
_WIDTH = 170
# A load above this is other work, more than what a run before has left.
_BUSY = 1.0

# All that a command measured, ready for JSON, and the figures to reach.
Found = tuple[dict[str, Any], list[Figure]]


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command *function* with the option ``--json FILE``."""
    return click.option(
        "--json",
        "json_path",
        type=click.Path(path_type=Path),
        help="Also write everything measured to this file.",
    )(function)


def begun() -> Console:
    """Return the console of a run; a busy machine is named first."""
    load = os.getloadavg()[0]
    if load > _BUSY:
        progress(
            f"warning: load {load:.1f}: other work on this machine can make "
            "these figures wrong"
        )
    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def progress(text: str) -> None:
    """Print how far a run has come, apart from its tables."""
    print(text, file=sys.stderr, flush=True)


def finish(
    console: Console, found: Found, json_path: Path | None = None
) -> None:
    """Print the figures of a run, and write everything to *json_path*."""
    values, rows = found
    show_figures(console, rows)
    if json_path is not None:
        results.write(json_path, values, rows)


def show_figures(console: Console, rows: Iterable[Figure]) -> None:
    """Print each figure with its limit, and whether that is kept."""
    table = Table(title="Figures to reach")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("")
    verdicts = {True: "ok", False: "[bold red]MISSED[/]", None: "not measured"}
    for row in rows:
        sign = "at least" if row.at_least else "at most"
        value = "-"
        if row.value is not None:
            value = f"{_in_three_digits(row.value)} {row.unit}"
        table.add_row(
            row.label,
            value,
            f"{sign} {row.limit:g} {row.unit}",
            verdicts[row.met],
        )
    console.print(table)


def _in_three_digits(value: float) -> str:
    """Return at least three digits of *value*, and no power of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread_text(spread: Spread, decimals: int | None = None) -> str:
    """Return a median, and below it the quartiles around it."""
    low, middle, high = (
        _short(value) if decimals is None else f"{value:.{decimals}f}"
        for value in spread
    )
    return f"{middle}\n{low}..{high}"


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
