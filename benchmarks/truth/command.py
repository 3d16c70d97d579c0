# SPDX-License-Identifier: Apache-2.0
"""The command that asks profilers for the truth."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from benchmarks.running.output import begun, finish, json_option, progress
from benchmarks.truth import measuring, page


@click.command("truth")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    help="A Python to try; may be given again. Default: this one.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=20.0,
    help="Of each load by each profiler.",
)
@click.option(
    "--only", type=click.Choice(["shares", "foreign"]), help="One part."
)
@json_option
def truth_command(
    pythons: tuple[str, ...],
    seconds: float,
    only: str | None,
    json_path: Path | None,
) -> None:
    """Profilers' shares beside the clocks'; samples of other requests."""
    console = begun()
    try:
        found = page.run(
            console, pythons or (sys.executable,), seconds, only, progress
        )
    except measuring.TruthError as exc:
        raise click.ClickException(str(exc)) from exc
    finish(console, found, json_path)
