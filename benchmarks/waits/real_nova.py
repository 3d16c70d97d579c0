# SPDX-License-Identifier: Apache-2.0
"""Requests of the real nova-api, beside the clocks of what it asks."""

from __future__ import annotations

import http.client
import json
import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock

from benchmarks.running import processes
from demo import identity
from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.dump_store import DumpStore
from nova_profiler.groups import (
    DB_API,
    HTTP,
    NOT_PROCESSOR,
    PROCESSOR,
    PYTHON,
    UNSPLIT,
    WAITING,
)
from nova_profiler.record import RequestRecord

MODES = ("threads", "eventlet")
ANSWER_MS = 30
SERVERS = 10
_WARM_UP = 5
# The first microversion in which a server may have no network.
_VERSION = "compute 2.37"
_NEW = {
    "name": "bench",
    "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b",
    "flavorRef": "1",
    "networks": "none",
}


class Asked(NamedTuple):
    """What is asked, of which nova-api."""

    mode: str
    name: str
    method: str
    path: str
    body: str | None = None


class Found(NamedTuple):
    """What the records of one kind of request have, medians."""

    asked: Asked
    duration_ms: float
    # HTTP in the record over the other side's clock.
    http_ratio: float
    # Of the time off the CPU: what has a name.
    named: float
    breakdown_ms: dict[str, float]


def measure(requests: int, progress: Callable[[str], None]) -> Iterator[Found]:
    """Yield what was found of each kind of request, in each mode."""
    for mode in MODES:
        for asked in (
            Asked(mode, "servers/detail", "GET", "/v2.1/servers/detail"),
            Asked(
                mode,
                "server create",
                "POST",
                "/v2.1/servers",
                json.dumps({"server": _NEW}),
            ),
        ):
            progress(f"{asked.name}, {mode}")
            yield _found(asked, requests)


def _found(asked: Asked, requests: int) -> Found:
    directory = nova_api.new_directory("benchmarks/waits")
    urls = sqlite_files.urls(directory, SERVERS, lambda text: None)
    dumps, log = directory / "dumps", directory / "neutron.log"
    profiler = {"dump_dir": str(dumps), "dump_when": "all"}
    variables = {"NEUTRON_MS": str(ANSWER_MS), "NEUTRON_LOG": str(log)}
    with (
        mock.patch.dict(os.environ, variables),
        nova_api.running(directory, urls, asked.mode, profiler) as api,
    ):
        with _asking(api.port) as ask:
            for _ in range(_WARM_UP):
                ask(asked)
            pid = processes.child_with("demo.server.serve", str(directory))
            cpu_s = processes.cpu_seconds(pid)
            for _ in range(requests):
                ask(asked)
            cpu_s = processes.cpu_seconds(pid) - cpu_s
    store = DumpStore(dumps)
    records = [store.read(one) for one in store.entries()][:requests]
    lines = map(str.split, log.read_text().splitlines())
    by_id = {request_id: ms for request_id, ms, _ in lines}
    return Found(
        asked,
        statistics.median(one.duration_ms for one in records),
        statistics.median(
            call.ms / float(by_id[call.request_id])
            for record in records
            for call in record.timeline or ()
            if call.group == HTTP.name and call.request_id in by_id
        ),
        named_share(records, cpu_s * 1000),
        _mean_breakdown(records),
    )


def named_share(records: list[RequestRecord], cpu_ms: float) -> float:
    """Return the part of the time off the CPU that has a name.

    *cpu_ms* is what the process ran. All of it is taken as Python's or
    SQLAlchemy's, so that what these have beyond it was waited. What the
    records themselves do not name counts, if that is more.
    """
    whole_ms = sum(record.duration_ms for record in records)
    off_ms = whole_ms - cpu_ms
    buckets = (PYTHON.name, DB_API.bucket.name, WAITING.name)
    unnamed_ms = sum(
        record.breakdown_ms.get(bucket, 0.0)
        for record in records
        for bucket in buckets
    )
    unnamed_ms -= cpu_ms + _split(records, PROCESSOR.name)
    known_ms = _split(records, NOT_PROCESSOR.name)
    known_ms += _split(records, UNSPLIT.name)
    return 1.0 - max(unnamed_ms, known_ms) / off_ms


def _split(records: list[RequestRecord], part: str) -> float:
    return sum((one.unnamed_ms or {}).get(part, 0.0) for one in records)


def _mean_breakdown(records: list[RequestRecord]) -> dict[str, float]:
    buckets = {name for one in records for name in one.parts_ms}
    return {
        name: statistics.fmean(one.parts_ms.get(name, 0.0) for one in records)
        for name in buckets
    }


@contextmanager
def _asking(port: int) -> Iterator[Callable[[Asked], None]]:
    """Give what sends a request, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, 60)
    headers = {
        "X-Auth-Token": identity.token(),
        "Content-Type": "application/json",
        "OpenStack-API-Version": _VERSION,
    }

    def ask(asked: Asked) -> None:
        connection.request(asked.method, asked.path, asked.body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{asked.name}: {response.status} {text!r}")

    try:
        yield ask
    finally:
        connection.close()
