# SPDX-License-Identifier: Apache-2.0
"""The commands that try the reader of stacks out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.output import begun, finish, json_option, progress
from benchmarks.stacks import peer as py_spy
from benchmarks.stacks import throughput
from benchmarks.stacks.fluttering import GENERATORS, PLAIN
from demo.places import ROOT

_DEPTH = 60
# Impossible stacks, in ten thousand.
_MOST_IMPOSSIBLE = 5.0
_LEAST_LOOKS = 20
_TIMEOUT_S = 900
_python_option = click.option(
    "--python",
    "pythons",
    multiple=True,
    help="A Python to try; may be given again. Default: this one.",
)


@click.command("flutter")
@_python_option
@click.option("--looks", type=click.IntRange(100), default=10_000)
@click.option("--depth", type=click.IntRange(0, 900), default=_DEPTH)
@json_option
def flutter_command(
    pythons: tuple[str, ...], looks: int, depth: int, json_path: Path | None
) -> None:
    """Impossible stacks of a thread whose stack changes all the time."""
    console = begun()
    found = [
        _trial(python, "flutter", str(depth), how, str(looks))
        for python in pythons or (sys.executable,)
        for how in (PLAIN, GENERATORS)
    ]
    rows = []
    for one in found:
        _show(console, one)
        seen = max(1, one["looks"] - one["lost"])
        rows.append(
            Figure(
                f"Python {one['python']}, {one['how']}: impossible stacks "
                "in 10 000",
                *(1e4 * one["impossible"] / seen, _MOST_IMPOSSIBLE, ""),
            )
        )
    finish(console, ({"flutter": found}, rows), json_path)


@click.command("foreign")
@_python_option
@click.option("--looks", type=click.IntRange(100), default=20_000)
@json_option
def foreign_command(
    pythons: tuple[str, ...], looks: int, json_path: Path | None
) -> None:
    """Stacks of other requests, in threads and in greenthreads."""
    console = begun()
    found = [
        _trial(python, "foreign", mode, str(looks))
        for python in pythons or (sys.executable,)
        for mode in ("threads", "eventlet")
    ]
    rows = []
    for one in found:
        _show(console, one)
        what = f"Python {one['python']}, {one['mode']}"
        rows.append(Figure(f"{what}: stacks of others", one["foreign"], 0, ""))
        rows.append(
            Figure(f"{what}: looks", one["looks"], looks, "", at_least=True)
        )
    finish(console, ({"foreign": found}, rows), json_path)


@click.command("looks")
@_python_option
@click.option("--requests", type=click.IntRange(1), default=1000)
@click.option(
    "--at-once",
    "numbers",
    type=click.IntRange(1, 64),
    multiple=True,
    default=(3,),
    show_default=True,
    help="Requests at a time; may be given again. All share what the reader "
    "may use of a processor.",
)
@click.option(
    "--beside",
    type=click.IntRange(0, 64),
    default=2,
    show_default=True,
    help="Threads that serve short requests meanwhile, for each of which the "
    "reader answers as well.",
)
@json_option
def looks_command(
    pythons: tuple[str, ...],
    requests: int,
    numbers: tuple[int, ...],
    beside: int,
    json_path: Path | None,
) -> None:
    """Looks that slow requests have, at the reader's own pace."""
    console = begun()
    found = [
        _trial(python, "looks", str(requests), str(at_once), str(beside))
        for python in pythons or (sys.executable,)
        for at_once in numbers
    ]
    rows = []
    for one in found:
        _show(console, one)
        what = f"Python {one['python']}, {one['at_once']} at once"
        rows += [
            Figure(
                f"{what}: requests of 0.3 to 3 s",
                *(one["requests"], requests, ""),
                at_least=True,
            ),
            Figure(f"{what}: without a look", one["without"], 0, ""),
            Figure(
                f"{what}: fewest looks of 1 s and more",
                *(one["fewest"], _LEAST_LOOKS, ""),
                at_least=True,
            ),
        ]
    finish(console, ({"looks": found}, rows), json_path)


@click.command("stacks")
@click.option("--pairs", type=click.IntRange(1), default=32)
@click.option(
    "--requests",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Of each client, in each run. The reader saves while the other "
    "server works: in a short run it looks more often than in a long one.",
)
@click.option(
    "--interval",
    "intervals_ms",
    type=click.FloatRange(1, 10_000),
    multiple=True,
    default=(20.0,),
    help="Milliseconds asked for; may be given again. Always measured: none.",
)
@click.option("--peer", is_flag=True, help="Measure py-spy as well.")
@json_option
def stacks_command(
    pairs: int,
    requests: int,
    intervals_ms: tuple[float, ...],
    peer: bool,
    json_path: Path | None,
) -> None:
    """Throughput of the real nova-api, profiler = stacks over none."""
    console = begun()
    peers = [py_spy.run(pairs, requests, progress)] if peer else []
    measured = throughput.run(
        console, pairs, requests, intervals_ms, progress, peers
    )
    finish(console, measured, json_path)


def _trial(python: str, module: str, *words: str) -> dict[str, Any]:
    """Return what a trial in a process of its own has printed."""
    progress(f"{module} {' '.join(words)}, {python}")
    try:
        done = subprocess.run(
            [
                *(python, "-W", "ignore", "-m", f"benchmarks.stacks.{module}"),
                *words,
            ],
            capture_output=True,
            check=False,
            text=True,
            timeout=_TIMEOUT_S,
            cwd=ROOT,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise click.ClickException(f"{module}: {exc}") from exc
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no message"]
        raise click.ClickException(f"{module}: {last[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show(console: Console, found: dict[str, Any]) -> None:
    console.print("  ".join(f"{k} {v}" for k, v in found.items() if v != []))
