# SPDX-License-Identifier: Apache-2.0
"""The command that measures the sink of OTLP."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from benchmarks.otlp import away, hour, price
from benchmarks.running.output import (
    begun,
    finish,
    json_option,
    progress,
    spread_text,
)


@click.command("otlp")
@click.option("--quick", is_flag=True, help="A smoke run: no figures to use.")
@click.option(
    "--requests",
    type=click.IntRange(0),
    default=away.REQUESTS,
    show_default=True,
    help="Requests while the Collector is away; 0: none.",
)
@json_option
def otlp_command(quick: bool, requests: int, json_path: Path | None) -> None:
    """Price of traces and histograms, and of a Collector that is away."""
    console = begun()
    found = price.measure(
        price.QUICK_ROUNDS if quick else price.ROUNDS, progress
    )
    table = Table(title="Microseconds of CPU more, a request of 30 calls")
    for heading in ("sent", "its own thread", "with the one that sends"):
        table.add_column(heading, justify="right")
    for name, added in found.items():
        own, all_ = spread_text(added.own), spread_text(added.all)
        table.add_row(name, own, all_)
    console.print(table)
    rows = price.figures(found)
    values = {
        "otlp": {
            name: {
                field: spread._asdict()
                for field, spread in added._asdict().items()
            }
            for name, added in found.items()
        }
    }
    if quick:
        requests = min(requests, away.WARM_UP)
    if requests:
        gone = away.measure(requests, progress)
        for one in gone:
            console.print(
                f"A Collector that {one.how}: {one.requests} requests at "
                "full speed, "
                f"{one.before_mb:.1f} MB before, {one.after_mb:.1f} MB after; "
                f"99.9 % within {one.with_ms:.2f} ms, {one.without_ms:.2f} ms "
                f"without the sink; {one.lost} traces lost"
            )
        hours = hour.measure(requests, progress)
        for one in hours:
            console.print(
                f"A Collector that {one.how}: {one.seconds:.0f} s of "
                f"{hour.A_SECOND} requests a second by a clock of our own, "
                f"{one.tries} tries to send; {one.before_mb:.1f} MB before, "
                f"{one.after_mb:.1f} MB after; then it is back, and "
                f"{one.times} of {one.requests} times arrive"
            )
        rows += away.figures(gone) + hour.figures(hours)
        values["away"] = {one.how: one._asdict() for one in gone}
        values["hour"] = {one.how: one._asdict() for one in hours}
    finish(console, (values, rows), json_path)
