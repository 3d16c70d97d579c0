# SPDX-License-Identifier: Apache-2.0
"""How soon `nova-profiler serve` has its pages, over many dumps."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER
from nova_profiler.dump_store.names import name_of_dump
from nova_profiler.profiles import SAMPLES_SUFFIX, STACKS
from nova_profiler.profiles.frames import frame_text
from nova_profiler.profiles.session_files import About, write_session
from nova_profiler.record import RequestRecord, TimelineEntry

FIRST_S = 1.0
NAMED_S = 10.0
READ_S = 300.0
OVERVIEW_S = 0.5
MEMORY_MB = 500.0
REQUEST_S = 0.2
_ROUTES = ("/v2.1/servers", "/v2.1/servers/detail", "/v2.1/servers/{id}")
_PARTS = ("sql", "sqlalchemy", "python", "waiting", "http")
# Of the request whose page is timed.
_CALLS = 2000
_NODES = 5000
# Functions that all stacks begin with, and those that only one of them has.
_SHARED, _OWN = 15, 5
_LONGEST_WAIT_S = 900.0


class Serving(NamedTuple):
    """A server that runs: its address, its process, when it was started."""

    address: str
    pid: int
    began: float

    def since_start_s(self) -> float:
        """Return the seconds since it was started."""
        return time.perf_counter() - self.began


def measure(
    dumps: int, runs: int, progress: Callable[[str], None]
) -> list[Figure]:
    """Return what the pages over *dumps* take, medians of *runs*."""
    with tempfile.TemporaryDirectory() as folder:
        place, cache = Path(folder, "dumps"), Path(folder, "cache")
        place.mkdir()
        progress(f"writing {dumps} dumps")
        key = make_dumps(place, dumps)
        progress("serving them")
        return [
            *_first_start(place, cache, dumps),
            *_next_start(place, cache, key, dumps, runs),
        ]


@contextmanager
def serving(cache: Path, *places: Path) -> Iterator[Serving]:
    """Serve *places*; what is kept for the next start goes to *cache*."""
    began = time.perf_counter()
    command = [*NOVA_PROFILER, "serve", *map(str, places), "--port", "0"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment
    ) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().decode().strip()
            asked(address)
            yield Serving(address, server.pid, began)
        finally:
            server.send_signal(signal.SIGINT)


def _first_start(place: Path, cache: Path, dumps: int) -> list[Figure]:
    with serving(cache, place) as server:
        first_s = server.since_start_s()
        named_s = waited(server, "named", dumps)
        read_s = waited(server, "read", dumps)
        kept = cache / "nova-profiler" / "pages"
        while not kept.is_dir() or not any(kept.glob("[!.]*")):
            time.sleep(1.0)
    return [
        figure(f"first page, {dumps} dumps", first_s, FIRST_S),
        figure(f"all names known, {dumps} dumps", named_s, NAMED_S),
        figure(f"all dumps read, {dumps} dumps", read_s, READ_S),
    ]


def _next_start(
    place: Path, cache: Path, key: str, dumps: int, runs: int
) -> list[Figure]:
    """Return what a server takes that finds what was kept."""
    with serving(cache, place) as server:
        first_s = server.since_start_s()
        known_s = waited(server, "read", dumps, pause_s=0.5)
        # Another page each time: nothing is worked out yet.
        overview_s = median_of(server.address + "?page={}", runs)
        request_s = median_of(
            f"{server.address}requests/{key}?frame={{}}", runs
        )
        return [
            figure(
                f"first page of the next start, {dumps} dumps",
                first_s,
                FIRST_S,
            ),
            figure(
                f"all known at the next start, {dumps} dumps", known_s, NAMED_S
            ),
            figure(
                f"overview once read, {dumps} dumps", overview_s, OVERVIEW_S
            ),
            figure(
                f"{_CALLS} calls, {_NODES} stack nodes", request_s, REQUEST_S
            ),
            memory(f"{dumps} dumps", server, MEMORY_MB),
        ]


def make_dumps(folder: Path, count: int) -> str:
    """Write dumps of one day; return where the page of the last one is."""
    chance = random.Random(1)
    start = datetime(2026, 11, 21, tzinfo=timezone.utc)
    step = timedelta(hours=23) / count
    day, stem = "", ""
    for number in range(count):
        record = RequestRecord()
        record.started_at = (start + number * step).isoformat()
        record.request_id = f"req-{number:08x}-0000-4000-8000-000000000000"
        record.method = ("GET", "POST")[number % 2]
        record.route = record.path = chance.choice(_ROUTES)
        record.duration_ms = 1000 * chance.lognormvariate(0, 1)
        record.status = chance.choice((200, 200, 200, 404, 500))
        record.user_name = record.project_name = f"user-{number % 50}"
        record.breakdown_ms = {
            part: record.duration_ms / len(_PARTS) for part in _PARTS
        }
        record.timeline = [
            TimelineEntry("sql", "SELECT instances", place / 2, 0.4)
            for place in range(_CALLS if number == count - 1 else 20)
        ]
        day, stem = name_of_dump(record)
        (folder / day).mkdir(exist_ok=True)
        with open(folder / day / f"{stem}.json", "w") as file:
            json.dump(record.to_dict(), file)
    (folder / day / f"{stem}{SAMPLES_SUFFIX}").write_bytes(_stacks())
    return f"0/{day}/{stem}"


def _stacks() -> bytes:
    """Return stacks of _NODES functions, each as its callers call it."""
    shared = [_frame("shared", place) for place in range(_SHARED)]
    samples = [
        (
            [*shared, *(_frame(f"own_{number}", at) for at in range(_OWN))],
            0.001,
        )
        for number in range((_NODES - _SHARED) // _OWN)
    ]
    about = About(STACKS, "GET /v2.1/servers", len(samples), 0.001, 1.0, 1.0)
    return write_session(samples, about)


def _frame(name: str, place: int) -> str:
    package = ("nova", "sqlalchemy", "oslo_db")[place % 3]
    file = f"/usr/lib/python3/dist-packages/{package}/module_{place}.py"
    return frame_text(f"{name}_{place}", file, 10 * place + 1)


def asked(url: str) -> bytes:
    """Return the page at *url*."""
    with urllib.request.urlopen(url, timeout=300) as answer:
        content: bytes = answer.read()
        return content


def waited(
    server: Serving, name: str, rows: int, pause_s: float = 3.0
) -> float:
    """Return the seconds until the index has as many rows as are wanted."""
    while True:
        progress: dict[str, Any] = json.loads(
            # Chooses nothing: what it takes is not the index's.
            asked(f"{server.address}?format=json&min_ms=1000000000")
        )["progress"]
        now = server.since_start_s()
        if progress["named"] and (name == "named" or progress[name] >= rows):
            return now
        if now > _LONGEST_WAIT_S:
            raise RuntimeError(f"after {now:.0f} s only {progress}")
        time.sleep(0.2 if name == "named" else pause_s)


def median_of(pattern: str, runs: int) -> float:
    """Return the seconds that pages of the addresses *pattern* take."""
    taken = []
    for number in range(1, runs + 1):
        began = time.perf_counter()
        asked(pattern.format(number))
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def figure(what: str, seconds: float, limit: float) -> Figure:
    """Return *seconds* beside their *limit*."""
    return Figure(f"serve: {what}", seconds, limit, "s")


def memory(what: str, server: Serving, limit: float) -> Figure:
    """Return the most memory that *server* had, beside its *limit*."""
    peak_mb = _peak_mb(server.pid)
    return Figure(f"serve: memory, {what}", peak_mb, limit, "MB")


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")
