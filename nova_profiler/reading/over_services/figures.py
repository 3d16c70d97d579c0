# SPDX-License-Identifier: Apache-2.0
"""The picture of one request as JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.over_services.picture import Picture, Way
from nova_profiler.reading.over_services.reasons import (
    reason_of,
    work_by_holder,
)
from nova_profiler.reading.over_services.relations.clocks import Clock
from nova_profiler.reading.over_services.relations.critical_path import (
    WORK,
    Stretch,
)
from nova_profiler.reading.over_services.waits import waited_of

SCHEMA = 1


def figures_of(picture: Picture, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return all of *picture*; times are milliseconds since it arrived."""
    return {
        "schema": SCHEMA,
        "request_id": picture.request_id,
        "started_at": iso_of(picture.zero),
        "until_answer": _way(picture, picture.until_answer),
        "until_done": (
            None
            if picture.until_done is None
            else _way(picture, picture.until_done)
        ),
        "records": [
            _record(picture, one) for one in range(len(picture.names))
        ],
        "waits": [
            {
                "caller": one.caller,
                "callee": one.callee,
                "count": one.count,
                "waited_ms": (
                    None if one.waited_s is None else _ms(one.waited_s)
                ),
                "on_the_way_ms": _ms(one.on_the_way_s),
                "in_line_ms": _ms(one.in_line_s),
                "at_work_ms": _ms(one.at_work_s),
            }
            for one in waited_of(picture)
        ],
        "clocks": [_clock(one) for one in picture.clocks.clocks],
        "clocks_not_known": picture.clocks.unknown,
        "notes": list(notes),
    }


def _way(picture: Picture, way: Way) -> dict[str, Any]:
    held = work_by_holder(picture, way)
    return {
        "ms": _ms(way.seconds),
        "shares": [
            {
                "holder": one.holder,
                "what": one.what,
                "ms": _ms(one.seconds),
                "share": round(one.share, 6),
                "reason": (
                    _reason(picture, held.get(one.holder, []))
                    if one.what == WORK
                    else None
                ),
            }
            for one in way.shares
        ],
        "path": [
            {
                "start_ms": _ms(one.start),
                "ms": _ms(one.seconds),
                "what": one.what,
                "record": one.place,
            }
            for one in way.stretches
        ],
    }


def _reason(
    picture: Picture, stretches: Sequence[Stretch]
) -> dict[str, object] | None:
    reason = reason_of(picture, stretches)
    if reason is None:
        return None
    return {"text": reason.text, "ms": _ms(reason.seconds)}


def _record(picture: Picture, place: int) -> dict[str, Any]:
    one, own = picture.served[place], picture.moments[place]
    link = picture.links[place]
    return {
        "record_id": one.record_id,
        "kind": one.kind,
        "request_id": one.request_id,
        "service": one.service,
        "host": one.host,
        "route": one.title,
        "method": one.method,
        "status": one.status,
        "outcome": one.outcome,
        "parent": None if link is None else link.parent,
        "parent_by": None if link is None else link.how,
        "parent_waits": None if link is None else link.waits,
        "doubt": picture.doubts.get(place),
        "sent_ms": _ms(own.sent),
        "arrived_ms": _ms(own.arrived),
        "began_ms": _ms(own.began),
        "ended_ms": _ms(own.ended),
        "wait_ms": _ms(one.wait_s),
        "duration_ms": _ms(one.duration_s),
        "file": one.source,
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "host": clock.host,
        "other": clock.other,
        "ahead_ms": _ms(clock.offset_s),
        "least_ms": _bound(clock.least_s),
        "most_ms": _bound(clock.most_s),
        "exchanges": clock.exchanges,
        "two_way": clock.two_way,
        "contradicting": clock.contradicting,
    }


def _bound(seconds: float) -> float | None:
    return None if math.isinf(seconds) else _ms(seconds)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
