# SPDX-License-Identifier: Apache-2.0
"""The commands: all, price, nova, memory and blocks."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import blocks, figures, price, results, show
from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.workloads import WORKLOADS

# Wide enough for the tables where the output is no terminal.
_WIDTH = 170
# From here on something else is at work, and not only just finished.
_BUSY = 1.0

Found = tuple[dict[str, Any], list[figures.Figure]]


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


def _json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json",
        "json_path",
        type=click.Path(path_type=Path),
        help="Also write everything measured to this file.",
    )(function)


@main.command("all")
@_json_option
def all_command(json_path: Path | None = None) -> None:
    """Price, real nova-api and memory: about 15 minutes."""
    console = _console()
    parts = [
        _price(console, list(CONTENDERS), price.Plan()),
        _nova(console, 32, 12, "threads"),
        _memory(console, 1_000_000),
    ]
    values = {key: value for part, _ in parts for key, value in part.items()}
    rows = [row for _, part_rows in parts for row in part_rows]
    _finish(console, (values, rows), json_path)


@main.command("price")
@click.option("--quick", is_flag=True, help="A smoke run: no figures to use.")
@click.option("--only", help="Contenders, by comma; default: all of them.")
@click.option("--generations", type=click.IntRange(1), help="Default 8.")
@click.option("--rounds", type=click.IntRange(1), help="Default 6.")
@_json_option
def price_command(
    quick: bool,
    only: str | None,
    generations: int | None,
    rounds: int | None,
    json_path: Path | None,
) -> None:
    """Price per request, statement and DB API call, beside the peers'."""
    plan = price.QUICK if quick else price.Plan()
    plan = plan._replace(
        generations=generations or plan.generations,
        rounds=rounds or plan.rounds,
    )
    console = _console()
    _finish(console, _price(console, _names(only), plan), json_path)


@main.command("nova")
@click.option("--pairs", type=click.IntRange(8), default=32)
@click.option(
    "--requests",
    type=click.IntRange(1),
    default=12,
    help="By each of the 3 clients in one run.",
)
@click.option(
    "--mode",
    type=click.Choice(["threads", "eventlet", "uwsgi"]),
    default="threads",
)
@_json_option
def nova_command(
    pairs: int, requests: int, mode: str, json_path: Path | None
) -> None:
    """Throughput of the real nova-api, with the filter over without."""
    console = _console()
    _finish(console, _nova(console, pairs, requests, mode), json_path)


@main.command("memory")
@click.option("--requests", type=click.IntRange(1), default=1_000_000)
@_json_option
def memory_command(requests: int, json_path: Path | None) -> None:
    """Growth of a process under hostile requests."""
    console = _console()
    _finish(console, _memory(console, requests), json_path)


@main.command("blocks")
def blocks_command() -> None:
    """What a clock, a ContextVar, a datagram and a write cost."""
    show.show_blocks(_console(), blocks.measure())


def _price(console: Console, names: list[str], plan: price.Plan) -> Found:
    try:
        measured = price.measure(price.with_references(names), plan, _progress)
    except price.WorkerError as exc:
        raise click.ClickException(str(exc)) from exc
    found = figures.prices(measured.samples)
    show.show_prices(console, found, _absolute(measured))
    return results.of_price(measured, found), figures.figures(found)


def _nova(console: Console, pairs: int, requests: int, mode: str) -> Found:
    try:
        # Needs the demo's environment, which the other commands do not.
        from benchmarks import throughput
    except ImportError as exc:
        raise click.ClickException(f"nova is not installed: {exc}") from exc
    try:
        measured = throughput.measure(pairs, requests, mode, _progress)
    except throughput.ThroughputError as exc:
        raise click.ClickException(str(exc)) from exc
    show.show_pairs(console, measured, mode)
    return results.of_nova(measured), [figures.of_throughput(measured)]


def _memory(console: Console, requests: int) -> Found:
    # Wraps this very process in the filter's hooks: not for the others.
    from benchmarks import memory

    growth = memory.measure(requests, _progress)
    console.print(
        f"{growth.requests} requests: {growth.before_mb:.1f} MB before, "
        f"{growth.after_mb:.1f} MB after"
    )
    return results.of_memory(growth), [figures.of_memory(growth)]


def _finish(
    console: Console, found: Found, json_path: Path | None = None
) -> None:
    values, rows = found
    show.show_figures(console, rows)
    if json_path is not None:
        results.write(json_path, values, rows)


def _names(only: str | None) -> list[str]:
    if only is None:
        return list(CONTENDERS)
    names = [name.strip() for name in only.split(",")]
    for name in names:
        if name not in CONTENDERS:
            raise click.BadParameter(
                f"{name!r} is none of {', '.join(CONTENDERS)}",
                param_hint="--only",
            )
    return names


def _absolute(measured: price.Measured) -> dict[str, float]:
    return {
        workload: statistics.median(
            sample.cpu_us
            for sample in measured.samples
            if sample.workload == workload and sample.contender in REFERENCES
        )
        for workload in WORKLOADS
    }


def _console() -> Console:
    load = os.getloadavg()[0]
    if load > _BUSY:
        _progress(
            f"warning: load {load:.1f}: other work on this machine can make "
            "these figures wrong"
        )
    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
