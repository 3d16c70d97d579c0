# SPDX-License-Identifier: Apache-2.0
"""Routes that a process learns from what was answered, always few.

Clients choose values: names of traits, domains, containers. A value is known
by its variety. Where more than a few different literals stand at one place of
a path, that place takes ``{id}``, and what was learned below becomes one. So
values never use up the room, and a route that comes later still has a place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import median

from nova_profiler.capture.served.routing.resource_words import RESOURCE_WORDS
from nova_profiler.routes import ID

# Routes in all. neutron with all that it can load answers some 200.
MAX_LEARNED = 400
# Different literals at one place of a path, words of OpenStack not counted;
# and where resources are named: first in a path, or behind its version.
MAX_LITERALS = 20
MAX_FIRST_LITERALS = 100

_VERSION = re.compile(r"v\d{1,2}(?:\.\d{1,3})?\Z")

# How often each route was asked for; for each place that takes {id}, the
# literals that keep their name there.
_Hits = dict[str, int]
_Kept = dict[str, frozenset[str]]


class LearnedRoutes:
    """The routes that were learned so far.

    No lock is taken: what is learned replaces the pair of tables. Of what two
    threads learn in the same moment one lesson is lost; the next request
    repeats it.
    """

    def __init__(self) -> None:
        self._tables: tuple[_Hits, _Kept] = ({}, {})

    def __len__(self) -> int:
        return len(self._tables[0])

    def route_of(self, shape: str, is_lesson: bool) -> str | None:
        """Return the route of *shape*, a path with its ids as ``{id}``.

        None where it is not known, except if *is_lesson*: then it is learned.
        """
        hits, kept = self._tables
        route = shape
        if route not in hits and kept:
            route = _merged(shape, kept)
        if route in hits:
            # A count lost between threads does not matter.
            hits[route] += 1
            return route
        return self._learned(shape) if is_lesson else None

    def _learned(self, shape: str) -> str | None:
        hits, kept = self._tables
        route = _merged(shape, kept)
        hits = {**hits, route: hits.get(route, 0) + 1}
        while True:
            place = _place_to_merge(hits, kept)
            if place is None:
                break
            hits, kept = _with_merged(place, hits, kept)
        if len(hits) > MAX_LEARNED:
            # Nothing but ids and words that stand alone.
            return None
        self._tables = hits, kept
        return _merged(shape, kept)


def _merged(shape: str, kept: _Kept) -> str:
    """Return *shape* with ``{id}`` for what has no name at its place."""
    place = ""
    for part in shape[1:].split("/"):
        names = kept.get(place)
        if names is None or part in names or not part:
            place = f"{place}/{part}"
        else:
            place = f"{place}/{ID}"
    return place


def _place_to_merge(hits: _Hits, kept: _Kept) -> str | None:
    """Return the place that holds too many literals; None if none does.

    Of too many routes, the place with most literals: first without those
    that have a name, then with them.
    """
    places = _literals_by_place(hits)
    unnamed = {
        place: len(literals - RESOURCE_WORDS - kept.get(place, frozenset()))
        for place, literals in places.items()
    }
    for place, count in sorted(unnamed.items()):
        if count > _most_at(place):
            return place
    if len(hits) <= MAX_LEARNED:
        return None
    for counts in unnamed, {at: len(those) for at, those in places.items()}:
        widest = max(counts, key=lambda place: (counts[place], place))
        if counts[widest] > 1:
            return widest
    return None


def _literals_by_place(hits: _Hits) -> dict[str, set[str]]:
    """Return what stands at each place of the routes, but for ids."""
    places: dict[str, set[str]] = defaultdict(set)
    for route in hits:
        place = ""
        for part in route[1:].split("/"):
            literals = places[place]
            if part and part != ID:
                literals.add(part)
            place = f"{place}/{part}"
    return places


def _most_at(place: str) -> int:
    """Return how many literals may stand at *place*.

    An API may have any number of resources, which are named first or behind
    its version.
    """
    last = place.rpartition("/")[2]
    if not last or _VERSION.match(last):
        return MAX_FIRST_LITERALS
    return MAX_LITERALS


def _with_merged(place: str, hits: _Hits, kept: _Kept) -> tuple[_Hits, _Kept]:
    """Return both tables with the literals at *place* merged.

    Words of OpenStack keep their name, and so do the literals that were
    asked for clearly more often than the others. A place that is merged a
    second time keeps none.
    """
    names: frozenset[str] = frozenset()
    if place not in kept:
        names = RESOURCE_WORDS | _often_used(place, hits)
    now = {**kept, place: names}
    # Places below one that took {id} follow it.
    places: dict[str, frozenset[str]] = {}
    for below, those in now.items():
        moved = _merged(below, now) if below else ""
        places[moved] = places[moved] & those if moved in places else those
    merged: _Hits = {}
    for route, count in hits.items():
        name = _merged(route, places)
        merged[name] = merged.get(name, 0) + count
    in_use = _literals_by_place(merged)
    return merged, {at: those for at, those in places.items() if at in in_use}


def _often_used(place: str, hits: _Hits) -> frozenset[str]:
    """Return the literals at *place* that stand out, a few at most.

    A version of an API is no value.
    """
    used: dict[str, int] = defaultdict(int)
    for route, count in hits.items():
        if route.startswith(place + "/"):
            part = route[len(place) + 1 :].partition("/")[0]
            if part != ID:
                used[part] += count
    usual = median(used.values()) if used else 0
    often = [
        part
        for part, count in used.items()
        if count > 2 * usual or _VERSION.match(part)
    ]
    often.sort(key=lambda part: (-used[part], part))
    return frozenset(often[:MAX_LITERALS])
