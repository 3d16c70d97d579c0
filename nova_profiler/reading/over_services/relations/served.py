# SPDX-License-Identifier: Apache-2.0
"""One record as a part of the picture of its request.

Times are seconds: moments since 1970 by the clock of the record's host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.groups import HTTP, HTTP_GROUPS, RPC, RPC_SERIALISE
from nova_profiler.reading.logs.line_parts.stamps import iso_epoch
from nova_profiler.reading.record_words import title_of
from nova_profiler.record import (
    MESSAGE,
    REQUEST,
    RequestRecord,
    TimelineEntry,
)

# How a record sends something to another service: waiting for the answer to
# a message, not waiting for one, or by HTTP.
CALL = "call"
CAST = "cast"

# The kinds of messages behind a name, whose sender goes on at once.
_GOES_ON = frozenset(("cast", "fanout", "notify"))
# Conductor's methods that stand for methods of objects.
_OF_OBJECTS = (
    "object_action",
    "object_class_action_versions",
    "object_backport_versions",
)
# The name of what either side has no name for.
OTHER = "other"
# What a message's record has for its method, if its sender waits.
_WAITED_FOR = MESSAGE.methods[0]
# Of a record; the longest are kept.
MOST_CALLS = 2_000
# A record of a century is damaged, and adds up with others all the same.
_LONGEST_S = 100 * 365 * 86_400.0
# What took longer is damaged or forged. A migration goes on for days; what is
# in a process waits for a worker no longer than the process lives.
_LONGEST_WAIT_S = 2 * 86_400.0
_LONGEST_WORK_S = 7 * 86_400.0


class Sent(NamedTuple):
    """A call of a record that another record may be the far side of.

    ``key`` is what both sides name a message, ``request_id`` what the other
    side of an HTTP request named it.
    """

    how: str
    key: str
    start: float
    end: float
    request_id: str | None = None


class OwnCall(NamedTuple):
    """A call of a record that no other call of it is around."""

    group: str
    name: str
    start: float
    end: float


class Total(NamedTuple):
    """All calls of one name, where the single ones are not known."""

    group: str
    name: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    seconds: float


class Served(NamedTuple):
    """What a service did for the request, by one record.

    ``began`` is when a worker began, ``wait_s`` what it had waited for one
    since it arrived, ``sent`` the moment it was sent, by the clock of the
    sender. ``is_whole``: all its calls are known.
    """

    kind: str = REQUEST.name
    record_id: str | None = None
    parent_id: str | None = None
    request_id: str | None = None
    global_request_id: str | None = None
    service: str = ""
    host: str = ""
    pid: int = 0
    title: str = ""
    method: str = ""
    status: int = 0
    outcome: str = ""
    error: str | None = None
    user: str = ""
    began: float | None = None
    wait_s: float = 0.0
    duration_s: float = 0.0
    sent: float | None = None
    key: str = ""
    sends: tuple[Sent, ...] = ()
    calls: tuple[OwnCall, ...] = ()
    totals: tuple[Total, ...] = ()
    # Of messages: those of which it waited for the answers, by their keys.
    waits_for: frozenset[str] = frozenset()
    # Whether the sender waited for its answer, by what came with it.
    is_waited_for: bool = False
    buckets: tuple[tuple[str, float], ...] = ()
    is_whole: bool = False
    source: str = ""

    @property
    def clock(self) -> str:
        """Return what its times are by: one clock a host."""
        return self.host or self.service

    @property
    def arrived(self) -> float | None:
        """Return when it came to the service."""
        return None if self.began is None else self.began - self.waited_s

    @property
    def ended(self) -> float | None:
        """Return when it was answered, or its work was done."""
        return None if self.began is None else self.began + self.worked_s

    @property
    def waited_s(self) -> float:
        """Return what it waited for a worker, 0 where that cannot be."""
        return self.wait_s if self.wait_s <= _LONGEST_WAIT_S else 0.0

    @property
    def worked_s(self) -> float:
        """Return how long it was at work, 0 where that cannot be."""
        return self.duration_s if self.duration_s <= _LONGEST_WORK_S else 0.0

    @property
    def is_possible(self) -> bool:
        """Return whether it may have taken as long as it has."""
        return (self.waited_s, self.worked_s) == (self.wait_s, self.duration_s)


def served_of(
    record: RequestRecord, source: str = "", most_calls: int = MOST_CALLS
) -> Served:
    """Return *record*, of the file *source*, as a part of a picture.

    At most *most_calls* of its calls are kept.
    """
    began = iso_epoch(record.started_at)
    rows = record.timeline or []
    rows = sorted(rows, key=lambda row: -row.ms)[:most_calls]
    zero = began or 0.0
    return Served(
        kind=record.kind,
        record_id=record.record_id,
        parent_id=record.parent_id,
        request_id=record.request_id,
        global_request_id=record.global_request_id,
        service=record.service,
        host=record.host,
        pid=int(record.pid),
        title=title_of(record),
        method=record.method,
        status=int(record.status),
        outcome=record.outcome,
        error=record.error,
        user=record.user_name or record.user_id or "",
        began=began,
        wait_s=_seconds(record.wait_ms or 0.0),
        duration_s=_seconds(record.duration_ms),
        sent=None if record.sent_at is None else iso_epoch(record.sent_at),
        key=message_key(record.route),
        sends=tuple(_sends(rows, zero)),
        calls=tuple(_own_calls(rows, zero)),
        totals=_totals(record),
        waits_for=_waits_for(record),
        is_waited_for=(
            record.kind == MESSAGE.name and record.method == _WAITED_FOR
        ),
        buckets=tuple(
            (name, _seconds(ms)) for name, ms in record.parts_ms.items()
        ),
        is_whole=(
            record.timeline is not None
            and not record.dropped_calls
            and len(record.timeline) <= most_calls
        ),
        source=source,
    )


def message_key(name: str) -> str:
    """Return ``topic method`` of a message, the same on both sides.

    A sender's call is ``conductor object_action.Instance.save cast``, what is
    served is ``rpc conductor Instance.save``.
    """
    words = name.split(" ")
    if len(words) > 1 and words[-1] in _GOES_ON:
        words.pop()
    if len(words) > 1 and words[0] == RPC.name:
        del words[0]
    if len(words) == 1:
        words = words[0].split(".", 1)
    method = words[-1]
    for name in _OF_OBJECTS:
        method = method.removeprefix(f"{name}.").removesuffix(f".{name}")
    return f"{words[0]} {method}"


def waits_of(name: str) -> bool:
    """Return whether the sender of a message *name* waits for its answer."""
    return name.rpartition(" ")[2] not in _GOES_ON


def _sends(rows: Sequence[TimelineEntry], zero: float) -> list[Sent]:
    found = []
    for row in rows:
        start = zero + row.start_ms / 1000
        end = start + _seconds(row.ms)
        if row.group == RPC.name:
            how = CALL if waits_of(row.name) else CAST
            found.append(Sent(how, message_key(row.name), start, end))
        elif row.group in HTTP_GROUPS:
            found.append(Sent(HTTP.name, row.name, start, end, row.request_id))
    return found


def _own_calls(rows: Sequence[TimelineEntry], zero: float) -> list[OwnCall]:
    return [
        OwnCall(
            row.group,
            row.name,
            zero + row.start_ms / 1000,
            zero + row.start_ms / 1000 + _seconds(row.ms),
        )
        for row in rows
        # Serialising is round messages and of no interest beside them.
        if row.parent is None and row.group != RPC_SERIALISE.name
    ]


def _totals(record: RequestRecord) -> tuple[Total, ...]:
    """Return the sums of calls, for a record without a timeline."""
    if record.timeline is not None:
        return ()
    return tuple(
        Total(call.group, call.name, int(call.count), _seconds(call.ms))
        for call in sorted(record.calls, key=lambda call: -call.ms)[:10]
    )


def _waits_for(record: RequestRecord) -> frozenset[str]:
    return frozenset(
        message_key(call.name)
        for call in record.calls[:MOST_CALLS]
        if call.group == RPC.name and waits_of(call.name)
    )


def _seconds(ms: float) -> float:
    return min(max(0.0, ms / 1000), _LONGEST_S)
