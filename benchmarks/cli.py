# SPDX-License-Identifier: Apache-2.0
"""The commands: price, and all of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import figures, price, show
from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.workloads import WORKLOADS

_PACKAGES = (
    "SQLAlchemy",
    "Werkzeug",
    "opentelemetry-instrumentation-sqlalchemy",
    "opentelemetry-sdk",
    "osprofiler",
    "pyinstrument",
    "statsd",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure what nova-profiler costs.

    Example: python -m benchmarks price --quick
    """


def _json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json",
        "json_path",
        type=click.Path(path_type=Path),
        help="Also write everything measured to this file.",
    )(function)


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
    names = price.with_references(_names(only))
    plan = price.QUICK if quick else price.Plan()
    plan = plan._replace(
        generations=generations or plan.generations,
        rounds=rounds or plan.rounds,
    )
    try:
        measured = price.measure(names, plan, _progress)
    except price.WorkerError as exc:
        raise click.ClickException(str(exc)) from exc
    found = figures.prices(measured.samples)
    rows = figures.figures(found)
    console = Console(width=None if sys.stdout.isatty() else 150)
    show.show_prices(console, found, _absolute(measured))
    show.show_figures(console, rows)
    if json_path is not None:
        _write(
            json_path,
            plan=plan._asdict(),
            prices={
                name: {
                    field: spread._asdict()
                    for field, spread in row._asdict().items()
                }
                for name, row in found.items()
            },
            figures=[{**row._asdict(), "met": row.met} for row in rows],
            seen=measured.seen,
            datagrams=measured.datagrams,
            samples=[sample._asdict() for sample in measured.samples],
        )


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


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write(path: Path, **results: Any) -> None:
    results["machine"] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
    results["versions"] = {name: _version(name) for name in _PACKAGES}
    path.write_text(json.dumps(results, indent=1) + "\n")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
