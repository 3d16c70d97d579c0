# SPDX-License-Identifier: Apache-2.0
"""Requests as a profile of the Firefox Profiler: markers and samples.

Each request is a process, each of its lanes a thread with its calls as
markers. Its stacks are a thread of their own.
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
from nova_profiler.reading.code.timelines.firefox_tables import SharedTables
from nova_profiler.reading.code.timelines.lane_calls import Call, lane_title
from nova_profiler.reading.code.timelines.looks import (
    STACKS_TITLE,
    Stack,
    state_of,
)
from nova_profiler.reading.code.timelines.tracks import (
    Request,
    Timelines,
    ends_ms,
)

_INTERVAL_MARKER = 1


def firefox_profile(title: str, timelines: Timelines) -> bytes:
    """Return the file of *timelines*."""
    categories = categories_of(timelines)
    numbers = {one["name"]: place for place, one in enumerate(categories)}
    shared = SharedTables(
        lambda one: (numbers[state_of(one)], int(one.is_own))
    )
    threads: list[dict[str, Any]] = []
    for number, request in enumerate(timelines.requests, 1):
        for thread in _threads(request, shared, numbers):
            thread["pid"] = str(number)
            thread["tid"] = len(threads) + 1
            threads.append(thread)
    profile = {
        "meta": meta_of(title, timelines, categories, len(threads)),
        "libs": [],
        "pages": [],
        "shared": shared.fields(),
        "threads": threads,
    }
    return json.dumps(profile, separators=(",", ":")).encode()


def _threads(
    request: Request, shared: SharedTables, numbers: dict[str, int]
) -> list[dict[str, Any]]:
    """Return a thread for each lane, and one for the stacks."""
    began, ended = request.began_ms, request.began_ms + ends_ms(request)
    threads = []
    for lane, calls in request.lanes.items():
        markers = [_marker(call, began, shared, numbers) for call in calls]
        if lane == 0:
            markers.insert(0, _request_marker(request, shared))
        # Without a sample a thread has no length.
        samples = _samples([None, None], [began, ended], [0.0, 0.0])
        threads.append(
            _thread(request, lane_title(lane), samples, _markers(markers))
        )
    if request.stacks:
        samples = _samples_of(request.stacks, began, shared)
        threads.append(_thread(request, STACKS_TITLE, samples, _markers([])))
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
    stacks: Sequence[Stack], began_ms: float, shared: SharedTables
) -> dict[str, Any]:
    """Return the stacks side by side, each as wide as its time."""
    places, times, weights = [], [], []
    at = began_ms
    for stack in stacks:
        places.append(shared.stack(stack.frames))
        times.append(round(at, 6))
        weights.append(round(stack.ms, 6))
        at += stack.ms
    # The end of the last one.
    return _samples([*places, None], [*times, round(at, 6)], [*weights, 0.0])


def _samples(
    stacks: Sequence[int | None],
    times: Sequence[float],
    weights: Sequence[float],
) -> dict[str, Any]:
    return {
        "stack": stacks,
        "time": times,
        "weight": weights,
        "weightType": "tracing-ms",
        "length": len(stacks),
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
