# SPDX-License-Identifier: Apache-2.0
"""Files as workers leave them of requests that are on."""

from __future__ import annotations

from pathlib import Path

from nova_profiler.dump_store.processes import Process, this_process
from nova_profiler.dump_store.running import (
    Trace,
    running_folder,
    traces_in,
    write_trace,
)
from nova_profiler.record import KILLED, OpenCall, OpenStack, RequestRecord

TOKEN = "0a1b2c3d"


def ended_process() -> Process:
    """Return a process with this one's number that has ended."""
    here = this_process()
    return here._replace(started=here.started - 1)


def unfinished(**fields: object) -> RequestRecord:
    """Return the record of a request that was on when it was looked at."""
    record = RequestRecord()
    record.service, record.host, record.pid = "nova-api", "vm", 4711
    record.request_id = "req-6ec84648-1111-2222-3333-444455556666"
    record.started_at = "2026-11-21T10:35:01.123456+00:00"
    record.method, record.path = "GET", "/v2.1/servers/detail"
    record.route = "/v2.1/servers/detail"
    record.outcome = KILLED
    record.duration_ms = record.app_ms = 4200.0
    record.open_calls = [
        OpenCall("db_api", "instance_get_all", 100.0, 4100.0, "worker-1"),
        OpenCall("sql", "SELECT instances", 200.0, 4000.0, "worker-1"),
    ]
    record.open_stacks = [
        OpenStack(
            "worker-1",
            (
                "/usr/lib/python3/dist-packages/nova/db/main/api.py:18 get",
                "/usr/lib/python3/dist-packages/pymysql/connections.py:7 read",
            ),
        )
    ]
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def left_behind(
    directory: Path,
    process: Process | None = None,
    number: int = 1,
    **fields: object,
) -> Path:
    """Write the file of a request as a worker does that ended since."""
    folder = running_folder(directory)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{process or ended_process()}-{TOKEN}-{number}.json"
    write_trace(folder / name, unfinished(**fields))
    return folder / name


def traces_of(directory: Path, *, of_living: bool = False) -> list[Trace]:
    """Return the traces of a dump directory that is ours."""
    return traces_in(running_folder(directory), of_living=of_living)
