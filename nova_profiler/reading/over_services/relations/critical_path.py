# SPDX-License-Identifier: Apache-2.0
"""What a moment had to wait for: back from it, over whatever ended last.

The way goes back through a record; where an answer came it goes into the
record that gave it, and from a record's begin to what sent it. Each moment of
the way belongs to one holder: a service, the broker, or a line for a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.over_services.relations.links import Link
from nova_profiler.reading.over_services.relations.moments import Moments
from nova_profiler.reading.over_services.relations.served import Served
from nova_profiler.record import MESSAGE, REQUEST

WORK = "work"
ON_THE_WAY = "on the way"
IN_LINE = "in line"

BROKER = "broker"
NETWORK = "network"
# An answer that came by so much after the moment came before it.
_ROUNDING_S = 0.001


class Stretch(NamedTuple):
    """A part of the way: from *start* to *end* the record *place* had it."""

    start: float
    end: float
    what: str
    place: int

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return self.end - self.start


class Share(NamedTuple):
    """How much of a way a holder had; ``what`` is WORK for a service."""

    holder: str
    what: str
    seconds: float
    share: float


class Answered(NamedTuple):
    """The children of each record whose answers it waited for.

    The one that was answered last comes first.
    """

    by_parent: dict[int, list[int]]


def answered_of(
    links: Sequence[Link | None], moments: Sequence[Moments]
) -> Answered:
    """Return which records were waited for."""
    by_parent: dict[int, list[int]] = {}
    for place, link in enumerate(links):
        if link is not None and link.waits:
            by_parent.setdefault(link.parent, []).append(place)
    for places in by_parent.values():
        places.sort(key=lambda place: -moments[place].answered)
    return Answered(by_parent)


def critical_path(
    place: int,
    until: float,
    links: Sequence[Link | None],
    moments: Sequence[Moments],
    answered: Answered,
) -> list[Stretch]:
    """Return the way back from *until* in the record *place*, in order."""
    found: list[Stretch] = []
    at = until
    while True:
        begin = min(at, moments[place].began)
        _inside(place, begin, at, moments, answered, found)
        at = begin
        link = links[place]
        if link is None:
            # In line for a worker, where the first record is a message.
            _add(found, min(at, moments[place].arrived), at, IN_LINE, place)
            break
        arrived = min(at, moments[place].arrived)
        sent = min(arrived, moments[place].sent)
        _add(found, arrived, at, IN_LINE, place)
        _add(found, sent, arrived, ON_THE_WAY, place)
        at = sent
        place = link.parent
    found.sort(key=lambda one: one.start)
    return found


def _inside(
    place: int,
    begin: float,
    end: float,
    moments: Sequence[Moments],
    answered: Answered,
    found: list[Stretch],
) -> None:
    """Add the way through records from *begin* to *end* to *found*."""
    ways = [(place, begin, end)]
    while ways:
        place, begin, at = ways.pop()
        for child in answered.by_parent.get(place, ()):
            if at <= begin:
                break
            own = moments[child]
            if own.answered > at + _ROUNDING_S or own.called >= at:
                continue
            back = min(own.answered, at)
            if back <= begin:
                break
            _add(found, back, at, WORK, place)
            # By a clock that is wrong the answer may come before the call.
            called = min(max(begin, own.called), back)
            ended = min(max(own.ended, called), back)
            began = min(max(own.began, called), ended)
            arrived = min(max(own.arrived, called), began)
            _add(found, ended, back, ON_THE_WAY, child)
            ways.append((child, began, ended))
            _add(found, arrived, began, IN_LINE, child)
            _add(found, called, arrived, ON_THE_WAY, child)
            at = called
        _add(found, begin, at, WORK, place)


def _add(
    found: list[Stretch], start: float, end: float, what: str, place: int
) -> None:
    if end > start:
        found.append(Stretch(start, end, what, place))


def shares_of(
    path: Sequence[Stretch],
    served: Sequence[Served],
    names: Sequence[str],
) -> list[Share]:
    """Return how much of *path* each holder had, in the order of their turn.

    *names* are the services of the records, as a person distinguishes them.
    """
    held: dict[tuple[str, str], float] = {}
    for one in path:
        key = holder_of(one, served[one.place], names[one.place])
        held[key] = held.get(key, 0.0) + one.seconds
    whole = sum(held.values())
    return [
        Share(holder, what, seconds, seconds / whole)
        for (holder, what), seconds in held.items()
    ]


def holder_of(one: Stretch, served: Served, name: str) -> tuple[str, str]:
    """Return what held a part of the way, and what it did with it."""
    if one.what == WORK:
        return name, WORK
    if one.what == IN_LINE:
        return f"in line for {name}", IN_LINE
    if served.kind == MESSAGE.name:
        return BROKER, ON_THE_WAY
    if served.kind == REQUEST.name:
        return NETWORK, ON_THE_WAY
    return f"in line for {name}", IN_LINE
