# SPDX-License-Identifier: Apache-2.0
"""What py-spy costs the real nova-api, beside the reader of stacks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.running import processes
from benchmarks.stacks.throughput import Rate, Reader, rate_of, reader_of
from benchmarks.throughput import measuring
from demo.places import STATE


def run(pairs: int, requests: int, progress: Callable[[str], None]) -> Rate:
    """Return what py-spy costs, as its manual has it, 50 times a second."""
    seen: dict[int, list[Reader]] = {}
    pyspies: dict[int, subprocess.Popen[bytes]] = {}

    def progress_and_look(text: str) -> None:
        server = processes.child_with(
            "demo.server.serve", str(STATE / f"bench-with-{os.getpid()}")
        )
        if server not in pyspies:
            pyspies[server] = subprocess.Popen(
                [
                    *(_pyspy(), "record", "--rate", "50", "--pid"),
                    *(str(server), "--duration", "3600"),
                    *("--format", "raw", "--output", os.devnull),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        pid = pyspies[server].pid
        with suppress(OSError):
            seen.setdefault(pid, []).append(reader_of(Path(f"/proc/{pid}")))
        progress(f"py-spy: {text}")

    try:
        measured = measuring.measure(
            pairs, requests, "threads", progress_and_look, {}
        )
    finally:
        for pyspy in pyspies.values():
            # It heeds that between two looks.
            pyspy.send_signal(signal.SIGINT)
            pyspy.wait()
    return rate_of("py-spy, 50 a second", measured, seen)


def _pyspy() -> str:
    program = shutil.which(
        "py-spy", path=os.path.dirname(sys.executable)
    ) or shutil.which("py-spy")
    if program is None:
        raise measuring.ThroughputError("py-spy is not installed")
    return program
