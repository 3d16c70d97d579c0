# SPDX-License-Identifier: Apache-2.0
"""How long `nova-profiler running` takes on the workers of one host."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER, took

LIMIT_S = 0.3


def measure(workers: int, requests: int, runs: int) -> list[Figure]:
    """Return the median of *runs*, each worker with as many *requests* on."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _workers(workers, requests, folder),
    ):
        command = [*NOVA_PROFILER, "running", "--dump-dir", folder]
        wanted = f"{workers * requests} requests are on in {workers} workers"
        seen = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        if not seen.stdout.decode().startswith(wanted):
            raise RuntimeError(f"not {wanted!r}: {seen.stdout[:200]!r}")
        return [
            Figure(
                f"nova-profiler running, {workers} workers x {requests}",
                statistics.median(took(command).wall_s for _ in range(runs)),
                LIMIT_S,
                "s",
            )
        ]


@contextmanager
def _workers(workers: int, requests: int, folder: str) -> Iterator[None]:
    """Have as many processes wait, each in as many requests."""
    command = [sys.executable, "-m", "benchmarks.reading.waiting_worker"]
    begun = [
        subprocess.Popen(
            [*command, folder, str(requests)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(workers)
    ]
    try:
        for one in begun:
            assert one.stdout is not None
            if not one.stdout.readline():
                raise RuntimeError("a worker ended before its requests")
        yield
    finally:
        for one in begun:
            # Its requests end with its input.
            one.communicate()
