# SPDX-License-Identifier: Apache-2.0
"""Throughput of the real nova-api, with the filter and without, in turn."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from benchmarks.running import processes
from benchmarks.running.figures import Figure
from benchmarks.running.stack_padding import padded_paste_text, paddings
from demo import identity, load
from demo.databases import sqlite_files
from demo.server import configuration, nova_api
from demo.statsd_listener import StatsdListener

PATH = "/v2.1/servers/detail"
CLIENTS = 3
GENERATIONS = 8
SERVERS = 10
_WARM_UP = 10


class Turn(NamedTuple):
    """One short run against one of the two servers."""

    requests_s: float
    cpu_ms: float


class Pair(NamedTuple):
    """A run without the filter and one with it, next to each other."""

    without: Turn
    with_filter: Turn

    @property
    def throughput(self) -> float:
        """Return the throughput with the filter over that without."""
        return self.with_filter.requests_s / self.without.requests_s

    @property
    def cpu(self) -> float:
        """Return the server's CPU time a request, with over without."""
        return self.with_filter.cpu_ms / self.without.cpu_ms


class Server(NamedTuple):
    """A nova-api that is up, and its process."""

    api: nova_api.NovaApi
    pid: int


class _Servers(NamedTuple):
    without: Server
    with_filter: Server
    log_file: Path


class ThroughputError(Exception):
    """A figure would mean nothing: some requests failed or left no record."""


def measure(
    pairs: int,
    requests: int,
    mode: str,
    progress: Callable[[str], None],
    profiler: Mapping[str, str] | None = None,
) -> list[Pair]:
    """Return *pairs* of runs of *requests* by each of the clients.

    With *profiler*, options of [nova_profiler], both servers have the
    filter, and one of them these options as well.

    Both servers are up all the time on the same databases and the same
    core, and only one has work at a time. Which one of a pair comes first
    changes: what the machine gains or loses meanwhile hits both alike. Both
    start again for each padding of the frame stack, since its chunks would
    decide otherwise; see stack_padding.
    """
    measured: list[Pair] = []
    for generation, words in enumerate(paddings(GENERATIONS)):
        share = pairs * (generation + 1) // GENERATIONS - len(measured)
        if not share:
            # Fewer pairs than paddings.
            continue
        first = generation % 2 == 1
        with _two_servers(mode, first, words, progress, profiler) as servers:
            _run(servers.without, _WARM_UP)
            _run(servers.with_filter, _WARM_UP)
            lines = _lines(servers.log_file)
            for _ in range(share):
                progress(f"nova-api, pair {len(measured) + 1}/{pairs}")
                measured.append(
                    _pair(servers, requests, reverse=len(measured) % 2 == 1)
                )
            _check(servers.log_file, lines, share * requests * CLIENTS)
    return measured


def figure_of(pairs: Sequence[Pair]) -> Figure:
    """Return what the real nova-api keeps of its throughput."""
    value = statistics.median(pair.throughput for pair in pairs)
    label = "nova-api, GET servers/detail: throughput with over without"
    return Figure(label, value, 0.97, "x", at_least=True)


def values_of(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return both runs of every pair, ready for JSON."""
    return [
        {
            "without": pair.without._asdict(),
            "with": pair.with_filter._asdict(),
            "throughput": pair.throughput,
            "cpu": pair.cpu,
        }
        for pair in pairs
    ]


def _pair(servers: _Servers, requests: int, reverse: bool) -> Pair:
    order = [servers.without, servers.with_filter]
    if reverse:
        order.reverse()
    turns = {server.pid: _run(server, requests) for server in order}
    return Pair(turns[servers.without.pid], turns[servers.with_filter.pid])


@contextmanager
def _two_servers(
    mode: str,
    filter_first: bool,
    words: int,
    progress: Callable[[str], None],
    profiler: Mapping[str, str] | None,
) -> Iterator[_Servers]:
    cores = processes.cores()
    # Of this process alone: another bench may run at the same time.
    directories = {
        False: nova_api.new_directory(f"bench-without-{os.getpid()}"),
        True: nova_api.new_directory(f"bench-with-{os.getpid()}"),
    }
    log_file = directories[True] / "requests.log"
    urls = sqlite_files.urls(directories[False], SERVERS, progress)
    with StatsdListener(core=cores.own) as statsd:
        filters = {
            has_filter: {
                "hooks": "sqlalchemy,db_api,threads",
                "statsd_host": "127.0.0.1",
                "statsd_port": str(statsd.port),
                "log_file": str(directory / log_file.name),
            }
            for has_filter, directory in directories.items()
        }
        options = {
            False: None if profiler is None else filters[False],
            True: {**filters[True], **(profiler or {})},
        }
        with (
            processes.pinned(cores.measured),
            _padded_pipelines(directories[False], words),
            ExitStack() as stack,
        ):
            servers = {}
            for has_filter in (filter_first, not filter_first):
                directory = directories[has_filter]
                api = stack.enter_context(
                    nova_api.running(
                        directory, urls, mode, options[has_filter]
                    )
                )
                pid = processes.child_with("demo.server.serve", str(directory))
                servers[has_filter] = Server(api, pid)
            processes.pin(cores.own)
            yield _Servers(servers[False], servers[True], log_file)
        if not statsd.datagrams:
            raise ThroughputError("the filter sent no metric")
    # Not after an exception: the logs of what failed are there.
    for directory in directories.values():
        shutil.rmtree(directory)


@contextmanager
def _padded_pipelines(directory: Path, words: int) -> Iterator[None]:
    """Make the demo start from a nova with padded pipelines."""
    source = directory / "padded-paste.ini"
    text = configuration.nova_paste().read_text()
    source.write_text(padded_paste_text(text, words))
    with mock.patch.object(configuration, "nova_paste", lambda: source):
        yield


def _run(server: Server, requests: int) -> Turn:
    """Return a run of all clients; each request must succeed."""
    statuses: list[int] = []

    def client(number: int) -> None:
        _ask(server.api.port, requests, statuses)

    cpu = processes.cpu_seconds(server.pid)
    start = time.perf_counter()
    load.at_once(client, CLIENTS)
    wall = time.perf_counter() - start
    cpu = processes.cpu_seconds(server.pid) - cpu
    if statuses != [200] * (CLIENTS * requests):
        raise ThroughputError(
            f"{CLIENTS * requests} requests got {sorted(set(statuses))} in "
            f"{len(statuses)} answers; see {server.api.directory}"
        )
    return Turn(len(statuses) / wall, cpu * 1000 / len(statuses))


def _ask(port: int, requests: int, statuses: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"X-Auth-Token": identity.token(), "Accept": "application/json"}
    try:
        for _ in range(requests):
            connection.request("GET", PATH, headers=headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    finally:
        connection.close()


def _check(log_file: Path, before: int, requests: int) -> None:
    """Raise unless the filter wrote a record with SQL for each request."""
    records = log_file.read_bytes().splitlines()[before:]
    groups = json.loads(records[-1])["groups"] if records else {}
    if len(records) != requests or not {"sql", "db_api"} <= groups.keys():
        raise ThroughputError(
            f"{len(records)} records for {requests} requests, the last one "
            f"with {sorted(groups)}"
        )


def _lines(log_file: Path) -> int:
    return len(log_file.read_bytes().splitlines())
