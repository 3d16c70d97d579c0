# SPDX-License-Identifier: Apache-2.0
"""Prints prices and figures as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.figures import Figure, Price, Spread, spread_of

if TYPE_CHECKING:
    from benchmarks.blocks import Block
    from benchmarks.throughput import Pair

_HEADINGS = (
    "request",
    "request,\nwall",
    "ORM\nrequest",
    "ratio,\noslo.db",
    "ratio,\nbare",
    "statement,\noslo.db",
    "statement,\nbare",
    "fetch",
    "DB API\ncall",
)


def show_prices(
    console: Console, found: dict[str, Price], absolute: dict[str, float]
) -> None:
    """Print a row a contender, the bare application's times above."""
    table = Table(
        title="Added by each contender: us of CPU, median, quartiles below",
        caption="bare application: "
        + ", ".join(f"{name} {us:.1f} us" for name, us in absolute.items()),
    )
    table.add_column("contender", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("sees", no_wrap=True)
    for name, price in found.items():
        if name in REFERENCES:
            continue
        table.add_row(
            name,
            _text(price.request),
            _text(price.request_wall),
            _text(price.orm),
            _text(price.orm_ratio, 3),
            _text(price.orm_bare_ratio, 3),
            _text(price.statement),
            _text(price.statement_bare),
            _text(price.fetch),
            _text(price.call),
            "\n".join(sorted(CONTENDERS[name].sees)) or "-",
        )
    console.print(table)


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
        value = "-" if row.value is None else f"{row.value:.3g} {row.unit}"
        table.add_row(
            row.label,
            value,
            f"{sign} {row.limit:g} {row.unit}",
            verdicts[row.met],
        )
    console.print(table)


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
        *("", "", _text(spread_of([pair.throughput for pair in pairs]), 3)),
        *("", "", _text(spread_of([pair.cpu for pair in pairs]), 3)),
    )
    console.print(table)


def show_blocks(console: Console, rows: Iterable[Block]) -> None:
    """Print a row a building block."""
    table = Table(title="Building blocks, ns")
    table.add_column("block")
    table.add_column("least", justify="right")
    table.add_column("median", justify="right")
    for row in rows:
        table.add_row(row.name, f"{row.least_ns:.0f}", f"{row.median_ns:.0f}")
    console.print(table)


def _text(spread: Spread, decimals: int | None = None) -> str:
    low, middle, high = (
        _short(value) if decimals is None else f"{value:.{decimals}f}"
        for value in spread
    )
    return f"{middle}\n{low}..{high}"


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
