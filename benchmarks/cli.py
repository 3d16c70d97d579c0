# SPDX-License-Identifier: Apache-2.0
"""The commands of the benchmarks."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.contenders import CONTENDERS
from benchmarks.messages.command import messages_command
from benchmarks.otlp.command import otlp_command
from benchmarks.price import commands as price
from benchmarks.price.measuring import Plan
from benchmarks.reading import commands as reading
from benchmarks.running.output import begun, finish, json_option
from benchmarks.shipping.command import shippers_command
from benchmarks.stacks import commands as stacks
from benchmarks.throughput import commands as throughput
from benchmarks.truth.command import truth_command
from benchmarks.waits.command import waits_command


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure what nova-profiler costs; without a command, everything.

    Example: python -m benchmarks price --quick
    """
    if context.invoked_subcommand is None:
        context.invoke(all_command)


@main.command("all")
@json_option
def all_command(json_path: Path | None = None) -> None:
    """Price, real nova-api and memory: about 15 minutes."""
    console = begun()
    parts = [
        price.price(console, list(CONTENDERS), Plan()),
        throughput.found(
            console, throughput.PAIRS, throughput.REQUESTS, "threads"
        ),
        price.growth(console, price.HOSTILE_REQUESTS),
    ]
    values = {key: value for part, _ in parts for key, value in part.items()}
    rows = [row for _, part_rows in parts for row in part_rows]
    finish(console, (values, rows), json_path)


for command in (
    price.price_command,
    price.memory_command,
    price.blocks_command,
    price.hooks_command,
    throughput.nova_command,
    throughput.sampled_command,
    stacks.stacks_command,
    stacks.flutter_command,
    stacks.foreign_command,
    stacks.looks_command,
    truth_command,
    waits_command,
    messages_command,
    otlp_command,
    reading.report_command,
    reading.follow_command,
    reading.history_command,
    reading.list_command,
    reading.merge_command,
    reading.picture_command,
    reading.running_command,
    reading.serve_command,
    shippers_command,
):
    main.add_command(command)
