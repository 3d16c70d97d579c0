# SPDX-License-Identifier: Apache-2.0
"""The commands that measure the filter beside its peers and by itself."""

from __future__ import annotations

import statistics
from pathlib import Path

import click
from rich.console import Console

from benchmarks.application.workloads import WORKLOADS
from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.price import blocks, measuring, memory, page, prices
from benchmarks.price.hooks import measuring as measuring_hooks
from benchmarks.running.output import (
    Found,
    begun,
    finish,
    json_option,
    progress,
)

HOSTILE_REQUESTS = 1_000_000


@click.command("price")
@click.option("--quick", is_flag=True, help="A smoke run: no figures to use.")
@click.option("--only", help="Contenders, by comma; default: all of them.")
@click.option("--generations", type=click.IntRange(1), help="Default 8.")
@click.option("--rounds", type=click.IntRange(1), help="Default 6.")
@json_option
def price_command(
    quick: bool,
    only: str | None,
    generations: int | None,
    rounds: int | None,
    json_path: Path | None,
) -> None:
    """Price per request, statement and DB API call, beside the peers'."""
    plan = measuring.QUICK if quick else measuring.Plan()
    plan = plan._replace(
        generations=generations or plan.generations,
        rounds=rounds or plan.rounds,
    )
    console = begun()
    finish(console, price(console, _names(only), plan), json_path)


@click.command("hooks")
@click.option("--quick", is_flag=True, help="A smoke run: no figures to use.")
@json_option
def hooks_command(quick: bool, json_path: Path | None) -> None:
    """Price of a call through each hook, in a request and outside."""
    console = begun()
    rounds = measuring_hooks.QUICK_ROUNDS if quick else measuring_hooks.ROUNDS
    found = list(measuring_hooks.measure(rounds, progress))
    page.show_hooks(console, found)
    values = {"hooks": [one._asdict() for one in found]}
    finish(console, (values, measuring_hooks.figures(found)), json_path)


@click.command("memory")
@click.option("--requests", type=click.IntRange(1), default=HOSTILE_REQUESTS)
@json_option
def memory_command(requests: int, json_path: Path | None) -> None:
    """Growth of a process under hostile requests."""
    console = begun()
    finish(console, growth(console, requests), json_path)


@click.command("blocks")
def blocks_command() -> None:
    """What a clock, a ContextVar, a datagram and a write cost."""
    page.show_blocks(begun(), blocks.measure())


def price(console: Console, names: list[str], plan: measuring.Plan) -> Found:
    """Return the prices of *names*, which are printed, and the figures."""
    try:
        measured = measuring.measure(
            measuring.with_references(names), plan, progress
        )
    except measuring.WorkerError as exc:
        raise click.ClickException(str(exc)) from exc
    found = prices.prices(measured.samples)
    page.show_prices(console, found, _absolute(measured))
    return prices.values_of(measured, found), prices.figures(found)


def growth(console: Console, requests: int) -> Found:
    """Return by how much this process grows, which is printed."""
    grown = memory.measure(requests, progress)
    console.print(
        f"{grown.requests} requests: {grown.before_mb:.1f} MB before, "
        f"{grown.after_mb:.1f} MB after"
    )
    return {"memory": grown._asdict()}, [memory.figure_of(grown)]


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


def _absolute(measured: measuring.Measured) -> dict[str, float]:
    return {
        workload: statistics.median(
            sample.cpu_us
            for sample in measured.samples
            if sample.workload == workload and sample.contender in REFERENCES
        )
        for workload in WORKLOADS
    }
