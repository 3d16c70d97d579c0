# SPDX-License-Identifier: Apache-2.0
"""When each record was at work, by one clock, in seconds of the request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.over_services.relations.clocks import Clocks
from nova_profiler.reading.over_services.relations.links import Link
from nova_profiler.reading.over_services.relations.served import Served

# What lies further off the request has a clock that cannot be right: tasks,
# such as a live migration, go on for hours, and wait for their turn.
_BEFORE_S = 3_600.0
_AFTER_S = 2 * 86_400.0


class Moments(NamedTuple):
    """The moments of one record, in seconds since the request arrived.

    ``called`` until ``answered`` is the call of the parent, where it waited.
    """

    sent: float
    arrived: float
    began: float
    ended: float
    called: float
    answered: float


class AllMoments(NamedTuple):
    """The moments of all records; ``zero`` is when the request arrived.

    ``shifts`` is what zero is by the clock of each record. ``doubtful`` are
    the places of records whose own times cannot be right.
    """

    zero: float
    shifts: list[float]
    moments: list[Moments]
    doubtful: frozenset[int]


def moments_of(
    served: Sequence[Served],
    links: Sequence[Link | None],
    clocks: Clocks,
    root: int,
) -> AllMoments:
    """Return when each record was at work, by the clock of *root*'s host."""
    ahead = [clocks.ahead_s.get(one.clock, 0.0) for one in served]
    zero = _zero(served, root) - ahead[root]
    last = served[root].worked_s + _AFTER_S
    doubtful = set()
    found: list[Moments | None] = [None] * len(served)
    for place in _parents_first(links):
        one, link = served[place], links[place]
        above = None if link is None else found[link.parent]
        shift = zero + ahead[place]
        by_parent = zero if link is None else zero + ahead[link.parent]

        def own(moment: float | None, shift: float = shift) -> float | None:
            return None if moment is None else moment - shift

        arrived = own(one.arrived)
        if place in clocks.contradicting:
            # A clock that was set would draw it hours away from all others.
            arrived = None
        elif arrived is None or not -_BEFORE_S <= arrived <= last:
            doubtful.add(place)
            arrived = None
        sent = own(one.sent, by_parent)
        if link is not None and link.sent is not None:
            sent = link.sent.start - by_parent if sent is None else sent
        if sent is not None and not -_BEFORE_S <= sent <= last:
            sent = None
        if arrived is None:
            arrived = sent
        if arrived is None:
            arrived = 0.0 if above is None else above.began
        if sent is None:
            sent = arrived
        began, ended, is_possible = _work(one, arrived, last)
        if not is_possible:
            doubtful.add(place)
        called, answered = sent, ended
        if link is not None and link.sent is not None:
            called = link.sent.start - by_parent
            answered = link.sent.end - by_parent
        found[place] = Moments(sent, arrived, began, ended, called, answered)
    return AllMoments(
        zero,
        [zero + one for one in ahead],
        [one for one in found if one is not None],
        frozenset(doubtful),
    )


def _work(
    one: Served, arrived: float, last: float
) -> tuple[float, float, bool]:
    """Return when *one* began and ended, and whether all of that may be.

    What would go on past *last* counts as no time: the scale of all others
    would be lost in it.
    """
    wait, work = one.waited_s, one.worked_s
    is_possible = one.is_possible
    if arrived + wait > last:
        wait, is_possible = 0.0, False
    if arrived + wait + work > last:
        work, is_possible = 0.0, False
    began = arrived + wait
    return began, began + work, is_possible


def _zero(served: Sequence[Served], root: int) -> float:
    """Return when the request arrived, by the clock of its host."""
    arrived = served[root].arrived
    if arrived is not None:
        return arrived
    known = [one.arrived for one in served if one.arrived is not None]
    return min(known, default=0.0)


def _parents_first(links: Sequence[Link | None]) -> list[int]:
    """Return all places, each behind the one of its parent."""
    order: list[int] = []
    ways: list[int] = []
    seen = [False] * len(links)
    for start in range(len(links)):
        place: int | None = start
        while place is not None and not seen[place]:
            seen[place] = True
            ways.append(place)
            link = links[place]
            place = None if link is None else link.parent
        while ways:
            order.append(ways.pop())
    return order
