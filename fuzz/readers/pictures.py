# SPDX-License-Identifier: Apache-2.0
"""The records of one request over many hosts, as ``show`` draws them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from fuzz.readers.contracts import Reader, command

_ID = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
_DAY = "2026-11-21"
_NAME = "103501.000-620ms-POST-unmatched-6ec84648"
# Of an input; more would only take longer.
_MOST_RECORDS = 12


def _record(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "schema": 2,
        "kind": "message",
        "record_id": f"{number:016x}",
        "parent_id": f"{number - 1:016x}",
        "sent_at": f"2026-11-21T10:35:01.{number}00000+00:00",
        "wait_ms": 1.5,
        "service": f"service-{number}",
        "host": f"host-{number % 3}",
        "request_id": _ID,
        "started_at": f"2026-11-21T10:35:01.{number}50000+00:00",
        "duration_ms": 700.0 - 100 * number,
        "method": "CALL",
        "route": f"rpc topic method_{number}",
        "calls": [],
        "breakdown_ms": {"python": 1.0},
        "timeline": [
            {
                "group": "rpc",
                "name": f"topic method_{number + 1}",
                "start_ms": 45.0,
                "ms": 500.0 - 100 * number,
            },
            {"group": "sql", "name": "SELECT x", "start_ms": 1.0, "ms": 9.0},
        ],
        **fields,
    }


_REQUEST = _record(0, kind="request", method="POST", route="/v2.1/servers")
_FAR = _record(5, kind="request", request_id="req-far", global_request_id=_ID)
_TASK = _record(4, kind="task", route="task default build")
_SEEDS = tuple(
    json.dumps(records).encode()
    for records in (
        [_REQUEST, *map(_record, (1, 2, 3)), _TASK, _FAR],
        [_REQUEST, _record(1), _record(1, service="forged")],
        [_record(2), _record(3, parent_id=f"{3:016x}")],
    )
)


def read_picture(data: bytes, folder: Path) -> None:
    """Draw *data*, a list of records: as dumps of hosts, and as lines."""
    hosts = folder / "hosts"
    shutil.rmtree(hosts, ignore_errors=True)
    for number, text in enumerate(_texts(data)):
        day = hosts / f"host-{number % 3}" / _DAY
        day.mkdir(parents=True, exist_ok=True)
        (day / f"{_NAME}--{number:x}.json").write_bytes(text)
        with (hosts / "requests.json").open("ab") as log:
            log.write(text + b"\n")
    command("show", "6ec84648", hosts)
    command("show", "6ec84648", hosts, "--json", "--full")
    command("show", _ID, hosts / "requests.json", "--format", "html")
    command("follow", "6ec84648", hosts)


def _texts(data: bytes) -> list[bytes]:
    """Return each record of *data*, or all of it where it is no list."""
    try:
        records = json.loads(data)
    except (ValueError, RecursionError):
        return [data]
    if not isinstance(records, list):
        return [data]
    return [json.dumps(one).encode() for one in records[:_MOST_RECORDS]]


_FINDS = (
    # Half a character in the place of an id.
    json.dumps(
        [_record(0, request_id="\ud800", global_request_id=_ID)]
    ).encode(),
)
PICTURE = Reader(read_picture, _SEEDS, finds=_FINDS, is_json=True)
