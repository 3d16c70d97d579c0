# SPDX-License-Identifier: Apache-2.0
"""How long the picture of a server create takes: found, linked, drawn."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.processes import NOVA_PROFILER, took
from nova_profiler.dump_store import DumpStore
from nova_profiler.reading.over_services.page import print_picture
from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.relations.served import served_of
from nova_profiler.record import RequestRecord, TimelineEntry

LIMIT_S = 0.5
REQUEST = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
_BEGAN = datetime(2026, 11, 21, 10, 35, 1, tzinfo=timezone.utc)
# Who sends to whom, and whether it waits for the answer.
_CAST = (
    ("nova-conductor", "conductor", "schedule_and_build_instances", "cast"),
    ("nova-scheduler", "scheduler", "select_destinations", ""),
    ("placement", "placement", "allocation_candidates", ""),
    ("nova-compute", "compute", "build_and_run_instance", "cast"),
)


def measure(calls: int, runs: int) -> list[Figure]:
    """Return the median times of *runs* over a create with *calls* calls.

    Processor time: nothing in it waits, and others on the machine do not
    count.
    """
    records = make_create(calls)
    with tempfile.TemporaryDirectory() as folder:
        for record in records:
            host = Path(folder, record.host)
            host.mkdir(exist_ok=True)
            DumpStore(host).write(record)
        command = [*NOVA_PROFILER, "show", REQUEST, "--dump-dir", folder]
        whole = [took(command).cpu_s for _ in range(runs)]
    drawn = [_seconds(lambda: _draw(records)) for _ in range(runs)]
    label = f"{calls} calls in {len(records)} records of 5 services"
    return [
        Figure(f"drawn, {label}", statistics.median(drawn), LIMIT_S, "s"),
        Figure(
            f"nova-profiler show, {label}",
            statistics.median(whole),
            1.0,
            "s",
        ),
    ]


def _seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _draw(records: list[RequestRecord]) -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    served = [served_of(record) for record in records]
    print_picture(console, picture_of(REQUEST, served))


def make_create(calls: int) -> list[RequestRecord]:
    """Return records of five services, and of the messages that save.

    Half of *calls* are of the task that builds, by messages to the conductor
    that have the other half.
    """
    records = [_record(0, "nova-api", "/v2.1/servers", 0.0, 620.0)]
    records[0].kind, records[0].method, records[0].status = (
        "request",
        "POST",
        202,
    )
    for number, (service, topic, method, how) in enumerate(_CAST, 1):
        begin = 100.0 * number
        parent = records[-1]
        record = _record(
            number, service, f"rpc {topic} {method}", begin, 600.0 - begin
        )
        _send(parent, record, f"{topic} {method} {how}".strip(), begin)
        records.append(record)
    for _ in range(calls // 2 - len(_CAST)):
        number = len(records)
        begin = 450.0 + 0.1 * number
        save = _record(
            number,
            "nova-conductor",
            "rpc conductor Instance.save",
            begin,
            0.05,
        )
        _send(records[4], save, "conductor object_action.Instance.save", begin)
        _call(save, "sql", "UPDATE instances", 0.01, 0.03)
        records.append(save)
    return records


def _record(
    number: int, service: str, route: str, begin_ms: float, ms: float
) -> RequestRecord:
    record = RequestRecord()
    record.kind, record.service = "message", service
    record.record_id = f"{number:016x}"
    record.host = f"host-of-{service}"
    record.request_id = REQUEST
    record.route = record.path = route
    record.method = "CALL"
    record.started_at = _moment(begin_ms)
    record.duration_ms, record.wait_ms = ms, 0.0
    record.timeline, record.statements = [], []
    return record


def _moment(ms: float) -> str:
    at = _BEGAN + timedelta(milliseconds=ms)
    return at.isoformat(timespec="microseconds")


def _send(
    parent: RequestRecord, child: RequestRecord, name: str, begin_ms: float
) -> None:
    child.parent_id = parent.record_id
    child.sent_at = _moment(begin_ms - 0.01)
    began = datetime.fromisoformat(parent.started_at)
    start_ms = begin_ms - (began - _BEGAN).total_seconds() * 1000
    ms = 0.05 if name.endswith("cast") else child.duration_ms + 0.03
    _call(parent, "rpc", name, start_ms - 0.015, ms)


def _call(
    record: RequestRecord, group: str, name: str, start_ms: float, ms: float
) -> None:
    timeline = record.timeline or []
    timeline.append(TimelineEntry(group, name, start_ms, ms, id=len(timeline)))
    record.timeline = timeline
