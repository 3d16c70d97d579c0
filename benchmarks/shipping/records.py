# SPDX-License-Identifier: Apache-2.0
"""Records to ship, and what they add up to at either end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord

# One in so many is longer than the 8 KiB of a syslog message.
_LONG_EVERY = 100
_LONG_ROWS = 150
_ROUTES = ("/v2.1/servers", "/v2.1/servers/detail", "/v2.1/servers/{id}")
_STEP = timedelta(milliseconds=1)


class Sums(NamedTuple):
    """What many records add up to; times in whole microseconds."""

    records: int = 0
    duration_us: int = 0
    group_calls: int = 0
    rows: int = 0
    rows_us: int = 0

    def __add__(self, other: Any) -> Sums:
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))


def sums_of(values: dict[str, Any]) -> Sums:
    """Return what one record, read from JSON, adds."""
    return Sums(
        1,
        round(values["duration_ms"] * 1000),
        sum(group["calls"] for group in values["groups"].values()),
        len(values["calls"]),
        sum(round(row["ms"] * 1000) for row in values["calls"]),
    )


def write_records(path: Path, count: int) -> Sums:
    """Write *count* lines to *path*; return what is in them.

    They are of the hours before now: what forgets old ones keeps these.
    """
    began = datetime.now(timezone.utc) - count * _STEP
    sums = Sums()
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            line = line_of(_record(number, began))
            sums += sums_of(json.loads(line))
            file.write(line)
    return sums


def _record(number: int, began: datetime) -> RequestRecord:
    record = RequestRecord()
    record.service, record.host = "nova-api", f"controller-{number % 3}"
    record.pid = 4000 + number % 8
    record.record_id = f"{number:016x}"
    record.request_id = f"req-{number:08x}-1f0d-4f2c-9a53-6cc2b5e0b7aa"
    at = began + number * _STEP
    record.started_at = at.isoformat(timespec="microseconds")
    record.method = "GET"
    record.route = record.path = _ROUTES[number % len(_ROUTES)]
    record.status = 200
    # Not all of them are ASCII, and one has what ends a word elsewhere.
    record.user_name = ('jürgen "x"\n', "demo", None)[number % 3]
    ms = 5 + number % 997 + number % 13 / 1000
    record.duration_ms = record.app_ms = ms
    record.cpu_ms = None if number % 5 == 0 else ms / 2
    calls = 1 + number % 7
    record.groups = {"db_api": GroupTotals(calls, ms / 4, ms / 4)}
    record.breakdown_ms = {"sqlalchemy": ms / 4, "python": ms * 3 / 4}
    rows = _LONG_ROWS if number % _LONG_EVERY == 0 else 2
    record.calls = [
        CallTotals("db_api", f"function_{n}", calls, ms / 9, ms / 9)
        for n in range(rows)
    ]
    record.counts = {"config_lookups": number % 100}
    return record
