# SPDX-License-Identifier: Apache-2.0
"""The command that measures served messages."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from benchmarks.messages import broker, growth, served, submitted
from benchmarks.running.output import begun, finish, json_option, progress


@click.command("messages")
@click.option("--rounds", type=click.IntRange(1), default=served.ROUNDS)
@click.option("--pairs", type=click.IntRange(0), default=broker.PAIRS)
@click.option("--messages", type=click.IntRange(0), default=growth.MESSAGES)
@json_option
def messages_command(
    rounds: int, pairs: int, messages: int, json_path: Path | None
) -> None:
    """What do a served message and a task cost; memory; over RabbitMQ?

    --pairs 0 leaves the broker out, --messages 0 the memory.
    """
    console = begun()
    prices = list(served.measure(rounds, served.BATCH, progress))
    console.print(_table("A served message, more than without us", prices))
    tasks = list(submitted.measure(rounds, served.BATCH, progress))
    console.print(_table("A task, more than without us", tasks))
    values: dict[str, Any] = {
        "prices": [one._asdict() for one in prices],
        "tasks": [one._asdict() for one in tasks],
    }
    figures = served.figures_of(prices)
    if pairs:
        found = list(broker.measure(pairs, broker.MESSAGES, progress))
        cpu = statistics.median(pair.cpu for pair in found)
        console.print(f"over RabbitMQ, CPU time a message: {cpu:.3f} x")
        values["broker"] = [one._asdict() for one in found]
        figures += broker.figures_of(found)
    if messages:
        grown = growth.measure(messages, progress)
        values["growth"] = grown._asdict()
        figures += growth.figures_of(grown)
    finish(console, (values, figures), json_path)


def _table(title: str, prices: list[served.Price]) -> Table:
    table = Table(title=title)
    table.add_column("")
    table.add_column("microseconds", justify="right")
    for price in prices:
        table.add_row(price.label, f"{price.us:.1f}")
    return table
