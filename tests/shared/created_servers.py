# SPDX-License-Identifier: Apache-2.0
"""Records of server creates over five services, whose hosts' clocks differ.

Times are milliseconds after the client sent its request, by a clock that is
right; each record has them by the clock of its own host.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import NamedTuple

from nova_profiler.record import CallTotals, RequestRecord, TimelineEntry

BEGAN = datetime(2026, 11, 21, 10, 35, 1, tzinfo=timezone.utc)

API, CONDUCTOR, SCHEDULER, COMPUTE, PLACEMENT = (
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "nova-compute",
    "placement",
)
HOSTS = {
    API: "controller-1",
    CONDUCTOR: "controller-2",
    SCHEDULER: "controller-2",
    PLACEMENT: "controller-3",
    COMPUTE: "compute-7",
}
# What the clocks of hosts are ahead of the right time, in milliseconds.
SKEWS = {"controller-2": -35.0, "compute-7": 240.0}


class Create(NamedTuple):
    """The records of one create, and which record sent which."""

    request_id: str
    records: list[RequestRecord]
    parents: dict[str, str | None]


class Maker:
    """Makes the records of one request."""

    def __init__(
        self,
        number: int,
        began: datetime,
        skews: Mapping[str, float],
    ) -> None:
        self.request_id = f"req-{number:08x}-93a7-4e51-8d02-b0d2a2b0b2d0"
        self.made = Create(self.request_id, [], {})
        self._number = number
        self._began = began
        self._skews = skews
        self.random = Random(number)

    def moment(self, host: str, ms: float) -> str:
        """Return a moment as the clock of *host* has it."""
        ahead = self._skews.get(host, 0.0)
        at = self._began + timedelta(milliseconds=ms + ahead)
        return at.isoformat(timespec="microseconds")

    def served(
        self,
        service: str,
        kind: str,
        route: str,
        begin: float,
        end: float,
        parent: RequestRecord | None = None,
        sent: float | None = None,
        wait: float = 0.0,
    ) -> RequestRecord:
        """Return a new record, at work from *begin* until *end*."""
        record = RequestRecord()
        record.kind = kind
        record.record_id = f"{self._number:08x}{len(self.made.records):08x}"
        record.service, record.host = service, HOSTS[service]
        record.pid = 100 + len(service)
        record.request_id = self.request_id
        record.started_at = self.moment(record.host, begin)
        record.duration_ms = record.app_ms = round(end - begin, 3)
        record.route = route
        record.timeline, record.statements = [], []
        if parent is not None:
            record.parent_id = parent.record_id
            if sent is not None:
                record.sent_at = self.moment(parent.host, sent)
        if kind != "request":
            record.wait_ms = wait
        self.made.records.append(record)
        self.made.parents[record.record_id] = record.parent_id
        return record

    def request(
        self, service: str, method: str, route: str, begin: float, end: float
    ) -> RequestRecord:
        """Return the new record of an HTTP request."""
        record = self.served(service, "request", route, begin, end)
        record.method, record.path, record.status = method, route, 200
        record.response_bytes = 300
        return record


def call(
    record: RequestRecord,
    maker: Maker,
    group: str,
    name: str,
    begin: float,
    end: float,
    request_id: str | None = None,
) -> None:
    """Add a call to *record*, from *begin* until *end* by the right clock."""
    started = datetime.fromisoformat(record.started_at)
    at = datetime.fromisoformat(maker.moment(record.host, begin))
    timeline = record.timeline
    assert timeline is not None
    totals = {(one.group, one.name): one for one in record.calls}
    known = totals.get((group, name), CallTotals(group, name, 0, 0.0, 0.0))
    ms = end - begin
    totals[group, name] = known._replace(
        count=known.count + 1, ms=known.ms + ms, max_ms=max(known.max_ms, ms)
    )
    record.calls = list(totals.values())
    timeline.append(
        TimelineEntry(
            group,
            name,
            round((at - started).total_seconds() * 1000, 3),
            round(end - begin, 3),
            id=len(timeline),
            request_id=request_id,
        )
    )


def created(
    number: int = 0x6EC84648,
    began: datetime = BEGAN,
    skews: Mapping[str, float] = SKEWS,
    saves: int = 10,
    statements: int = 0,
) -> Create:
    """Return a create that nova-compute is slow at, waiting for a port.

    The task there has the conductor save *saves* times. *statements* more
    calls are spread over the messages that save.
    """
    maker = Maker(number, began, skews)
    api = maker.request(API, "POST", "/v2.1/servers", 0, 620)
    api.status = 202
    api.user_name = api.project_name = f"user-{number:08x}"
    call(api, maker, "db_api", "quota_reserve", 40, 300)
    conductor = maker.served(
        CONDUCTOR, "message", "rpc conductor schedule_and_build_instances",
        608, 1100, api, 600, 5,
    )  # fmt: skip
    name = "conductor schedule_and_build_instances cast"
    call(api, maker, "rpc", name, 599.5, 602)
    scheduler = maker.served(
        SCHEDULER, "message", "rpc scheduler select_destinations",
        662, 998, conductor, 650.5, 10,
    )  # fmt: skip
    select = "scheduler select_destinations"
    call(conductor, maker, "rpc", select, 650, 1000)
    placement = maker.request(
        PLACEMENT, "GET", "/allocation_candidates", 702, 848
    )
    placement.request_id = f"req-{number:08x}-aaaa-4bbb-8ccc-dddddddddddd"
    placement.global_request_id = maker.request_id
    maker.made.parents[placement.record_id or ""] = scheduler.record_id
    candidates = "placement GET /allocation_candidates"
    far = placement.request_id
    call(scheduler, maker, "http", candidates, 700, 850, far)
    message = maker.served(
        COMPUTE, "message", "rpc compute build_and_run_instance",
        1055, 1060, conductor, 1050.2, 3,
    )  # fmt: skip
    name = "compute build_and_run_instance cast"
    call(conductor, maker, "rpc", name, 1050, 1051)
    task = maker.served(
        COMPUTE, "task", "task default ComputeManager._do_build",
        1158, 7000, message, 1058, 100,
    )  # fmt: skip
    call(task, maker, "event", "network-vif-plugged", 2000, 6000)
    _saves(maker, task, saves, statements)
    return maker.made


def _saves(
    maker: Maker, task: RequestRecord, saves: int, statements: int
) -> None:
    """Have *task* save, one time after the other, in its first 800 ms."""
    each = 800.0 / max(1, saves)
    for number in range(saves):
        begin = 1160 + number * each
        end = begin + 0.9 * each
        save = maker.served(
            CONDUCTOR, "message", "rpc conductor Instance.save",
            begin + 0.3 * each, end - 0.1 * each, task,
            begin + 0.05 * each, 0.1 * each,
        )  # fmt: skip
        name = "conductor object_action.Instance.save"
        call(task, maker, "rpc", name, begin, end)
        own = statements // saves
        for place in range(own):
            at = begin + (0.31 + 0.4 * place / own) * each
            call(
                save,
                maker,
                "sql",
                "UPDATE instances",
                at,
                at + 0.3 * each / own,
            )


def shuffled(creates: list[Create], seed: int = 1) -> list[RequestRecord]:
    """Return the records of all *creates* in no order."""
    records = [record for one in creates for record in one.records]
    Random(seed).shuffle(records)
    return records


def rebuilt() -> Create:
    """Return the rebuild of the post: 3 s in nova-api before the cast."""
    maker = Maker(0x1BAD, BEGAN, {})
    api = maker.request(API, "POST", "/v2.1/servers/{id}/action", 0, 3117.4)
    api.action, api.status = "rebuild", 202
    api.user_name = api.project_name = "demo"
    for number in range(14):
        at = 60 + number * 200
        call(api, maker, "db_api", "instance_get_by_uuid", at, at + 60)
    api.breakdown_ms = {"sqlalchemy": 840.0, "waiting": 2270.0}
    compute = maker.served(
        COMPUTE, "message", "rpc compute rebuild_instance",
        3105.2, 3160, api, 3101, 0.4,
    )  # fmt: skip
    name = "compute rebuild_instance cast"
    call(api, maker, "rpc", name, 3100, 3102)
    call(compute, maker, "process", "qemu-img", 3110, 3150)
    return maker.made
