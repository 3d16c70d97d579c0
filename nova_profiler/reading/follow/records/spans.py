# SPDX-License-Identifier: Apache-2.0
"""What held the time where records show it: the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.gaps import Gap
from nova_profiler.reading.follow.rows import Row
from nova_profiler.reading.over_services.picture import Picture, Way
from nova_profiler.reading.over_services.relations.critical_path import (
    holder_of,
)


class Stay(NamedTuple):
    """A time, in seconds since 1970, in which *holder* held the request."""

    start: float
    end: float
    holder: str


def stays_of(picture: Picture, begin: float, end: float) -> list[Stay]:
    """Return what held the request when, as far as records show it.

    Until the answer by the way to it, after it by the way to the end; within
    the time from *begin* to *end*.
    """
    if picture.served[picture.root].began is None:
        return []
    answered = picture.zero + picture.moments[picture.root].ended
    found = _of_way(picture, picture.until_answer, begin, min(answered, end))
    if picture.until_done is not None:
        after = max(answered, begin)
        found += _of_way(picture, picture.until_done, after, end)
    return found


def _of_way(
    picture: Picture, way: Way, begin: float, end: float
) -> list[Stay]:
    found = []
    for one in way.stretches:
        start = max(begin, picture.zero + one.start)
        stop = min(end, picture.zero + one.end)
        if stop > start:
            served, name = picture.served[one.place], picture.names[one.place]
            holder, _ = holder_of(one, served, name)
            found.append(Stay(start, stop, holder))
    return found


def held_by_records(
    gaps: Sequence[Gap], rows: Sequence[Row], stays: Sequence[Stay]
) -> list[Gap]:
    """Return *gaps*; one that records cover has the holder that they name.

    The one that held most of it.
    """
    found = []
    place = 0
    for gap in gaps:
        start, end = rows[gap.row].until, rows[gap.following].at
        while place < len(stays) and stays[place].end <= start:
            place += 1
        parts: dict[str, float] = {}
        for stay in _from(stays, place, end):
            part = min(end, stay.end) - max(start, stay.start)
            parts[stay.holder] = parts.get(stay.holder, 0.0) + part
        if parts and sum(parts.values()) >= 0.5 * (end - start):
            holder = max(parts, key=lambda one: parts[one])
            gap = gap._replace(holder=holder, is_handover=False)
        found.append(gap)
    return found


def _from(stays: Sequence[Stay], place: int, end: float) -> list[Stay]:
    found = []
    while place < len(stays) and stays[place].start < end:
        found.append(stays[place])
        place += 1
    return found


def outside(
    start: float, end: float, stays: Sequence[Stay]
) -> list[tuple[float, float]]:
    """Return the parts of a time that no stay has: which lines have to show.

    *stays* follow each other.
    """
    if not stays:
        return [(start, end)]
    first, last = stays[0].start, stays[-1].end
    parts = [(start, min(end, first)), (max(start, last), end)]
    return [(begin, stop) for begin, stop in parts if stop > begin]
