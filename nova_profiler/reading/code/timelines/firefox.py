# SPDX-License-Identifier: Apache-2.0
"""Requests as a profile of the Firefox Profiler: markers and samples.

Each request is a process, each of its lanes a thread: its calls are markers,
its stacks samples. Stacks without a time are a thread of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nova_profiler.reading.code.timelines.firefox_meta import (
    CALL,
    REQUEST,
    categories_of,
    meta_of,
)
from nova_profiler.reading.code.timelines.firefox_tables import (
    MOST_STACKS,
    SharedTables,
)
from nova_profiler.reading.code.timelines.lane_calls import Call, lane_title
from nova_profiler.reading.code.timelines.left_out import (
    HEADING,
    File,
    cut_line,
    lines_about,
)
from nova_profiler.reading.code.timelines.looks import Stack, state_of
from nova_profiler.reading.code.timelines.texts import text
from nova_profiler.reading.code.timelines.tracks import (
    Request,
    Timelines,
    ends_ms,
)

_INTERVAL_MARKER = 1


def firefox_profile(
    title: str, timelines: Timelines, unread: Sequence[str] = ()
) -> File:
    """Return the file of *timelines*; *unread* is what they lack besides."""
    categories = categories_of(timelines)
    numbers = {one["name"]: place for place, one in enumerate(categories)}
    by_name = any(one.stacks.by_name for one in timelines.requests)
    shared = SharedTables(
        lambda one: (numbers[state_of(one, by_name)], int(one.is_own))
    )
    threads: list[dict[str, Any]] = []
    for number, request in enumerate(timelines.requests, 1):
        for thread in _threads(request, shared, numbers):
            thread["pid"] = str(number)
            thread["tid"] = len(threads) + 1
            threads.append(thread)
    left_out = [*unread, *lines_about(timelines)]
    if shared.cut:
        left_out.append(cut_line(shared.cut, MOST_STACKS, "callers"))
    if left_out:
        line = shared.text(text("; ".join(left_out)))
        for thread in threads:
            for payload in thread["markers"]["data"]:
                if payload["type"] == REQUEST:
                    payload[HEADING] = line
    profile = {
        "meta": meta_of(title, timelines, categories, len(threads), left_out),
        "libs": [],
        "pages": [],
        "shared": shared.fields(),
        "threads": threads,
    }
    content = json.dumps(profile, separators=(",", ":")).encode()
    return File(content, left_out)


def _threads(
    request: Request, shared: SharedTables, numbers: dict[str, int]
) -> list[dict[str, Any]]:
    """Return a thread for each lane, and one for stacks without a time."""
    began, ended = request.began_ms, request.began_ms + ends_ms(request)
    threads = []
    for lane, calls in request.lanes.items():
        markers = [_marker(call, began, shared, numbers) for call in calls]
        if lane == 0:
            markers.insert(0, _request_marker(request, shared))
        title = lane_title(lane, calls)
        samples = _samples_of(
            request.stacks.lanes.get(lane, ()), began, ended, shared
        )
        threads.append(_thread(request, title, samples, _markers(markers)))
    rest = request.stacks.rest
    if rest:
        until = began + rest[-1].start_ms + rest[-1].ms
        samples = _samples_of(rest, began, until, shared)
        title = request.stacks.rest_title
        threads.append(_thread(request, title, samples, _markers([])))
    for place, thread in enumerate(threads):
        thread["isMainThread"] = place == 0
        thread["processStartupTime"] = thread["registerTime"] = began
        thread["processShutdownTime"] = thread["unregisterTime"] = ended
    return threads


def _thread(
    request: Request,
    name: str,
    samples: dict[str, Any],
    markers: dict[str, Any],
) -> dict[str, Any]:
    return {
        "processType": "default",
        "processName": request.process,
        "pausedRanges": [],
        "showMarkersInTimeline": True,
        "name": name,
        "samples": samples,
        "markers": markers,
    }


def _samples_of(
    stacks: Sequence[Stack],
    began_ms: float,
    ended_ms: float,
    shared: SharedTables,
) -> dict[str, Any]:
    """Return each of *stacks* as two samples, where it begins and ends.

    Each weighs half of it: the Firefox Profiler takes the middle between two
    samples for the moment when one stack gave way to the other. Nothing
    stands where there was no look, from *began_ms* until *ended_ms*.
    """
    rows: list[tuple[int | None, float, float]] = []
    # Without a sample a thread has no length.
    at = round(began_ms, 6)
    rows.append((None, at, 0.0))
    known: dict[int, int | None] = {}
    for stack in stacks:
        place = known.get(id(stack.frames))
        if place is None:
            place = known[id(stack.frames)] = shared.stack(stack.frames)
        start = round(began_ms + stack.start_ms, 6)
        if start > at:
            rows += [(None, at, 0.0), (None, start, 0.0)]
        at = round(began_ms + stack.start_ms + stack.ms, 6)
        half = round(stack.ms / 2, 6)
        rows += [(place, start, half), (place, at, half)]
    rows += [(None, at, 0.0), (None, max(at, round(ended_ms, 6)), 0.0)]
    return {
        "stack": [row[0] for row in rows],
        "time": [row[1] for row in rows],
        "weight": [row[2] for row in rows],
        "weightType": "tracing-ms",
        "length": len(rows),
    }


_Marker = tuple[int, float, float, int, dict[str, Any]]


def _marker(
    call: Call, began_ms: float, shared: SharedTables, numbers: dict[str, int]
) -> _Marker:
    start = began_ms + call.start_ms
    return (
        shared.text(call.group),
        round(start, 6),
        round(start + call.ms, 6),
        numbers.get(call.group, 0),
        {
            "type": CALL,
            **{
                key: shared.text(fact) if isinstance(fact, str) else fact
                for key, fact in call.facts.items()
            },
        },
    )


def _request_marker(request: Request, shared: SharedTables) -> _Marker:
    facts = {"title": request.title, **request.about}
    if request.notes:
        facts["notes"] = "; ".join(request.notes)
    return (
        shared.text("request"),
        request.began_ms,
        request.began_ms + request.duration_ms,
        0,
        {
            "type": REQUEST,
            **{key: shared.text(fact) for key, fact in facts.items()},
        },
    )


def _markers(rows: Sequence[_Marker]) -> dict[str, Any]:
    return {
        "name": [row[0] for row in rows],
        "startTime": [row[1] for row in rows],
        "endTime": [row[2] for row in rows],
        "phase": [_INTERVAL_MARKER] * len(rows),
        "category": [row[3] for row in rows],
        "data": [row[4] for row in rows],
        "length": len(rows),
    }
