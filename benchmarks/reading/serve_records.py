# SPDX-License-Identifier: Apache-2.0
"""How soon `nova-profiler serve` has its pages, over logs and histories."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.reading.report import write_log
from benchmarks.reading.serve import (
    FIRST_S,
    OVERVIEW_S,
    figure,
    median_of,
    memory,
    serving,
    waited,
)
from benchmarks.running.figures import Figure
from nova_profiler.reading.logs import AccessEntry
from nova_profiler.reading.runs.kept.store import History

RECORDS_S = 2 * OVERVIEW_S
# Reading a log is what `history add` of it takes, as well.
READ_S = 300.0
KNOWN_S = 10.0
MEMORY_MB = 1500.0
_SECONDS_APART = 0.08
_PARTS = ("sql", "python", "waiting")


def measure(
    records: int, runs: int, progress: Callable[[str], None]
) -> list[Figure]:
    """Return what the pages over so many records take, medians of *runs*."""
    with tempfile.TemporaryDirectory() as folder:
        log, history = Path(folder, "nova-api.log"), Path(folder, "history")
        cache = Path(folder, "cache")
        progress(f"writing a log of {records} lines")
        write_log(log, records)
        progress("serving it")
        what = f"log of {records} lines"
        with serving(cache, log) as server:
            first_s = server.since_start_s()
            read_s = waited(server, "read", records)
        found = [
            figure(f"first page, {what}", first_s, FIRST_S),
            figure(f"all read, {what}", read_s, READ_S),
            *_once_known(cache, log, what, records, runs),
        ]
        progress(f"keeping {records} requests")
        History(history).add("all", _entries(records))
        progress("serving them")
        what = f"history of {records} requests"
        return [*found, *_once_known(cache, history, what, records, runs)]


def _once_known(
    cache: Path, place: Path, what: str, records: int, runs: int
) -> list[Figure]:
    """Return what pages take once all records are known."""
    with serving(cache, place) as server:
        known_s = waited(server, "read", records, pause_s=0.5)
        overview_s = median_of(server.address + "?page={}", runs)
        sorted_s = median_of(server.address + "?sort=ms&page={}", runs)
        return [
            figure(f"all known, {what}", known_s, KNOWN_S),
            figure(f"overview, {what}", overview_s, RECORDS_S),
            figure(
                f"overview, the slowest first, {what}", sorted_s, RECORDS_S
            ),
            memory(what, server, MEMORY_MB),
        ]


def _entries(records: int) -> Iterator[AccessEntry]:
    """Yield the requests of one day."""
    chance = random.Random(1)
    for number in range(records):
        ms = 1000 * chance.lognormvariate(-1, 1)
        yield AccessEntry(
            form="log_file",
            service="nova-api",
            at=1795219200.0 + number * _SECONDS_APART,
            method=("GET", "POST")[number % 2],
            route=f"/v2.1/servers/{{id}}/{number % 30}",
            status=chance.choice((200, 200, 200, 404, 500)),
            ms=ms,
            request_id=f"req-{number:08x}-0000-4000-8000-000000000000",
            user_name=f"user-{number % 50}",
            project_name=f"project-{number % 20}",
            breakdown_ms={part: ms / len(_PARTS) for part in _PARTS},
        )
