# SPDX-License-Identifier: Apache-2.0
"""How fast `nova-profiler follow` is beside `grep -h`, as commands."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER

ALONE = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
# A request with a global id: follow reads the files a second time for it.
LED_ON = "req-5d0e8f11-4f65-4c9f-9c1e-3a0a7a5b6c7d"
GLOBAL = "req-0a1b2c3d-5e6f-4a7b-8c9d-00000000beef"
# The number of files with lines of the request, and of such lines in each.
HOLDING = 20
_LINES = 5
_LEAST_MB_S = 300
_LEAST_COMPRESSED_MB_S = 100
_MESSAGES = (
    'Acquiring lock "compute_resources" by "nova.compute.resource_tracker.'
    'ResourceTracker.instance_claim" inner lockutils.py:404',
    "[instance: 6a7f0c1e-0000-4000-8000-000000000001] Claim successful",
    "Filter ComputeFilter returned 1 host(s) get_filtered_objects",
    '10.0.0.1 "GET /v2.1/servers/detail HTTP/1.1" status: 200 len: 1893 '
    "microversion: 2.1 time: 0.247783",
)


class Pair(NamedTuple):
    """What both commands took for one request, one after the other."""

    grep_s: float
    follow_s: float
    first_line_s: float


def run(
    console: Console, files: int, file_kb: int, pairs: int, compressed: bool
) -> list[Figure]:
    """Measure and print; return the figures to reach."""
    program = "zgrep" if compressed else "grep"
    with tempfile.TemporaryDirectory() as folder:
        size = make_logs(Path(folder), files, file_kb * 1024, compressed)
        rows = []
        for request_id, label in (
            (ALONE, "one pass"),
            (LED_ON, "two passes, for a global id"),
        ):
            # The first one is left out: it brings the files into memory.
            measured = [
                measure(program, request_id, folder) for _ in range(pairs + 1)
            ][1:]
            rows.append(_row(console, program, label, size / 1e6, measured))
    return rows


def _row(
    console: Console,
    program: str,
    label: str,
    size_mb: float,
    measured: list[Pair],
) -> Figure:
    grep_s, follow_s, first_s = (
        statistics.median(values) for values in zip(*measured, strict=True)
    )
    ratio = statistics.median(one.follow_s / one.grep_s for one in measured)
    console.print(
        f"{size_mb:.0f} MB, {label}: {program} -h {grep_s:.2f} s, "
        f"follow {follow_s:.2f} s, {ratio:.1f} times that; with --stream "
        f"the first line after {first_s:.2f} s; medians of "
        f"{len(measured)} pairs"
    )
    return Figure(
        f"follow, text searched, {label}",
        size_mb / follow_s,
        _LEAST_MB_S if program == "grep" else _LEAST_COMPRESSED_MB_S,
        "MB/s",
        at_least=True,
    )


def measure(program: str, request_id: str, folder: str) -> Pair:
    """Return what one search of each kind takes, from start to end."""
    files = sorted(str(path) for path in Path(folder).iterdir())
    began = time.perf_counter()
    found = _output(program, "-h", request_id, *files)
    grep_s = time.perf_counter() - began
    follow = [*NOVA_PROFILER, "follow", request_id, folder]
    began = time.perf_counter()
    page = _output(*follow)
    follow_s = time.perf_counter() - began
    assert len(found.splitlines()) == HOLDING * _LINES
    assert page.count("the text of the request") >= HOLDING * _LINES
    return Pair(grep_s, follow_s, _first_line_s([*follow, "--stream"]))


def _output(*command: str) -> str:
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _first_line_s(command: list[str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first_s = time.perf_counter() - began
        process.stdout.read()
    return first_s


def make_logs(
    folder: Path, files: int, size: int, is_compressed: bool = False
) -> int:
    """Write *files* logs of *size* bytes; return the bytes of all."""
    random = Random(1)
    total = 0
    for number in range(files):
        lines = [_line(random) for _ in range(size // 230)]
        if number % (files // HOLDING) == 0 and (
            number // (files // HOLDING) < HOLDING
        ):
            for ids in (f"None {ALONE}", f"{GLOBAL} {LED_ON}"):
                for _ in range(_LINES):
                    place = random.randrange(len(lines))
                    text = "the text of the request"
                    lines.insert(place, _line(random, ids, text))
        data = "".join(lines).encode()
        total += len(data)
        if is_compressed:
            data = gzip.compress(data, 1)
        (folder / f"nova-compute-{number:04}.log").write_bytes(data)
    return total


def _line(random: Random, ids: str = "", message: str = "") -> str:
    ids = ids or f"None req-{UUID(int=random.getrandbits(128))}"
    clock = f"{random.randrange(24):02}:{random.randrange(60):02}:07.123"
    return (
        f"2026-11-21 {clock} 71 DEBUG nova.compute.manager [{ids} "
        f"f796a35f07dc41c2b5e88010d2210442 - - - default default] "
        f"{message or random.choice(_MESSAGES)}\n"
    )
