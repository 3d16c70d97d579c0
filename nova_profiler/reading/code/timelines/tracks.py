# SPDX-License-Identifier: Apache-2.0
"""Requests on one clock, as tracks of calls and of stacks.

The formats are made of these, and so none of them reads a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import chain
from typing import NamedTuple

from nova_profiler.profiles.session_files import Session
from nova_profiler.reading.code.timelines.lane_calls import (
    Call,
    CallRoom,
    lanes_of,
)
from nova_profiler.reading.code.timelines.lane_room import (
    lanes_with_room,
    share_of,
)
from nova_profiler.reading.code.timelines.looks import Stacks, stacks_of
from nova_profiler.reading.code.timelines.texts import text, title_text
from nova_profiler.reading.record_words import (
    full_title_of,
    profile_notes,
    status_of,
    user_of,
)
from nova_profiler.record import RequestRecord


class Request(NamedTuple):
    """One request; *began_ms* is on the clock of the whole file.

    Without a record only its stacks are known. Each lane of them is among
    *lanes*.
    """

    title: str
    process: str
    began_ms: float
    duration_ms: float
    lanes: dict[int, list[Call]]
    stacks: Stacks
    about: dict[str, str]
    notes: list[str]


class Timelines(NamedTuple):
    """Requests on one clock, which begins ``epoch_ms`` after 1970."""

    epoch_ms: float
    requests: list[Request]
    # Calls, none of which is longer than those that have room.
    left_out: int
    # Lanes without room, and the calls in them.
    lanes_left_out: int = 0
    calls_of_lanes_left_out: int = 0


class Source(NamedTuple):
    """What a request is made of; *name* is its file's."""

    name: str
    record: RequestRecord | None
    session: Session | None


def timelines_of(sources: Sequence[Source]) -> Timelines:
    """Return *sources* on one clock, which begins with the first of them."""
    began = [
        0.0 if one.record is None else _began_ms(one.record) for one in sources
    ]
    epoch_ms = min((at for at in began if at > 0), default=0.0)
    room = CallRoom(one.record for one in sources if one.record is not None)
    share = share_of(len(sources))
    requests = []
    left_out = lanes_left_out = calls_left_out = 0
    for number, (source, at) in enumerate(zip(sources, began, strict=True), 1):
        lanes: dict[int, list[Call]] = {}
        if source.record is not None:
            lanes, more = lanes_of(source.record, room)
            left_out += more
        kept, more = lanes_with_room(lanes, source.session, share)
        lanes_left_out += more
        for lane in lanes.keys() - kept:
            calls_left_out += len(lanes.pop(lane))
        stacks = stacks_of(source.session, kept)
        began_ms = max(0.0, at - epoch_ms)
        requests.append(_request(source, number, began_ms, lanes, stacks))
    return Timelines(
        epoch_ms, requests, left_out, lanes_left_out, calls_left_out
    )


def ends_ms(request: Request) -> float:
    """Return when the last of *request* ended, after it began."""
    calls = chain.from_iterable(request.lanes.values())
    return max(
        request.duration_ms,
        _stacks_end_ms(request.stacks),
        max((call.start_ms + call.ms for call in calls), default=0.0),
    )


def _stacks_end_ms(stacks: Stacks) -> float:
    return max(
        (
            of_track[-1].start_ms + of_track[-1].ms
            for of_track in (*stacks.lanes.values(), stacks.rest)
            if of_track
        ),
        default=0.0,
    )


def _request(
    source: Source,
    number: int,
    began_ms: float,
    lanes: dict[int, list[Call]],
    stacks: Stacks,
) -> Request:
    record = source.record
    further: dict[int, list[Call]] = {
        lane: [] for lane in stacks.lanes if lane not in lanes
    }
    lanes = dict(sorted({**lanes, **further}.items()))
    if record is None:
        name = title_text(source.name)
        whole = _stacks_end_ms(stacks)
        return Request(name, name, began_ms, whole, lanes, stacks, {}, [])
    title = title_text(full_title_of(record))
    return Request(
        title,
        # The title is cut: its end has room.
        text(f"{number}: {title}, {record.duration_ms:.1f} ms"),
        began_ms,
        max(0.0, float(record.duration_ms)),
        lanes,
        stacks,
        _about(record),
        [text(note) for note in profile_notes(record)],
    )


def _about(record: RequestRecord) -> dict[str, str]:
    facts = {
        "began": record.started_at,
        "status": status_of(record, "no status"),
        "request id": record.request_id,
        "global id": record.global_request_id,
        "user": user_of(record),
        "service": f"{record.service} on {record.host} pid {record.pid:.0f}",
    }
    return {name: text(fact) for name, fact in facts.items() if fact}


def _began_ms(record: RequestRecord) -> float:
    """Return milliseconds since 1970, 0 where the record has no time."""
    try:
        began = datetime.fromisoformat(record.started_at)
        if began.tzinfo is None:
            began = began.replace(tzinfo=timezone.utc)
        return max(0.0, 1000 * began.timestamp())
    except (ValueError, OverflowError):
        return 0.0
