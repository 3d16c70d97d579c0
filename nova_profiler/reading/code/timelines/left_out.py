# SPDX-License-Identifier: Apache-2.0
"""What a file with times has no room for: a line for each kind of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.code.timelines.lane_calls import (
    MOST_CALLS,
    MOST_ROWS,
    Call,
    nested,
)
from nova_profiler.reading.code.timelines.lane_room import MOST_LANES
from nova_profiler.reading.code.timelines.looks import MOST_FRAMES
from nova_profiler.reading.code.timelines.tracks import (
    Source,
    Timelines,
    timelines_of,
)
from nova_profiler.reading.screen.terminal import counted
from nova_profiler.record import RequestRecord

# What these lines stand under in files of other programs.
HEADING = "not in this file"


class File(NamedTuple):
    """The bytes of a file, and a line for each kind of what it lacks."""

    content: bytes
    left_out: Sequence[str]


def lines_about(timelines: Timelines) -> list[str]:
    """Return what *timelines* lack of the requests that they are made of."""
    found = []
    if timelines.left_out:
        found.append(
            f"{counted(timelines.left_out, 'call')} left out: a file has room "
            f"for the {MOST_CALLS} longest"
        )
    if timelines.lanes_left_out:
        found.append(
            f"{counted(timelines.lanes_left_out, 'lane')} left out, with "
            f"{counted(timelines.calls_of_lanes_left_out, 'call')}: a file "
            f"has room for {MOST_LANES}, each request's share alike"
        )
    without_room = sum(one.stacks.without_room for one in timelines.requests)
    if without_room:
        found.append(
            f"{counted(without_room, 'stack')} left without a lane: a request "
            f"has room for {MOST_FRAMES} frames in lanes"
        )
    return found


def overlapping_line(calls: int) -> str:
    """Return a line about so many calls that have no row in their lane."""
    return (
        f"{counted(calls, 'call')} left out: Perfetto has {MOST_ROWS} rows "
        f"for calls of a lane that overlap"
    )


def cut_line(stacks: int, most: int, what: str) -> str:
    """Return a line about *stacks* that end too early, as *what* is full."""
    ends = "stack ends" if stacks == 1 else "stacks end"
    return f"{stacks} {ends} at a caller: a file has room for {most} {what}"


def left_out_of(record: RequestRecord) -> list[str]:
    """Return what files of *record* alone lack, but for its stacks."""
    timelines = timelines_of([Source("", record, None)])
    found = lines_about(timelines)
    overlapping = 0
    for request in timelines.requests:
        # As trace events have it, in the first row of its own thread.
        itself = Call("", "", 0.0, request.duration_ms, {})
        for lane, calls in request.lanes.items():
            own = [itself, *calls] if lane == 0 else calls
            overlapping += nested(own)[1]
    if overlapping:
        found.append(overlapping_line(overlapping))
    return found
