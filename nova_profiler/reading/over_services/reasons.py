# SPDX-License-Identifier: Apache-2.0
"""What a service did in the time that it held a request."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_profiler.groups import EITHER, PYTHON, WAITING
from nova_profiler.reading.over_services.picture import Picture, Way
from nova_profiler.reading.over_services.relations.critical_path import (
    WORK,
    Stretch,
)
from nova_profiler.reading.record_words import call_text
from nova_profiler.record import MESSAGE

# What has this part of a holder's time is its reason; a call with less than
# that and at least the second part, where nothing else is.
_MOST_OF = 0.5
_PART_OF = 0.25
_MOST_SOURCES = 3
_NO_CALL = {
    PYTHON.name: "Python, in no call that is timed",
    WAITING.name: "waiting, in no call that is timed",
    EITHER.name: "running or waiting, in no call that is timed",
}


class Reason(NamedTuple):
    """What took most of a holder's time; ``seconds`` is how much of it."""

    text: str
    seconds: float


class Held(NamedTuple):
    """Calls of one name, within the time that a service held a request."""

    group: str
    name: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    seconds: float


def work_by_holder(picture: Picture, way: Way) -> dict[str, list[Stretch]]:
    """Return the parts of *way* in which each service was at work."""
    found: dict[str, list[Stretch]] = {}
    for one in way.stretches:
        if one.what == WORK:
            found.setdefault(picture.names[one.place], []).append(one)
    return found


def reason_of(picture: Picture, stretches: Sequence[Stretch]) -> Reason | None:
    """Return what a service did most in *stretches*, its part of a way."""
    held_s = sum(one.seconds for one in stretches)
    if held_s <= 0:
        return None
    calls = held_calls(picture, stretches)
    top = None
    if calls and calls[0].seconds >= _PART_OF * held_s:
        count = f"{calls[0].count} x " if calls[0].count > 1 else ""
        text = count + call_text(calls[0].group, calls[0].name)
        top = Reason(text, min(calls[0].seconds, held_s))
        if top.seconds >= _MOST_OF * held_s:
            return top
    before = _before_sending(picture, stretches, held_s)
    return before or top or _of_buckets(picture, stretches, held_s)


def held_calls(picture: Picture, stretches: Sequence[Stretch]) -> list[Held]:
    """Return the calls that ran in *stretches*, those with most time first."""
    found: dict[tuple[str, str], list[float]] = {}
    for group, name, seconds in _parts(picture, stretches):
        sums = found.setdefault((group, name), [0, 0.0])
        sums[0] += 1
        sums[1] += seconds
    held = [
        Held(group, name, int(count), seconds)
        for (group, name), (count, seconds) in found.items()
    ]
    return sorted(held, key=lambda one: -one.seconds)


def _parts(
    picture: Picture, stretches: Sequence[Stretch]
) -> Iterator[tuple[str, str, float]]:
    """Yield each call with its time within *stretches* of its record."""
    by_place: dict[int, list[Stretch]] = {}
    for one in stretches:
        by_place.setdefault(one.place, []).append(one)
    for place, own in by_place.items():
        own.sort(key=lambda one: one.start)
        starts = [one.start for one in own]
        shift = picture.shift(place)
        for call in picture.served[place].calls:
            start, end = call.start - shift, call.end - shift
            seconds = 0.0
            number = max(0, bisect_right(starts, start) - 1)
            while number < len(own) and own[number].start < end:
                inside = min(end, own[number].end) - max(
                    start, own[number].start
                )
                seconds += max(0.0, inside)
                number += 1
            if seconds > 0:
                yield call.group, call.name, seconds


def _before_sending(
    picture: Picture, stretches: Sequence[Stretch], held_s: float
) -> Reason | None:
    """Return that the client's request was held before it sent anything."""
    root = picture.root
    own = [one for one in stretches if one.place == root]
    if not own:
        # Those sent are looked at for the one holder that has the request.
        return None
    sent = [
        (picture.moments[place].sent, place)
        for place, link in enumerate(picture.links)
        if link is not None and link.parent == root
    ]
    if not sent:
        return None
    first, child = min(sent)
    seconds = sum(max(0.0, min(one.end, first) - one.start) for one in own)
    if seconds < _MOST_OF * held_s:
        return None
    served = picture.served[child]
    link = picture.links[child]
    what = served.key if served.kind == MESSAGE.name else served.title
    how = "calling" if link is not None and link.waits else "casting"
    return Reason(f"before {how} {what.rpartition(' ')[2]}", seconds)


def _of_buckets(
    picture: Picture, stretches: Sequence[Stretch], held_s: float
) -> Reason | None:
    longest = max(stretches, key=lambda one: one.seconds)
    buckets = dict(picture.served[longest.place].buckets)
    known = [name for name in _NO_CALL if buckets.get(name, 0.0) > 0]
    if not known:
        return None
    name = max(known, key=lambda one: buckets[one])
    return Reason(_NO_CALL[name], min(buckets[name], held_s))


def sources_of_time(picture: Picture) -> list[str]:
    """Return the files of the records with most time on the ways."""
    held: dict[int, float] = {}
    for way in (picture.until_answer, picture.until_done):
        for one in () if way is None else way.stretches:
            if one.what == WORK:
                held[one.place] = held.get(one.place, 0.0) + one.seconds
    ranked = sorted(held, key=lambda place: -held[place])
    return [picture.served[place].source for place in ranked[:_MOST_SOURCES]]
