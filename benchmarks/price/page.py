# SPDX-License-Identifier: Apache-2.0
"""Prints prices as tables."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.price.blocks import Block
from benchmarks.price.hooks.measuring import HookPrice
from benchmarks.price.prices import Price
from benchmarks.running.output import spread_text

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
            spread_text(price.request),
            spread_text(price.request_wall),
            spread_text(price.orm),
            spread_text(price.orm_ratio, 3),
            spread_text(price.orm_bare_ratio, 3),
            spread_text(price.statement),
            spread_text(price.statement_bare),
            spread_text(price.fetch),
            spread_text(price.call),
            "\n".join(sorted(CONTENDERS[name].sees)) or "-",
        )
    console.print(table)


def show_hooks(console: Console, rows: Iterable[HookPrice]) -> None:
    """Print a row a call, by hook."""
    table = Table(title="Added to one call: us of CPU, median, quartiles")
    table.add_column("hook")
    table.add_column("call")
    for heading in ("no request", "in a request", "limit"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.hook,
            row.label,
            spread_text(row.outside),
            spread_text(row.inside),
            "-" if row.limit_us is None else f"{row.limit_us:g}",
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
