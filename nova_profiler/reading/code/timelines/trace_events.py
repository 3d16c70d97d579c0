# SPDX-License-Identifier: Apache-2.0
"""Requests as trace events, the JSON that Perfetto and Chrome open.

Each request is a process, each of its lanes a thread with its calls as
slices. Slices of one thread lie within each other, which calls and stacks that
were seen now and then do not: a lane's stacks are slices of a thread below it.
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
from nova_profiler.reading.code.timelines.left_out import (
    HEADING,
    File,
    cut_line,
    lines_about,
    overlapping_line,
)
from nova_profiler.reading.code.timelines.looks import Stacks, state_of
from nova_profiler.reading.code.timelines.texts import text
from nova_profiler.reading.code.timelines.tracks import Request, Timelines
from nova_profiler.reading.screen.terminal import printable

# Of the stacks of a file, each request's share alike: past it a stack ends at
# the last caller that is there.
MOST_SLICES = 200_000
# Each event has its texts anew.
_LONGEST = 500
# Two halves of a time lack a nanosecond, and the file has microseconds.
_TOUCHING_MS = 0.002

Event = dict[str, Any]


class _Room:
    """The room that is left for slices of a request's stacks.

    And over all requests their own slices, and what had no room: calls, and
    stacks that were cut.
    """

    def __init__(self) -> None:
        self.slices = 0
        self.requests: list[Event] = []
        self.calls_left_out = 0
        self.stacks_cut = 0


def trace_events(
    title: str, timelines: Timelines, unread: Sequence[str] = ()
) -> File:
    """Return the file of *timelines*; *unread* is what they lack besides."""
    room = _Room()
    share = MOST_SLICES // max(1, len(timelines.requests))
    events: list[Event] = []
    for number, request in enumerate(timelines.requests, 1):
        room.slices = share
        events += _of_request(number, request, room)
    left_out = [*unread, *lines_about(timelines), *_lines_about(room)]
    about: dict[str, Any] = {
        "title": title,
        "version": f"nova-profiler {__version__}",
        "began, ms since 1970": timelines.epoch_ms,
    }
    if left_out:
        about[HEADING] = text("; ".join(left_out))
        for event in room.requests:
            event["args"][HEADING] = about[HEADING]
    trace = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": about,
    }
    content = json.dumps(trace, separators=(",", ":")).encode()
    return File(content, left_out)


def _lines_about(room: _Room) -> Iterator[str]:
    if room.calls_left_out:
        yield overlapping_line(room.calls_left_out)
    if room.stacks_cut:
        yield cut_line(
            room.stacks_cut,
            MOST_SLICES,
            "slices of stacks, each request's share alike",
        )


def _of_request(number: int, request: Request, room: _Room) -> Iterator[Event]:
    tracks = count(1)
    stacks = request.stacks
    itself = _itself(request)
    yield _named("process_name", number, 0, request.process)
    yield _sorted("process_sort_index", number, 0)
    for lane, calls in request.lanes.items():
        own = [itself, *calls] if lane == 0 else calls
        lane_name = lane_title(lane, calls)
        rows, left_out = nested(own)
        room.calls_left_out += left_out
        for place, row in enumerate(rows):
            track = next(tracks)
            more = f", overlapping {place}" if place else ""
            yield from _thread(number, track, f"{lane_name}{more}")
            for call in row:
                event = _of_call(call, request.began_ms, number, track)
                if call is itself:
                    room.requests.append(event)
                yield event
        if lane in stacks.lanes:
            track = next(tracks)
            yield from _thread(number, track, f"{lane_name}: stacks")
            of_lane = stacks._replace(rest=stacks.lanes[lane])
            yield from _of_stacks(
                of_lane, request.began_ms, number, track, room
            )
    if stacks.rest:
        track = next(tracks)
        yield from _thread(number, track, stacks.rest_title)
        yield from _of_stacks(stacks, request.began_ms, number, track, room)


def _thread(number: int, track: int, name: str) -> Iterator[Event]:
    yield _named("thread_name", number, track, name)
    yield _sorted("thread_sort_index", number, track)


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
    stacks: Stacks,
    began_ms: float,
    number: int,
    track: int,
    room: _Room,
) -> Iterator[Event]:
    """Yield the rest of *stacks* in time; callers of neighbours are joined."""
    # The functions that are open, each with where it began.
    opened: list[tuple[Function, float]] = []
    at = began_ms

    def closed(depth: int) -> Iterator[Event]:
        while len(opened) > depth:
            function, start = opened.pop()
            yield _slice(
                function.label,
                state_of(function, stacks.by_name),
                start,
                at - start,
                number,
                track,
                {"at": _short(function.place)},
            )

    for stack in stacks.rest:
        start = began_ms + stack.start_ms
        if start - at > _TOUCHING_MS:
            yield from closed(0)
            at = start
        same = 0
        for (function, _), frame in zip(opened, stack.frames, strict=False):
            if function != frame.function:
                break
            same += 1
        yield from closed(same)
        for frame in stack.frames[same:]:
            if not room.slices:
                room.stacks_cut += 1
                break
            room.slices -= 1
            opened.append((frame.function, at))
        at = start + stack.ms
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
    return printable(value, _LONGEST - len("..."))
