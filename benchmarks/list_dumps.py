# SPDX-License-Identifier: Apache-2.0
"""How long `nova-profiler list` takes on many dumps, as a command."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from nova_profiler.dump_store.names import name_of_dump
from nova_profiler.record import RequestRecord

RUN = "import sys; from nova_profiler.cli import main; sys.exit(main())"
COMMANDS = (["list"], ["list", "--slowest"], ["show", "--last"])


def main() -> int:
    """Make the dumps, run each command a few times, print its median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dumps", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--limit-s", type=float, default=1.0)
    asked = parser.parse_args()
    slowest_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        make_dumps(Path(folder), asked.dumps)
        for command in COMMANDS:
            median_s = statistics.median(
                run_s([*command, "--dump-dir", folder])
                for _ in range(asked.runs)
            )
            slowest_s = max(slowest_s, median_s)
            print(
                f"{asked.dumps} dumps, nova-profiler {' '.join(command)}: "
                f"median {median_s:.2f} s of {asked.runs} runs"
            )
    return int(slowest_s > asked.limit_s)


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


def run_s(args: list[str]) -> float:
    """Return how long one command took, from start to end."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", RUN, *args],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
