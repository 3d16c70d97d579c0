# SPDX-License-Identifier: Apache-2.0
"""Cores to measure on, and what processes take of them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

# The command, of the tree that this runs in.
NOVA_PROFILER = (
    sys.executable,
    "-c",
    "import sys; from nova_profiler.cli import main; sys.exit(main())",
)


class Took(NamedTuple):
    """What a command took, with all the processes that it had."""

    wall_s: float
    cpu_s: float


class Cores(NamedTuple):
    """A core for the load and the clocks, another for what is measured.

    Both are None on a machine with one core, where nothing is pinned.
    """

    own: int | None
    measured: int | None


def cores() -> Cores:
    """Return the first and the last core that we may run on."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(None, None)
    return Cores(allowed[0], allowed[-1])


def pin(core: int | None, pid: int = 0) -> None:
    """Keep a process, or this thread, on one core."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Pin this thread, and each process that it starts, for a while."""
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def took(command: Sequence[str]) -> Took:
    """Run *command* to its end and return what it took."""
    began, cpu_s = time.perf_counter(), _children_cpu_s()
    # Not into the null device, where grep stops at the first line found.
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Took(time.perf_counter() - began, _children_cpu_s() - cpu_s)


def child_with(*words: str) -> int:
    """Return the id of our child whose command line has all *words*."""
    wanted = set(words)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = _stat(entry.name)[1]
            line = (entry / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid() and wanted <= set(line):
            return int(entry.name)
    raise LookupError(f"no child process with {' '.join(words)}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, to the kernel's clock tick."""
    user, system = _stat(str(pid))[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident_mb() -> float:
    """Return this process's memory that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stat(pid: str) -> list[str]:
    # The name before the last parenthesis may hold blanks of its own.
    text = Path("/proc", pid, "stat").read_text()
    return text.rpartition(")")[2].split()
