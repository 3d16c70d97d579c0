# SPDX-License-Identifier: Apache-2.0
"""How long adding up many profiles takes, and how much memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.truth.contenders import Ours
from benchmarks.truth.loads import app_of
from benchmarks.truth.orm_queries import orm_queries
from benchmarks.truth.worker import ask

# Frames below the work, as nova's filters and wrappers make them.
DEPTH = 60
# Profiles of each engine that are made; the others are copies.
MADE = 20
# At this interval a request has as many samples as one that takes a second
# has by default.
_INTERVAL_MS = 3.0
LIMIT_S = 10.0
LIMIT_MB = 500.0
# The command, then what it took with its child processes. Each child counts
# as the largest one, the only one of which the system keeps the peak.
_TOP = """
import json, resource, sys
from nova_profiler.cli import main
from nova_profiler.reading.code.adding_up import PROCESSES
try:
    main()
finally:
    used = [
        resource.getrusage(whose)
        for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    cpu_s = sum(one.ru_utime + one.ru_stime for one in used)
    peak = used[0].ru_maxrss + PROCESSES * used[1].ru_maxrss
    print(json.dumps([cpu_s, peak / 1024]), file=sys.stderr)
"""


class Merged(NamedTuple):
    """What adding up the profiles of one kind took."""

    engine: str
    profiles: int
    files_mb: float
    seconds: float
    cpu_s: float
    peak_mb: float


def run(
    console: Console, profiles: int, progress: Callable[[str], None]
) -> tuple[dict[str, Any], list[Figure]]:
    """Measure, print and return everything."""
    found = measure(profiles, progress)
    show_merged(console, found)
    return {"merge": [row._asdict() for row in found]}, figures(found)


def measure(profiles: int, progress: Callable[[str], None]) -> list[Merged]:
    """Return what adding up *profiles* files takes, by engine."""
    found = []
    for engine in ("pyinstrument", "cprofile"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            progress(f"{profiles} profiles by {engine}")
            size = _fill(folder, engine, profiles)
            found.append(_merged(folder, engine, profiles, size))
    return found


def show_merged(console: Console, rows: Sequence[Merged]) -> None:
    """Print what adding up took, a row an engine."""
    table = Table(title="Profiles added up")
    table.add_column("engine")
    for heading in (
        "profiles",
        "MB",
        "seconds",
        "CPU seconds",
        "peak MB",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.engine,
            str(row.profiles),
            f"{row.files_mb:.1f}",
            f"{row.seconds:.2f}",
            f"{row.cpu_s:.2f}",
            f"{row.peak_mb:.0f}",
        )
    console.print(table)


def figures(found: list[Merged]) -> list[Figure]:
    """Return what adding up is held against: time by the clock, memory."""
    return [
        Figure(f"adding up {row.profiles} of {row.engine}", *held)
        for row in found
        for held in (
            (row.seconds, LIMIT_S, "s"),
            (row.peak_mb, LIMIT_MB, "MB"),
        )
    ]


def _fill(folder: Path, engine: str, profiles: int) -> float:
    """Put *profiles* files into *folder*; return their size in MB."""
    request = orm_queries()
    app = app_of(lambda: _deeper(DEPTH, request))
    with tempfile.TemporaryDirectory() as directory:
        ours = Ours(app, engine, _INTERVAL_MS, Path(directory))
        for _ in range(min(MADE, profiles)):
            ask(ours.app, "/merge")
        made = [
            path
            for path in sorted(Path(directory).glob("[0-9]*/*"))
            if path.suffix != ".json"
        ]
        for number in range(profiles):
            source = made[number % len(made)]
            shutil.copy(source, folder / f"{number:06d}{source.suffix}")
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def _deeper(levels: int, work: Callable[[], None]) -> None:
    if levels:
        _deeper(levels - 1, work)
    else:
        work()


def _merged(
    folder: Path, engine: str, profiles: int, files_mb: float
) -> Merged:
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _TOP, "top", "--json", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = perf_counter() - began
    (table,) = json.loads(done.stdout)["profiles"]
    assert table["profiles"] == profiles, "not all profiles were added up"
    cpu_s, peak_mb = json.loads(done.stderr.splitlines()[-1])
    return Merged(engine, profiles, files_mb, seconds, cpu_s, peak_mb)
