# SPDX-License-Identifier: Apache-2.0
"""How fast `nova-profiler report` reads a long log, beside grep."""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER, took
from nova_profiler.reading.process_pools import usable_cores

_ROUTES = (
    ("GET", "servers/detail", 30),
    ("GET", "servers/{id}", 30),
    ("POST", "servers/{id}/action", 5),
    ("GET", "flavors", 5),
    ("DELETE", "servers/{id}", 5),
    ("GET", "limits", 5),
    ("GET", "servers/{id}/os-volume_attachments", 5),
)
_USERS = 40
_COPIES = 4


class Reading(NamedTuple):
    """One run each of grep and report on the same file."""

    grep_s: float
    report_s: float
    report_cpu_s: float


class Measured(NamedTuple):
    """All runs, and the most memory that a process of report took."""

    lines: int
    bytes: int
    runs: list[Reading]
    parent_mb: float
    longest_mb: float

    @property
    def lines_s(self) -> float:
        """Return the median of the lines read in a second."""
        return self.lines / statistics.median(
            run.report_s for run in self.runs
        )

    @property
    def behind_s(self) -> float:
        """Return the median of the seconds behind grep."""
        return statistics.median(
            run.report_s - run.grep_s for run in self.runs
        )


def run(
    console: Console, lines: int, runs: int, progress: Callable[[str], None]
) -> tuple[dict[str, Any], list[Figure]]:
    """Measure, print each pair, return everything and the figures."""
    measured = measure(lines, runs, progress)
    for pair in measured.runs:
        console.print(
            f"{measured.lines} lines, {measured.bytes / 1e6:.0f} MB: "
            f"grep {pair.grep_s:.2f} s, report {pair.report_s:.2f} s "
            f"({pair.report_cpu_s:.2f} s of CPU)"
        )
    console.print(
        f"memory over {_COPIES} such logs: {measured.parent_mb:.0f} MB and "
        f"{measured.longest_mb:.0f} MB in each of {usable_cores()} processes"
    )
    return values_of(measured), figures_of(measured)


def write_log(path: Path, lines: int) -> None:
    """Write *lines* timed lines as nova's own server logs them."""
    chance = random.Random(1)
    routes = [(method, path) for method, path, _ in _ROUTES]
    weights = [weight for _, _, weight in _ROUTES]
    people = [
        (f"{chance.getrandbits(128):032x}", f"{chance.getrandbits(128):032x}")
        for _ in range(_USERS)
    ]
    second = 0.0
    with open(path, "w") as file:
        for method, route in chance.choices(routes, weights, k=lines):
            second += chance.random() * 0.1
            user, project = chance.choice(people)
            server = UUID(int=chance.getrandbits(128))
            request = UUID(int=chance.getrandbits(128))
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
            called = route.replace("{id}", str(server))
            file.write(
                f"{stamp}.{int(second * 1000) % 1000:03d} 25746 INFO "
                f"nova.osapi_compute.wsgi.server [req-{request} {user} "
                f'{project} - - -] 10.11.10.1 "{method} /v2/{project}/{called}'
                f' HTTP/1.1" status: 200 len: {chance.randint(200, 9000)} '
                f"time: {chance.lognormvariate(-1.5, 0.8):.7f}\n"
            )


def measure(
    lines: int, runs: int, progress: Callable[[str], None]
) -> Measured:
    """Return the times of *runs* pairs of grep and report, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nova-api.log"
        progress(f"writing {lines} lines")
        write_log(path, lines)
        readings = []
        for number in range(runs):
            progress(f"pair {number + 1} of {runs}")
            grep = took(["grep", "-c", " time: ", str(path)])
            report = took([*NOVA_PROFILER, "report", str(path)])
            readings.append(Reading(grep.wall_s, *report))
        progress(f"{_COPIES} such logs, for memory")
        parent_mb, longest_mb = _memory_mb(path, folder)
        return Measured(
            lines, path.stat().st_size, readings, parent_mb, longest_mb
        )


def figures_of(measured: Measured) -> list[Figure]:
    """Return what reading is held against."""
    return [
        Figure(
            "report: lines of nova's own server",
            measured.lines_s,
            400_000,
            "lines/s",
            at_least=True,
        ),
        Figure("report: behind grep -c", measured.behind_s, 4.0, "s"),
        Figure(
            "report: memory of all its processes",
            measured.parent_mb + usable_cores() * measured.longest_mb,
            300.0,
            "MB",
        ),
    ]


def values_of(measured: Measured) -> dict[str, Any]:
    """Return everything measured, as JSON-ready values."""
    values = measured._asdict()
    values["runs"] = [run._asdict() for run in measured.runs]
    return {"report": values}


def _memory_mb(path: Path, folder: str) -> tuple[float, float]:
    """Return the most that the command took, and one of its processes."""
    program = (
        "import resource, sys\n"
        "from nova_profiler.cli import main\n"
        "if __name__ == '__main__':\n"
        "    main(sys.argv[1:])\n"
        "    for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):\n"
        "        print(resource.getrusage(whose).ru_maxrss, file=sys.stderr)\n"
    )
    script = Path(folder) / "memory.py"
    script.write_text(program)
    whole = Path(folder) / "whole"
    whole.mkdir()
    for number in range(_COPIES):
        shutil.copyfile(path, whole / f"{number}.log")
    done = subprocess.run(
        [sys.executable, str(script), "report", str(whole)],
        check=True,
        capture_output=True,
        text=True,
    )
    parent, child = map(int, done.stderr.split())
    return parent / 1024, child / 1024
