# SPDX-License-Identifier: Apache-2.0
"""The lanes that a file has room for.

Each is a thread there, with much that the record of a lane does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nova_profiler.profiles.session_files import Session
from nova_profiler.reading.code.timelines.lane_calls import Call

# Of a whole file, each request's share alike.
MOST_LANES = 2_000


def share_of(requests: int) -> int:
    """Return how many lanes each of so many *requests* has room for."""
    return max(1, MOST_LANES // max(1, requests))


def lanes_with_room(
    lanes: Mapping[int, Sequence[Call]], session: Session | None, most: int
) -> tuple[set[int], int]:
    """Return the lanes that have room, *most* of them, and how many lack.

    Of *lanes* and those of *session*: the request's own thread, then those
    with the most time in calls and stacks.
    """
    busy_ms = {
        lane: sum(call.ms for call in calls) for lane, calls in lanes.items()
    }
    if session is not None and session.timed is not None:
        for lane, _, _, us in session.timed.rows():
            busy_ms[lane] = busy_ms.get(lane, 0.0) + us / 1000
    order = sorted(busy_ms, key=lambda lane: (lane != 0, -busy_ms[lane], lane))
    return set(order[:most]), len(order[most:])
