# SPDX-License-Identifier: Apache-2.0
"""The picture of one request: its records, which waited for which, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.over_services.relations.clocks import (
    Clocks,
    clocks_of,
)
from nova_profiler.reading.over_services.relations.critical_path import (
    Share,
    Stretch,
    answered_of,
    critical_path,
    shares_of,
)
from nova_profiler.reading.over_services.relations.links import (
    Link,
    Times,
    links_by_id,
    links_by_time,
)
from nova_profiler.reading.over_services.relations.moments import (
    Moments,
    moments_of,
)
from nova_profiler.reading.over_services.relations.served import Served
from nova_profiler.record import REQUEST

# What ends so much after the answer ended with it.
ENDED_WITH_S = 0.001
CONTRADICTS = "its times contradict others: drawn where it was sent"
IMPOSSIBLE = "its times cannot be right: drawn without them"


class Way(NamedTuple):
    """The critical path to a moment, and how much of it each holder had."""

    seconds: float
    stretches: list[Stretch]
    shares: list[Share]


class Picture(NamedTuple):
    """All records of a request, by one clock, in seconds since it arrived.

    ``root`` is the place of the client's request. ``until_answer`` is the way
    to its answer, ``until_done`` the one to the end of the last record, None
    if that is the same. ``doubts`` has what may be wrong with a record, by
    its place. ``names`` are the services, with the host where there are
    several.
    """

    request_id: str
    served: list[Served]
    links: list[Link | None]
    moments: list[Moments]
    names: list[str]
    root: int
    zero: float
    clocks: Clocks
    until_answer: Way
    until_done: Way | None
    doubts: dict[int, str]

    def shift(self, place: int) -> float:
        """Return what to take from a record's own times for those here."""
        began = self.served[place].began
        return (began or 0.0) - self.moments[place].began

    def answered_calls(self) -> dict[int, set[tuple[float, float]]]:
        """Return by record the times of its calls that records answered."""
        found: dict[int, set[tuple[float, float]]] = {}
        for link in self.links:
            if link is not None and link.sent is not None:
                span = link.sent.start, link.sent.end
                found.setdefault(link.parent, set()).add(span)
        return found

    @property
    def begin(self) -> float:
        """Return the first moment of all."""
        return min(min(one.sent, one.arrived) for one in self.moments)

    @property
    def end(self) -> float:
        """Return the last moment of all."""
        return max(one.ended for one in self.moments)

    @property
    def children(self) -> dict[int | None, list[int]]:
        """Return the records that each one sent, in their order."""
        found: dict[int | None, list[int]] = {}
        for place, link in enumerate(self.links):
            parent = None if link is None else link.parent
            found.setdefault(parent, []).append(place)
        for places in found.values():
            places.sort(key=lambda place: self.moments[place].sent)
        return found


def picture_of(request_id: str, records: Sequence[Served]) -> Picture:
    """Return the picture of *records*, one or more, of one request."""
    served = list(records)
    known = links_by_id(served)
    root = _root_of(request_id, served, known)
    first = served[root].clock
    rough = moments_of(served, known, clocks_of(served, known, first), root)
    times = [
        Times(one.arrived, one.ended, shift)
        for one, shift in zip(rough.moments, rough.shifts, strict=True)
    ]
    links = links_by_time(served, known, times, root)
    clocks = clocks_of(served, links, first)
    placed = moments_of(served, links, clocks, root)
    moments, names = placed.moments, _names_of(served)
    answered = answered_of(links, moments)

    def way_to(place: int) -> Way:
        end = moments[place].ended
        path = critical_path(place, end, links, moments, answered)
        seconds = sum(one.seconds for one in path)
        return Way(seconds, path, shares_of(path, served, names))

    last = max(range(len(served)), key=lambda place: moments[place].ended)
    goes_on = moments[last].ended > moments[root].ended + ENDED_WITH_S
    doubts = {
        place: link.doubt
        for place, link in enumerate(links)
        if link is not None and link.doubt
    }
    doubts.update(dict.fromkeys(clocks.contradicting, CONTRADICTS))
    doubts.update(dict.fromkeys(placed.doubtful, IMPOSSIBLE))
    return Picture(
        request_id,
        served,
        links,
        moments,
        names,
        root,
        placed.zero,
        clocks,
        way_to(root),
        way_to(last) if goes_on else None,
        doubts,
    )


def _root_of(
    request_id: str, served: Sequence[Served], links: Sequence[Link | None]
) -> int:
    """Return the client's request: the longest of those with the id.

    Without one the record that arrived first.
    """

    def rank(place: int) -> tuple[bool, bool, bool, float, float]:
        one = served[place]
        is_request = one.kind == REQUEST.name
        return (
            links[place] is None,
            one.arrived is not None,
            is_request and one.request_id == request_id,
            one.worked_s if is_request else 0.0,
            -(one.arrived or 0.0),
        )

    return max(range(len(served)), key=rank)


def _names_of(served: Sequence[Served]) -> list[str]:
    hosts: dict[str, set[str]] = {}
    for one in served:
        hosts.setdefault(one.service, set()).add(one.host)
    return [
        f"{one.service}@{one.host}"
        if len(hosts[one.service]) > 1 and one.host
        else one.service or "unknown service"
        for one in served
    ]
