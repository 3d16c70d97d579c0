# SPDX-License-Identifier: Apache-2.0
"""The commands that ask the real nova-api."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmarks.running.output import (
    Found,
    begun,
    finish,
    json_option,
    progress,
)
from benchmarks.throughput import measuring, page, sampled

PAIRS, REQUESTS = 32, 12
_pairs_option = click.option(
    "--pairs", type=click.IntRange(measuring.GENERATIONS), default=PAIRS
)
_requests_option = click.option(
    "--requests",
    type=click.IntRange(1),
    default=REQUESTS,
    help="By each of the 3 clients in one run.",
)


@click.command("nova")
@_pairs_option
@_requests_option
@click.option(
    "--mode",
    type=click.Choice(["threads", "eventlet", "uwsgi"]),
    default="threads",
)
@json_option
def nova_command(
    pairs: int, requests: int, mode: str, json_path: Path | None
) -> None:
    """Throughput of the real nova-api, with the filter over without."""
    console = begun()
    finish(console, found(console, pairs, requests, mode), json_path)


@click.command("sampled")
@_pairs_option
@_requests_option
@json_option
def sampled_command(pairs: int, requests: int, json_path: Path | None) -> None:
    """Throughput of the real nova-api, pyinstrument for few over none."""
    console = begun()
    measured = sampled.run(console, pairs, requests, progress)
    finish(console, measured, json_path)


def found(console: Console, pairs: int, requests: int, mode: str) -> Found:
    """Return the pairs of runs, which are printed, and their figure."""
    try:
        measured = measuring.measure(pairs, requests, mode, progress)
    except measuring.ThroughputError as exc:
        raise click.ClickException(str(exc)) from exc
    except ImportError as exc:
        raise click.ClickException(f"nova is not installed: {exc}") from exc
    page.show_pairs(console, measured, mode)
    values = {"nova": measuring.values_of(measured)}
    return values, [measuring.figure_of(measured)]
