# SPDX-License-Identifier: Apache-2.0
"""The command that measures waits."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.running.output import begun, finish, json_option, progress
from benchmarks.waits import own_calls, real_nova
from nova_profiler.groups import LABELS

REQUESTS = 60
CALLS = 15
# How far a time may be from the other side's clock.
_CLOSE = 0.02
_NAMED = 0.95
_MOST_BUCKETS = 6


@click.command("waits")
@click.option("--requests", type=click.IntRange(1), default=REQUESTS)
@click.option("--calls", type=click.IntRange(1), default=CALLS)
@json_option
def waits_command(requests: int, calls: int, json_path: Path | None) -> None:
    """Has what a request waits for a name, and are its times right?"""
    console = begun()
    found = list(real_nova.measure(requests, progress))
    ratios = list(own_calls.measure(calls, progress))
    _show(console, found)
    values = {
        "nova": [one._asdict() for one in found],
        "calls": [one._asdict() for one in ratios],
    }
    finish(console, (values, figures(found, ratios)), json_path)


def figures(
    found: list[real_nova.Found], ratios: list[own_calls.Ratio]
) -> list[Figure]:
    """Return each ratio's distance from 1, and each share with a name."""
    rows = []
    for one in found:
        label = f"{one.asked.name}, {one.asked.mode}"
        off = abs(one.http_ratio - 1)
        rows += [
            Figure(f"{label}: HTTP, off its clock by", off, _CLOSE, ""),
            Figure(
                f"{label}: has a name", one.named, _NAMED, "", at_least=True
            ),
        ]
    return rows + [
        Figure(
            f"{one.label}, off its clock by", abs(one.ratio - 1), _CLOSE, ""
        )
        for one in ratios
    ]


def _show(console: Console, found: list[real_nova.Found]) -> None:
    table = Table(title="Where the time of the real nova-api goes, ms")
    for heading in ("request", "mode", "median", "most of the mean"):
        table.add_column(heading)
    for one in found:
        parts = sorted(one.breakdown_ms.items(), key=lambda item: -item[1])
        table.add_row(
            one.asked.name,
            one.asked.mode,
            f"{one.duration_ms:.1f}",
            ", ".join(
                f"{LABELS.get(name, name)} {ms:.1f}"
                for name, ms in parts[:_MOST_BUCKETS]
            ),
        )
    console.print(table)
