# SPDX-License-Identifier: Apache-2.0
"""The critical path of a request through its lanes, back from its end.

Where the request's own thread does nothing that has a name, and other lanes
are at work, it waits for the one whose call ends last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from nova_profiler.groups import LOCK, POOL, POOL_WAIT
from nova_profiler.reading.record_calls import merged_spans
from nova_profiler.reading.requests.one_request.waterfall import (
    calls_in,
    levels_of,
    whole_span,
)
from nova_profiler.record import RequestRecord, TimelineEntry

OWN_LANE = 0
# In such a call a thread does nothing itself.
_IDLE = frozenset((LOCK.name, POOL.name, POOL_WAIT.name))


class Stretch(NamedTuple):
    """A part of the path: a lane, and its times in milliseconds."""

    lane: int
    start_ms: float
    end_ms: float


def critical_stretches(record: RequestRecord) -> list[Stretch]:
    """Return the path in its order; empty where there is but one lane."""
    end_ms = whole_span(record).end_ms
    lanes: dict[int, list[TimelineEntry]] = {}
    for call in calls_in(record, whole_span(record)):
        lanes.setdefault(int(call.lane), []).append(call)
    own = lanes.pop(OWN_LANE, [])
    if not lanes:
        return []
    others = sorted(
        (
            Stretch(lane, start, end)
            for lane, calls in lanes.items()
            for start, end in merged_spans(calls, end_ms)
        ),
        key=lambda one: one.end_ms,
    )
    found: list[Stretch] = []
    at = end_ms
    for start, end in reversed(merged_spans(_busy(own), end_ms)):
        at = _back_through_gap(end, at, others, found)
        found.append(Stretch(OWN_LANE, start, at))
        at = start
    _back_through_gap(0.0, at, others, found)
    return _joined(found[::-1])


def _busy(calls: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return the calls of one lane in which it was at work itself.

    They are the innermost ones: an outer one may wait for other lanes.
    """
    levels = [*levels_of(calls), 0]
    return [
        call
        for call, (level, following) in zip(
            calls, pairwise(levels), strict=True
        )
        if following <= level and call.group not in _IDLE
    ]


def _back_through_gap(
    gap_ms: float,
    at: float,
    others: list[Stretch],
    found: list[Stretch],
) -> float:
    """Add what was waited for from *at* back to *gap_ms*; return the rest.

    The rest is the own thread's. *others* loses what is not needed again:
    the later parts of lanes.
    """
    while others and at > gap_ms:
        last = others[-1]
        if last.start_ms >= at:
            others.pop()
            continue
        end = min(last.end_ms, at)
        if end <= gap_ms:
            break
        if end < at:
            found.append(Stretch(OWN_LANE, end, at))
        start = max(last.start_ms, gap_ms)
        found.append(Stretch(last.lane, start, end))
        at = start
    if at > gap_ms:
        found.append(Stretch(OWN_LANE, gap_ms, at))
    return gap_ms


def _joined(path: list[Stretch]) -> list[Stretch]:
    """Return *path*, stretches of one lane that touch as one."""
    joined: list[Stretch] = []
    for one in path:
        if one.end_ms <= one.start_ms:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.lane == one.lane:
            joined[-1] = last._replace(end_ms=one.end_ms)
        else:
            joined.append(one)
    return joined
