# SPDX-License-Identifier: Apache-2.0
"""The cloud's services: started in the order in which they need each other."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from demo.cloud import broker, configuration, databases
from demo.cloud.processes import CloudError, Processes, free_port
from demo.databases.making import Progress
from demo.server.nova_api import NovaApi

STUBS = ("keystone", "neutron", "glance")
_PLACEMENT = "placement.wsgi.api:application"
_PROFILER = "nova_profiler.wsgi:application"
_WORKERS = "10"
_START_S = 180
_STUB_START_S = 30
# The last thing that a compute host tells placement of itself.
_INVENTORY_SET = re.compile(r"PUT \S+/inventories.* status: 200")
_STARTED = re.compile("Starting conductor node")
# nova's services import no eventlet.
_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}


class Cloud(NamedTuple):
    """Where the running cloud is reached, and where its files are."""

    api: NovaApi
    directory: Path


@contextmanager
def running(
    directory: Path,
    mysql_url: str,
    delays_ms: Mapping[str, float],
    profiler: Mapping[str, str] | None,
    progress: Progress,
) -> Iterator[Cloud]:
    """Run the cloud until the end of the with statement.

    *delays_ms* has how long each of STUBS takes to answer; *profiler* are the
    options of [nova_profiler], None leaves the profiler out.
    """
    for reason in (broker.missing(), databases.missing(mysql_url)):
        if reason is not None:
            raise CloudError(reason)
    with Processes(directory / "output") as processes:
        progress("starting RabbitMQ and the stubs")
        port = broker.start(processes, directory / "rabbitmq")
        transport_url = f"rabbit://guest:guest@127.0.0.1:{port}/"
        _start_stubs(processes, delays_ms)
        with databases.made(mysql_url, transport_url, progress) as urls:
            progress("databases: there")
            stubs = [_stub_url(processes, stub) for stub in STUBS]
            neighbours = configuration.Neighbours(
                urls, transport_url, f"{stubs[0]}/v3", *stubs[1:]
            )
            try:
                yield _started(
                    processes, directory, neighbours, profiler, progress
                )
            finally:
                processes.end_all()


def _start_stubs(processes: Processes, delays_ms: Mapping[str, float]) -> None:
    for stub in STUBS:
        module = f"demo.cloud.stubs.{stub}"
        processes.start_module(stub, module, str(delays_ms.get(stub, 0)))


def _stub_url(processes: Processes, stub: str) -> str:
    processes.wait(
        stub, "not up", lambda: "\n" in processes.output(stub), _STUB_START_S
    )
    return f"http://127.0.0.1:{processes.output(stub).split()[0]}"


def _started(
    processes: Processes,
    directory: Path,
    neighbours: configuration.Neighbours,
    profiler: Mapping[str, str] | None,
    progress: Progress,
) -> Cloud:
    """Start placement and nova; return when a server can be created."""
    at_placement, at_api = directory / "placement", directory / "nova-api"
    at_placement.mkdir()
    configuration.write_placement(at_placement, neighbours, profiler)
    placement_port = free_port()
    configuration.write_nova(
        directory, neighbours, f"http://127.0.0.1:{placement_port}", profiler
    )
    progress("starting placement and nova-api")
    _start_placement(
        processes, at_placement, placement_port, profiler is not None
    )
    _start_nova_api(processes, directory, at_api)
    broker.wait(processes)
    progress("RabbitMQ is up; starting nova-conductor and nova-scheduler")
    _start_nova(processes, directory, "nova-conductor")
    _start_nova(processes, directory, "nova-scheduler")
    _wait_for_log(
        processes, "nova-conductor", directory / "nova-conductor.log", _STARTED
    )
    # It asks the conductor at once, and waits 10 s if that is not there yet.
    progress("starting nova-compute")
    _start_nova(processes, directory, "nova-compute")
    api_port = _served_port(processes, "nova-api", at_api)
    _served_port(processes, "placement", at_placement)
    _wait_for_log(
        processes,
        "nova-compute",
        at_placement / configuration.PLACEMENT_LOG,
        _INVENTORY_SET,
    )
    progress("all services are up")
    return Cloud(NovaApi(api_port, at_api), directory)


def _start_nova_api(
    processes: Processes, directory: Path, at_api: Path
) -> None:
    at_api.mkdir()
    # One file for all services of nova.
    drop_ins = (directory / configuration.DROP_INS).iterdir()
    for path in (
        directory / "nova.conf",
        directory / "api-paste.ini",
        *drop_ins,
    ):
        (at_api / path.name).symlink_to(path)
    processes.start_module(
        "nova-api", "demo.server.serve", str(at_api), "threads", _WORKERS
    )


def _start_placement(
    processes: Processes, directory: Path, port: int, profiled: bool
) -> None:
    """Start placement; its pipeline is code, so a profiler wraps it whole."""
    processes.start_module(
        "placement",
        "demo.cloud.serve_placement",
        str(directory),
        _PROFILER if profiled else _PLACEMENT,
        _WORKERS,
        str(port),
        variables={"NOVA_PROFILER_APPLICATION": _PLACEMENT},
    )


def _wait_for_log(
    processes: Processes, name: str, log: Path, line: re.Pattern[str]
) -> None:
    """Return when *log* has *line*, which shows that a service is there."""
    processes.wait(
        name,
        f"no {line.pattern!r} in {log.name}",
        lambda: log.exists() and bool(line.search(log.read_text())),
        _START_S,
    )


def _start_nova(processes: Processes, directory: Path, name: str) -> None:
    processes.start(
        name,
        [
            sys.executable,
            str(Path(sys.executable).with_name(name)),
            *("--config-file", str(directory / "nova.conf")),
            *("--config-dir", str(directory / "nova.conf.d")),
            *("--log-file", str(directory / f"{name}.log")),
        ],
        _THREADS,
    )


def _served_port(processes: Processes, name: str, directory: Path) -> int:
    """Return the port that a server writes into a file."""
    port = directory / "port"
    processes.wait(name, "not up", port.exists, _START_S)
    return int(port.read_text())
