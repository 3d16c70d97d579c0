# SPDX-License-Identifier: Apache-2.0
"""How long `nova-profiler list` takes on many dumps, as a command."""

from __future__ import annotations

import json
import statistics
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER, took
from nova_profiler.dump_store.names import name_of_dump
from nova_profiler.record import RequestRecord

LIMIT_S = 1.0
COMMANDS = (["list"], ["list", "--slowest"], ["show", "--last"])


def measure(dumps: int, runs: int) -> list[Figure]:
    """Return the median time of each command over *dumps*, of *runs*."""
    with tempfile.TemporaryDirectory() as folder:
        make_dumps(Path(folder), dumps)
        return [
            Figure(
                f"nova-profiler {' '.join(command)}, {dumps} dumps",
                statistics.median(
                    took(
                        [*NOVA_PROFILER, *command, "--dump-dir", folder]
                    ).wall_s
                    for _ in range(runs)
                ),
                LIMIT_S,
                "s",
            )
            for command in COMMANDS
        ]


def make_dumps(folder: Path, count: int) -> None:
    """Write *count* dumps of one afternoon, all in one folder."""
    start = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
    step = timedelta(hours=6) / count
    for number in range(count):
        record = RequestRecord()
        record.started_at = (start + number * step).isoformat()
        record.request_id = f"req-{number:08x}-0000-4000-8000-000000000000"
        record.method = ("GET", "POST")[number % 2]
        record.route = record.path = "/v2.1/servers/detail"
        record.duration_ms = 1000 + number * 7919 % 100_000 / 10
        record.status = 200
        day, stem = name_of_dump(record)
        (folder / day).mkdir(exist_ok=True)
        with open(folder / day / f"{stem}.json", "w") as file:
            json.dump(record.to_dict(), file)
