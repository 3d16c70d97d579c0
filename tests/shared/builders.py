# SPDX-License-Identifier: Apache-2.0
"""Records as nova-api makes them, written by hand for tests to read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nova_profiler.record import (
    CallTotals,
    GroupTotals,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"
SERVER_ID = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"

SELECT_INSTANCES = (
    "SELECT anon_1.instances_id, anon_1.instances_uuid, instance_extra_1.id "
    "FROM (SELECT instances.* FROM instances WHERE instances.deleted = ? AND "
    "instances.project_id = ? LIMIT ?) AS anon_1 LEFT OUTER JOIN "
    "instance_extra AS instance_extra_1 ON instance_extra_1.instance_uuid = "
    "anon_1.instances_uuid"
)
SELECT_METADATA = (
    "SELECT instance_metadata.key, instance_metadata.value FROM "
    "instance_metadata WHERE instance_metadata.instance_uuid = ?"
)


def record(**fields: Any) -> RequestRecord:
    """Return a quick ``GET /v2.1/servers`` with *fields* set."""
    made = RequestRecord()
    made.service = "nova-api"
    made.host = "controller-1"
    made.pid = 4242
    made.request_id = REQUEST_ID
    made.started_at = "2026-11-21T10:35:01.123456+00:00"
    made.method = "GET"
    made.path = "/v2.1/servers"
    made.route = "/v2.1/servers"
    made.status = 200
    made.response_bytes = 2048
    made.duration_ms = 42.5
    made.app_ms = 42.0
    made.cpu_ms = 30.25
    made.user_name = made.project_name = "demo"
    made.user_id = "0f" * 16
    made.project_id = "1e" * 16
    made.remote_address = "192.0.2.7"
    made.breakdown_ms = {"sql": 4.0, "sqlalchemy": 8.5, "python": 30.0}
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def numbered(number: int, **fields: Any) -> RequestRecord:
    """Return a record that is a second later for each *number*."""
    at = 8 * 3600 + number
    started_at = (
        f"2026-11-{10 + at // 86400:02d}T{at // 3600 % 24:02d}:"
        f"{at // 60 % 60:02d}:{at % 60:02d}.000000+00:00"
    )
    own = {
        "request_id": f"req-{number:08x}-1f0d-4f2c-9a53-6cc2b5e0b7aa",
        "started_at": started_at,
        "duration_ms": 100.0 + number,
    }
    return record(**{**own, **fields})


def one_of_each_kind() -> list[RequestRecord]:
    """Return a request, a message, a task and a periodic task."""
    words = [
        ("request", "GET", "/v2.1/servers"),
        ("message", "CAST", "rpc compute reboot_instance"),
        ("task", "TASK", "task LONG_TASK ComputeManager._build"),
        ("periodic", "PERIODIC", "periodic ComputeManager._sync"),
    ]
    return [
        numbered(
            n,
            kind=kind,
            method=method,
            route=route,
            path=route,
            status=0 if n else 200,
            record_id=f"{n:016x}",
            groups={"db_api": GroupTotals(1, 5.0, 5.0)},
            calls=[CallTotals("db_api", "instance_get", 1, 5.0, 5.0)],
        )
        for n, (kind, method, route) in enumerate(words)
    ]


def slow_rebuild() -> RequestRecord:
    """Return the 3117 ms call: 15 DB API calls, 840.0 ms, 26.9 %."""
    return record(
        method="POST",
        path=f"/v2.1/servers/{SERVER_ID}/action",
        route="/v2.1/servers/{id}/action",
        action="rebuild",
        status=202,
        response_bytes=1834,
        duration_ms=3117.4,
        app_ms=3116.9,
        cpu_ms=1130.5,
        user_name="TestServerDiskConfig-user",
        project_name="TestServerDiskConfig",
        groups={
            "db_api": GroupTotals(15, 840.0, 840.0),
            "sql": GroupTotals(22, 150.3, 150.3),
            "fetch": GroupTotals(18, 26.0, 26.0),
            "transaction": GroupTotals(6, 12.0, 12.0),
        },
        breakdown_ms={
            "sql": 150.3,
            "fetch": 26.0,
            "transaction": 12.0,
            "sqlalchemy": 651.7,
            "waiting": 1207.4,
            "python": 1070.0,
        },
        calls=[
            _call("instance_get_by_uuid", 8, 402.6, 120.0, 71.2, nested=2),
            _call("instance_update_and_get_original", 3, 261.4, 140.2, 80.1),
            _call("instance_system_metadata_get", 4, 96.0, 31.0, 22.0),
            _call("action_start", 1, 48.0, 48.0, 11.0),
            _call("instance_fault_create", 1, 32.0, 32.0, 4.0, errors=1),
            CallTotals("sql", "SELECT instances", 12, 101.3, 33.1),
            CallTotals("sql", "SELECT instance_metadata", 7, 21.0, 4.0),
            CallTotals("sql", "UPDATE instances", 3, 28.0, 14.0),
        ],
        statements=[
            StatementTotals(
                SELECT_INSTANCES, "SELECT instances", "nova_cell1", 12, 101.3,
                33.1, rows=12,
            ),
            StatementTotals(
                SELECT_METADATA, "SELECT instance_metadata", "nova_cell1", 7,
                21.0, 4.0, rows=70,
            ),
            StatementTotals(
                "UPDATE instances SET updated_at=?, task_state=? WHERE "
                "instances.uuid = ?",
                "UPDATE instances", "nova_cell1", 3, 28.0, 14.0, errors=1,
            ),
        ],
        timeline=[
            TimelineEntry("db_api", "instance_get_by_uuid", 40.0, 120.0),
            _sql("SELECT instances", 60.0, 33.1, 0),
            TimelineEntry("db_api", "instance_get_by_uuid", 400.0, 90.0),
            _sql("SELECT instances", 410.0, 30.0, 0),
            TimelineEntry("db_api", "action_start", 1900.0, 48.0),
            TimelineEntry(
                "db_api", "instance_update_and_get_original", 2600.0, 261.4
            ),
            _sql("UPDATE instances", 2700.0, 80.0, 2),
        ],
        counts={"late_calls": 1, "config_lookups": 450},
        self_ms=0.4,
    )  # fmt: skip


def parallel_detail() -> RequestRecord:
    """Return a ``servers/detail`` whose cells are asked side by side."""
    bdm = "block_device_mapping_get_all_by_instance_uuids"
    fault = "instance_fault_get_by_instance_uuids"
    return record(
        path="/v2.1/servers/detail",
        route="/v2.1/servers/detail",
        request_id="req-aa11bb22-0000-4000-8000-000000000001",
        duration_ms=400.0,
        app_ms=399.0,
        groups={
            "db_api": GroupTotals(6, 450.0, 290.0),
            "sql": GroupTotals(6, 120.0, 90.0),
        },
        breakdown_ms={"sql": 90.0, "sqlalchemy": 200.0, "python": 110.0},
        calls=[
            _call("instance_get_all_by_filters_sort", 3, 150.0, 60.0, 40.0),
            _call(fault, 2, 200.0, 110.0, 50.0),
            _call(bdm, 1, 100.0, 100.0, 30.0),
        ],
        statements=[],
        timeline=[
            TimelineEntry(
                "db_api", "instance_get_all_by_filters_sort", 10.0, 150.0
            ),
            _sql("SELECT instances", 20.0, 40.0, None),
            TimelineEntry("db_api", fault, 200.0, 110.0, lane=1),
            _sql("SELECT instance_faults", 210.0, 50.0, None, lane=1),
            TimelineEntry("db_api", fault, 205.0, 90.0, lane=2),
            TimelineEntry("db_api", bdm, 210.0, 100.0, lane=3),
        ],
    )


def written(
    directory: Path, *records: RequestRecord, **limits: float
) -> list[Path]:
    """Write *records* as dumps and return their paths."""
    from nova_profiler.dump_store import DumpStore

    store = DumpStore(directory, **limits)  # type: ignore[arg-type]
    return [store.write(one) for one in records]


def dump_files(directory: Path) -> list[str]:
    """Return every dump and companion below *directory*."""
    return sorted(
        os.path.join(folder.name, file)
        for folder in directory.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
        for file in os.listdir(folder)
    )


def _call(
    name: str,
    count: int,
    ms: float,
    max_ms: float,
    driver_ms: float,
    **more: Any,
) -> CallTotals:
    return CallTotals(
        "db_api", name, count, ms, max_ms, driver_ms=driver_ms, **more
    )


def _sql(
    name: str, start_ms: float, ms: float, index: int | None, lane: int = 0
) -> TimelineEntry:
    return TimelineEntry(
        "sql", name, start_ms, ms, lane=lane, rows=1, statement=index
    )
