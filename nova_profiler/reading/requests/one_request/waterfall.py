# SPDX-License-Identifier: Apache-2.0
"""When each call of a request ran, as boxes: calls below what made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.groups import BY_NAME
from nova_profiler.reading.record_calls import DEEPEST, SHORTEST_MS
from nova_profiler.record import RequestRecord, TimelineEntry

# Of a picture. The longest calls are in it.
MOST_CALLS = 20_000
MOST_BOXES = 1_500
MOST_LANES = 40
# Narrower boxes that stand side by side are one box, which is no wider than
# so many of them.
_NARROW = 0.0012
_MOST_TOGETHER = 4


class Span(NamedTuple):
    """A part of a request's time, in milliseconds after it began."""

    start_ms: float
    end_ms: float

    @property
    def ms(self) -> float:
        """Return how long it is; never nothing, so that it can divide."""
        return max(SHORTEST_MS, self.end_ms - self.start_ms)


class Box(NamedTuple):
    """A call in a picture: shares of its width, and a level from above.

    ``bucket`` is the part of the breakdown that it belongs to. A box of
    several calls, ``calls`` of them, has the longest one as its ``call``, and
    ``ms`` adds them up; ``span`` is their time.
    """

    left: float
    width: float
    level: int
    bucket: str
    call: TimelineEntry
    span: Span
    ms: float
    calls: int = 1


class LaneBoxes(NamedTuple):
    """The calls of one thread; ``levels`` of them are inside each other."""

    number: int
    levels: int
    boxes: list[Box]


class Waterfall(NamedTuple):
    """The picture of all lanes; ``left_out`` calls have no place in it."""

    lanes: list[LaneBoxes]
    left_out: int


def whole_span(record: RequestRecord) -> Span:
    """Return the time of the request."""
    return Span(0.0, max(SHORTEST_MS, float(record.duration_ms)))


def calls_in(record: RequestRecord, span: Span) -> list[TimelineEntry]:
    """Return the calls that ran in *span*, in the order of their starts."""
    found = [
        call
        for call in record.timeline or ()
        if call.start_ms < span.end_ms
        and call.start_ms + max(0.0, call.ms) >= span.start_ms
    ]
    return sorted(found, key=_outermost_first)


def waterfall_of(calls: Sequence[TimelineEntry], span: Span) -> Waterfall:
    """Return the picture of *calls*, as calls_in() gives them, in *span*."""
    kept = list(calls)
    if len(kept) > MOST_CALLS:
        longest = sorted(kept, key=lambda call: -call.ms)[:MOST_CALLS]
        kept = sorted(longest, key=_outermost_first)
    lanes: dict[int, list[TimelineEntry]] = {}
    for call in kept:
        lanes.setdefault(int(call.lane), []).append(call)
    drawn = [
        _lane(number, lanes[number], span)
        for number in sorted(lanes)[:MOST_LANES]
    ]
    drawn = _widest(drawn)
    shown = sum(box.calls for lane in drawn for box in lane.boxes)
    return Waterfall(drawn, len(calls) - shown)


def _widest(lanes: list[LaneBoxes]) -> list[LaneBoxes]:
    """Return *lanes* with as many boxes as a picture has room for."""
    widths = sorted(
        (box.width for lane in lanes for box in lane.boxes), reverse=True
    )
    if len(widths) <= MOST_BOXES:
        return lanes
    least = widths[MOST_BOXES]
    return [
        lane._replace(boxes=[box for box in lane.boxes if box.width > least])
        for lane in lanes
    ]


def levels_of(calls: Sequence[TimelineEntry]) -> list[int]:
    """Return for each call of one lane how many run around it.

    By time: older dumps name no parents, and damaged ones wrong parents.
    """
    levels = []
    ends: list[float] = []
    for call in calls:
        while ends and ends[-1] <= call.start_ms:
            ends.pop()
        levels.append(min(len(ends), DEEPEST))
        ends.append(call.start_ms + max(0.0, call.ms))
    return levels


def bucket_of(group: str) -> str:
    """Return the part of the breakdown that calls of *group* belong to."""
    known = BY_NAME.get(group)
    return group if known is None else known.bucket.name


def _lane(
    number: int, calls: Sequence[TimelineEntry], span: Span
) -> LaneBoxes:
    levels = levels_of(calls)
    boxes: list[Box] = []
    # By level: the place of the box that a narrow one may join.
    last: dict[int, int] = {}
    for call, level in zip(calls, levels, strict=True):
        box = _box(call, level, span)
        place = last.get(level)
        if place is not None and _go_together(boxes[place], box):
            boxes[place] = _together(boxes[place], box)
            continue
        last[level] = len(boxes)
        boxes.append(box)
    return LaneBoxes(number, max(levels) + 1, boxes)


def _box(call: TimelineEntry, level: int, span: Span) -> Box:
    left = max(0.0, (call.start_ms - span.start_ms) / span.ms)
    end = (call.start_ms + call.ms - span.start_ms) / span.ms
    return Box(
        left,
        max(0.0, min(1.0, end) - left),
        level,
        bucket_of(call.group),
        call,
        Span(call.start_ms, call.start_ms + call.ms),
        call.ms,
    )


def _go_together(one: Box, other: Box) -> bool:
    """Return whether two boxes of one level are too narrow for a box each."""
    is_narrow = other.width < _NARROW and (
        one.calls > 1 or one.width < _NARROW
    )
    return (
        is_narrow
        and other.left - (one.left + one.width) < _NARROW
        and other.left + other.width - one.left < _MOST_TOGETHER * _NARROW
    )


def _together(one: Box, other: Box) -> Box:
    end_ms = max(one.span.end_ms, other.span.end_ms)
    longest = one if one.call.ms >= other.call.ms else other
    return longest._replace(
        left=one.left,
        width=max(one.width, other.left + other.width - one.left),
        span=Span(one.span.start_ms, end_ms),
        ms=one.ms + other.ms,
        calls=one.calls + 1,
    )


def _outermost_first(call: TimelineEntry) -> tuple[float, float]:
    return call.start_ms, -call.ms
