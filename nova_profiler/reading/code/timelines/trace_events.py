# SPDX-License-Identifier: Apache-2.0
"""Requests as trace events, the JSON that Perfetto and Chrome open.

Each request is a process, each of its lanes a thread with its calls as
slices. Its stacks are slices of a thread of their own, callers above.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from nova_profiler import __version__
from nova_profiler.profiles.functions import Function
from nova_profiler.reading.code.timelines.lane_calls import (
    FACTS,
    Call,
    Facts,
    lane_title,
    nested,
)
from nova_profiler.reading.code.timelines.looks import (
    STACKS_TITLE,
    Stack,
    state_of,
)
from nova_profiler.reading.code.timelines.texts import text
from nova_profiler.reading.code.timelines.tracks import Request, Timelines

# Of a file: what is deeper in the stacks has no place.
MOST_SLICES = 200_000
# Each event has its texts anew.
_LONGEST = 500

Event = dict[str, Any]


def trace_events(title: str, timelines: Timelines) -> bytes:
    """Return the file of *timelines*."""
    slices = iter(range(MOST_SLICES))
    events: list[Event] = []
    for number, request in enumerate(timelines.requests, 1):
        events += _of_request(number, request, slices)
    trace = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "title": title,
            "version": f"nova-profiler {__version__}",
            "began, ms since 1970": timelines.epoch_ms,
        },
    }
    return json.dumps(trace, separators=(",", ":")).encode()


def _of_request(
    number: int, request: Request, slices: Iterator[int]
) -> Iterator[Event]:
    tracks = count(1)
    yield _named("process_name", number, 0, request.process)
    yield _sorted("process_sort_index", number, 0)
    for lane, calls in request.lanes.items():
        own = [_itself(request), *calls] if lane == 0 else calls
        for place, row in enumerate(nested(own)):
            track = next(tracks)
            more = f", overlapping {place}" if place else ""
            title = f"{lane_title(lane)}{more}"
            yield _named("thread_name", number, track, title)
            yield _sorted("thread_sort_index", number, track)
            for call in row:
                yield _of_call(call, request.began_ms, number, track)
    if request.stacks:
        track = next(tracks)
        yield _named("thread_name", number, track, STACKS_TITLE)
        yield _sorted("thread_sort_index", number, track)
        yield from _of_stacks(
            request.stacks, request.began_ms, number, track, slices
        )


def _itself(request: Request) -> Call:
    facts: Facts = {**request.about}
    if request.notes:
        facts["notes"] = "; ".join(request.notes)
    return Call("request", request.title, 0.0, request.duration_ms, facts)


def _of_call(call: Call, began_ms: float, number: int, track: int) -> Event:
    facts = {
        FACTS.get(key, key): _short(fact) if isinstance(fact, str) else fact
        for key, fact in call.facts.items()
        if key != "name"
    }
    return _slice(
        call.name,
        _short(call.group),
        began_ms + call.start_ms,
        call.ms,
        number,
        track,
        facts,
    )


def _of_stacks(
    stacks: Sequence[Stack],
    began_ms: float,
    number: int,
    track: int,
    slices: Iterator[int],
) -> Iterator[Event]:
    """Yield the stacks side by side, callers that neighbours share joined."""
    # The functions that are open, each with where it began.
    opened: list[tuple[Function, float]] = []
    at = began_ms

    def closed(depth: int) -> Iterator[Event]:
        while len(opened) > depth:
            function, start = opened.pop()
            if next(slices, None) is not None:
                yield _slice(
                    function.label,
                    state_of(function),
                    start,
                    at - start,
                    number,
                    track,
                    {"at": _short(function.place)},
                )

    for stack in stacks:
        same = 0
        for (function, _), frame in zip(opened, stack.frames, strict=False):
            if function != frame.function:
                break
            same += 1
        yield from closed(same)
        opened += [(frame.function, at) for frame in stack.frames[same:]]
        at += stack.ms
    yield from closed(0)


def _slice(
    name: str,
    category: str,
    start_ms: float,
    ms: float,
    number: int,
    track: int,
    facts: dict[str, Any],
) -> Event:
    return {
        "ph": "X",
        "name": _short(name),
        "cat": category,
        "ts": round(1000 * start_ms, 3),
        "dur": round(1000 * ms, 3),
        "pid": number,
        "tid": track,
        "args": facts,
    }


def _named(kind: str, number: int, track: int, name: str) -> Event:
    return {
        "ph": "M",
        "name": kind,
        "cat": "__metadata",
        "ts": 0,
        "pid": number,
        "tid": track,
        "args": {"name": name},
    }


def _sorted(kind: str, number: int, track: int) -> Event:
    place = track or number
    return {
        "ph": "M",
        "name": kind,
        "cat": "__metadata",
        "ts": 0,
        "pid": number,
        "tid": track,
        "args": {"sort_index": place},
    }


def _short(value: str) -> str:
    return text(value)[:_LONGEST]
