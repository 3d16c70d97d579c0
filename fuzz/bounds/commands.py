# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a process of its own, and has its memory and its time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

# The command prints to its own output; the last line of its errors is ours.
_CODE = """
import json, resource, sys
from nova_profiler.cli import main
code = main(sys.argv[1:])
used = [
    resource.getrusage(whose)
    for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
]
cpu_s = sum(one.ru_utime + one.ru_stime for one in used)
largest = max(one.ru_maxrss for one in used)
print(json.dumps([code, cpu_s, largest]), file=sys.stderr)
"""
_KIB_PER_MB = 1024


class Ran(NamedTuple):
    """How a command ended; the memory of its largest process.

    ``cpu_s`` is the processor time of all its processes.
    """

    code: int
    seconds: float
    cpu_s: float
    peak_mb: float
    output: str


def ran(*args: str | Path, limit_s: float) -> Ran:
    """Return what came of a command.

    Raises subprocess.TimeoutExpired after *limit_s*.
    """
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=limit_s,
    )
    lines = done.stderr.splitlines()
    if done.returncode != 0 or not lines:
        return Ran(done.returncode or -1, 0.0, 0.0, 0.0, done.stderr[-500:])
    code, cpu_s, largest = json.loads(lines[-1])
    return Ran(
        code,
        time.monotonic() - began,
        cpu_s,
        largest / _KIB_PER_MB,
        done.stdout,
    )
