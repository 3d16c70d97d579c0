# SPDX-License-Identifier: Apache-2.0
"""The commands of the benchmarks."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import blocks, figures, follow, price, results, show
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


@main.command("pyspy")
@click.option("--pairs", type=click.IntRange(8), default=32)
@click.option("--requests", type=click.IntRange(1), default=12)
@click.option(
    "--interval",
    "intervals_ms",
    type=click.FloatRange(1),
    multiple=True,
    help="Milliseconds asked for; may be given again. Always measured: none.",
)
@_json_option
def pyspy_command(
    pairs: int,
    requests: int,
    intervals_ms: tuple[float, ...],
    json_path: Path | None,
) -> None:
    """Throughput of the real nova-api, profiler = pyspy over none."""
    from benchmarks import pyspy_throughput

    console = _console()
    found = pyspy_throughput.run(
        console, pairs, requests, intervals_ms, _progress
    )
    _finish(console, found, json_path)


@main.command("sampled")
@click.option("--pairs", type=click.IntRange(8), default=32)
@click.option("--requests", type=click.IntRange(1), default=12)
@_json_option
def sampled_command(pairs: int, requests: int, json_path: Path | None) -> None:
    """Throughput of the real nova-api, pyinstrument for few over none."""
    from benchmarks import sampled_throughput

    console = _console()
    found = sampled_throughput.run(console, pairs, requests, _progress)
    _finish(console, found, json_path)


@main.command("history")
@click.option("--runs", type=click.IntRange(2), default=100)
@click.option("--requests", type=click.IntRange(6000), default=100_000)
@click.option("--pairs", type=click.IntRange(1), default=100)
@_json_option
def history_command(
    runs: int, requests: int, pairs: int, json_path: Path | None
) -> None:
    """Time of trend and compare; what compare finds and makes up."""
    from benchmarks import history

    console = _console()
    found = history.run(console, runs, requests, pairs, _progress)
    _finish(console, found, json_path)


@main.command("truth")
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
@_json_option
def truth_command(
    pythons: tuple[str, ...],
    seconds: float,
    only: str | None,
    json_path: Path | None,
) -> None:
    """Profilers' shares beside the clocks'; samples of other requests."""
    from benchmarks import truth, truth_show

    console = _console()
    try:
        found = truth_show.run(
            console, pythons or (sys.executable,), seconds, only, _progress
        )
    except truth.TruthError as exc:
        raise click.ClickException(str(exc)) from exc
    _finish(console, found, json_path)


@main.command("merge")
@click.option("--profiles", type=click.IntRange(1), default=1000)
@_json_option
def merge_command(profiles: int, json_path: Path | None) -> None:
    """Adding up many profiles: time and memory."""
    from benchmarks import merge, truth_show

    console = _console()
    found = merge.measure(profiles, _progress)
    truth_show.show_merged(console, found)
    values = {"merge": [row._asdict() for row in found]}
    _finish(console, (values, merge.figures(found)), json_path)


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


main.add_command(follow.command)


@main.command("report")
@click.option("--lines", type=click.IntRange(1000), default=1_000_000)
@click.option("--runs", type=click.IntRange(1), default=7)
@_json_option
def report_command(lines: int, runs: int, json_path: Path | None) -> None:
    """Lines a second that the command report reads, beside grep."""
    from benchmarks import report

    console = _console()
    found = report.run(console, lines, runs, _progress)
    _finish(console, found, json_path)


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
