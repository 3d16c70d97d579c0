# SPDX-License-Identifier: Apache-2.0
"""How far the clocks of hosts differ, by what went between them.

What is sent arrives later, and an answer comes back later than it was given.
A call and its answer give both bounds of the difference, as NTP has them; a
cast gives one. Over all that went between two hosts the bounds are narrower.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_profiler.reading.over_services.relations.links import Link
from nova_profiler.reading.over_services.relations.served import Served

# A record ends a little after its answer was sent.
SLACK_S = 0.001
# Of a process's two clocks, one for moments and one for times between.
_ROUNDING_S = 0.0005
_NO_BOUND = math.inf


class Exchange(NamedTuple):
    """What the record at *place* shows of two clocks.

    The clock ``far`` is ahead of ``near`` by at least ``least_s`` and at most
    ``most_s``.
    """

    place: int
    near: str
    far: str
    least_s: float
    most_s: float

    @property
    def is_two_way(self) -> bool:
        """Return whether an answer came back, too."""
        return self.least_s > -_NO_BOUND and self.most_s < _NO_BOUND


class Clock(NamedTuple):
    """The clock of ``host`` is ``offset_s`` ahead of the one of ``other``.

    At least ``least_s`` and at most ``most_s``; the offset is 0 where that is
    within these. ``exchanges`` and ``two_way`` count what went between both,
    ``contradicting`` what fits no difference that the others allow.
    """

    host: str
    other: str
    offset_s: float
    least_s: float
    most_s: float
    exchanges: int
    two_way: int
    contradicting: int


class Clocks(NamedTuple):
    """The clocks of a picture, as far as something went between them.

    ``ahead_s`` is how far each is ahead of the first host's. ``unknown`` are
    hosts that nothing leads to, ``contradicting`` the places of records
    whose times contradict.
    """

    ahead_s: dict[str, float]
    clocks: list[Clock]
    unknown: list[str]
    contradicting: frozenset[int]


def clocks_of(
    served: Sequence[Served], links: Sequence[Link | None], first: str
) -> Clocks:
    """Return the clocks of all hosts beside that of the host *first*."""
    exchanges = list(_exchanges(served, links))
    between: dict[tuple[str, str], list[Exchange]] = {}
    for one in exchanges:
        between.setdefault((one.near, one.far), []).append(one)
        back = one._replace(
            near=one.far,
            far=one.near,
            least_s=-one.most_s,
            most_s=-one.least_s,
        )
        if one.near != one.far:
            between.setdefault((one.far, one.near), []).append(back)
    ahead, clocks = _spread(between, first)
    hosts = {one.clock for one in served}
    return Clocks(
        ahead,
        clocks,
        sorted(hosts - set(ahead)),
        frozenset(
            one.place
            for one in exchanges
            if not _fits(one, ahead.get(one.far, 0) - ahead.get(one.near, 0))
        ),
    )


def _exchanges(
    served: Sequence[Served], links: Sequence[Link | None]
) -> Iterator[Exchange]:
    for place, (one, link) in enumerate(zip(served, links, strict=True)):
        if link is None or one.arrived is None or one.ended is None:
            continue
        sent = one.sent
        if sent is None and link.sent is not None:
            sent = link.sent.start
        if sent is None:
            continue
        least = -_NO_BOUND
        near = served[link.parent].clock
        # A busy service is held up between its answer and the record's end:
        # of one clock alone that is no contradiction.
        if link.waits and link.sent is not None and near != one.clock:
            least = one.ended - link.sent.end - SLACK_S
        most = one.arrived - sent
        yield Exchange(place, near, one.clock, least, most)


def _fits(one: Exchange, ahead_s: float) -> bool:
    return one.least_s - _ROUNDING_S <= ahead_s <= one.most_s + _ROUNDING_S


def _spread(
    between: dict[tuple[str, str], list[Exchange]], first: str
) -> tuple[dict[str, float], list[Clock]]:
    """Return how far each clock is ahead of the *first*, and each pair used.

    From host to host, over the narrowest bounds first.
    """
    neighbours: dict[str, list[Clock]] = {}
    for (near, far), exchanges in between.items():
        if near != far:
            clock = _clock_of(near, far, exchanges)
            neighbours.setdefault(near, []).append(clock)
    ahead = {first: 0.0}
    used: list[Clock] = []
    heap: list[tuple[float, int, str, str, Clock]] = []

    def reach(host: str) -> None:
        for clock in neighbours.get(host, ()):
            width = clock.most_s - clock.least_s
            key = width, -clock.exchanges, clock.other, clock.host
            heapq.heappush(heap, (*key, clock))

    reach(first)
    while heap:
        clock = heapq.heappop(heap)[-1]
        if clock.host in ahead:
            continue
        ahead[clock.host] = ahead[clock.other] + clock.offset_s
        used.append(clock)
        reach(clock.host)
    return ahead, used


def _clock_of(near: str, far: str, exchanges: list[Exchange]) -> Clock:
    least, most = _bounds(exchanges)
    if least <= 0 <= most:
        offset = 0.0
    elif math.isinf(least) or math.isinf(most):
        # How long the way took is not known: no less than no time.
        offset = least if math.isinf(most) else most
    else:
        offset = (least + most) / 2
    return Clock(
        far,
        near,
        offset,
        least,
        most,
        len(exchanges),
        sum(one.is_two_way for one in exchanges),
        sum(not _fits(one, offset) for one in exchanges),
    )


def _bounds(exchanges: list[Exchange]) -> tuple[float, float]:
    """Return the bounds that most of *exchanges* agree with.

    One whose own bounds contradict agrees with none.
    """
    events = sorted(
        event
        for one in exchanges
        if one.least_s <= one.most_s
        for event in ((one.least_s, 0), (one.most_s, 1))
    )
    if not events:
        return -_NO_BOUND, _NO_BOUND
    agreeing = most_agreeing = 0
    bounds = -_NO_BOUND, _NO_BOUND
    for number, (moment, is_end) in enumerate(events):
        agreeing += -1 if is_end else 1
        if agreeing > most_agreeing:
            most_agreeing = agreeing
            bounds = moment, events[number + 1][0]
    return bounds
