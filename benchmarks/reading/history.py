# SPDX-License-Identifier: Apache-2.0
"""How long compare and trend take, what they find, false alarms."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER, took
from nova_profiler.reading.logs import AccessEntry
from nova_profiler.reading.runs.kept.store import History

ROUTES = 30
LIMIT_S = 5.0
_TIMES = 5
# Spread within a route (standard deviation of the logarithm), and p99 / p50
# that goes with it.
SPREADS = (0.2, 0.25, 0.3, 0.4)


class Took(NamedTuple):
    """What a command took: medians, in seconds."""

    command: str
    wall_s: float
    cpu_s: float


class Found(NamedTuple):
    """How often a slowed route was found, and the alarms in equal runs."""

    spread: float
    baseline: int
    pairs: int
    found: int
    alarms: int


def measure_times(
    runs: int, requests: int, progress: Callable[[str], None]
) -> list[Took]:
    """Return what the commands take over *runs* kept runs."""
    with tempfile.TemporaryDirectory() as directory:
        history = History(directory)
        for number in range(runs):
            if number % 10 == 0:
                progress(f"keeping run {number} of {runs}")
            history.add(f"n{number:03d}", _run(number, requests // ROUTES))
        last = f"n{runs - 1:03d}"
        commands = (
            ["history", "trend"],
            ["compare", "n000", last],
            ["compare", "n*", last],
        )
        progress("timing")
        return [_took(command, directory) for command in commands]


def measure_finding(
    pairs: int, progress: Callable[[str], None]
) -> list[Found]:
    """Return how often 15 % at 200 calls are found, and false alarms."""
    results = []
    for spread in SPREADS:
        for baseline in (1, 5):
            progress(f"spread {spread}, {baseline} runs in A")
            results.append(_finding(spread, baseline, pairs))
    return results


def _finding(spread: float, baseline: int, pairs: int) -> Found:
    found = alarms = 0
    for pair in range(pairs):
        seed = 1000 * pair
        with tempfile.TemporaryDirectory() as directory:
            history = History(directory)
            for number in range(baseline):
                run = _run(seed + number, 200, spread, day=number)
                history.add(f"a{number}", run)
            history.add("equal", _run(seed + 90, 200, spread))
            history.add("slow", _run(seed + 91, 200, spread, slowed=1.15))
            equal, slow = _verdicts(directory, baseline)
        alarms += len(equal)
        found += slow.get("/r7") == "slower"
    return Found(spread, baseline, pairs, found, alarms)


def _verdicts(directory: str, baseline: int) -> list[dict[str, str]]:
    from click.testing import CliRunner

    from nova_profiler import cli

    a = ",".join(f"a{number}" for number in range(baseline))
    changed = []
    for b in ("equal", "slow"):
        result = CliRunner().invoke(
            cli.group, ["compare", a, b, "--json", "--history", directory]
        )
        assert result.exit_code == 0, result.output
        changed.append(
            {
                row["route"]: row["verdict"]
                for row in json.loads(result.stdout)["routes"]
                if row["verdict"] in ("slower", "faster")
            }
        )
    return changed


def _took(command: list[str], directory: str) -> Took:
    all_took = [
        took([*NOVA_PROFILER, *command, "--history", directory])
        for _ in range(_TIMES)
    ]
    wall_s, cpu_s = np.median(all_took, axis=0)
    return Took(" ".join(command), float(wall_s), float(cpu_s))


def _run(
    seed: int,
    calls: int,
    spread: float = 0.3,
    slowed: float = 1.0,
    day: int = 0,
) -> Iterator[AccessEntry]:
    """Yield a run: lognormal times, a machine and routes that wobble.

    The whole run by 3 %, each route in it by 1 % (standard deviations).
    """
    levels = np.exp(np.random.default_rng(0).normal(4, 1, ROUTES))
    chance = np.random.default_rng(seed)
    levels *= np.exp(chance.normal(0, 0.03))
    levels *= np.exp(chance.normal(0, 0.01, ROUTES))
    levels[7] *= slowed
    start = 1_763_000_000.0 + 86400 * (seed if day == 0 else day)
    for number, level in enumerate(levels):
        times = np.exp(chance.normal(0, spread, calls)) * level
        for call, ms in enumerate(times.round(3).tolist()):
            yield AccessEntry(
                "bench",
                "nova-api",
                start + call / 10,
                "GET",
                f"/r{number}",
                200,
                ms,
            )


def as_values(took: list[Took], found: list[Found]) -> dict[str, Any]:
    """Return all that was measured, for JSON."""
    return {
        "history": {
            "times": [row._asdict() for row in took],
            "finding": [row._asdict() for row in found],
        }
    }


def run(
    console: Console,
    runs: int,
    requests: int,
    pairs: int,
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], list[Figure]]:
    """Measure, print and return everything."""
    took = measure_times(runs, requests, progress)
    found = measure_finding(pairs, progress)
    table = Table(title=f"{runs} runs of {requests} requests, {ROUTES} routes")
    for heading in ("command", "seconds", "of them CPU, all threads"):
        table.add_column(heading)
    for row in took:
        table.add_row(row.command, f"{row.wall_s:.2f}", f"{row.cpu_s:.2f}")
    console.print(table)
    table = Table(
        title="One route of 30 slowed by 15 %, and equal runs; 200 calls each"
    )
    for heading in ("spread", "p99 / p50", "runs in A", "found", "alarms"):
        table.add_column(heading)
    for one in found:
        table.add_row(
            f"{one.spread:g}",
            f"{np.exp(2.326 * one.spread):.1f}",
            str(one.baseline),
            f"{one.found} of {one.pairs}",
            f"{one.alarms} in {one.pairs} pairs",
        )
    console.print(table)
    figures = [
        Figure(f"{row.command}, wall time", row.wall_s, LIMIT_S, "s")
        for row in took
    ]
    figures += [
        Figure(
            f"alarms in 100 equal pairs, spread {one.spread:g}, "
            f"{one.baseline} in A",
            100 * one.alarms / one.pairs,
            2,
            "alarms",
        )
        for one in found
    ]
    return as_values(took, found), figures
