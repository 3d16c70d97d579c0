# SPDX-License-Identifier: Apache-2.0
"""The rows of the waterfall: records as they called each other, and calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.groups import HTTP_GROUPS, RPC
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.relations.critical_path import WORK
from nova_profiler.reading.record_words import call_text

# What a part of a row shows, from the least to the most important one.
ON_THE_WAY, IN_LINE, AT_WORK, WAITS, CRITICAL = range(5)

# A call with less of the whole is no main call.
_LEAST_SHARE = 0.03
_MOST_CALLS = 2
_SENDING = (RPC.name, *HTTP_GROUPS)
# Deeper records stand as deep.
DEEPEST = 12

Span = tuple[float, float, int]


class CallRow(NamedTuple):
    """Calls of one name of a record; no spans where they are not known."""

    text: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    seconds: float
    spans: list[tuple[float, float]]


class Row(NamedTuple):
    """One record, or several of one name that one record sent.

    ``seconds`` adds up their work, ``spans`` are what each part shows.
    """

    places: tuple[int, ...]
    depth: int
    seconds: float
    spans: list[Span]
    calls: list[CallRow]
    doubt: str

    @property
    def place(self) -> int:
        """Return the first of the records."""
        return self.places[0]


def rows_of(picture: Picture, full: bool = False) -> list[Row]:
    """Return the rows in the order in which records were sent.

    Records of one name that one record sent, and that sent nothing, are one
    row, unless *full*.
    """
    children = picture.children
    critical = _critical_spans(picture)
    answered = picture.answered_calls()
    # Each looks at all records: not once more for each row.
    least = 0.0 if full else _LEAST_SHARE * (picture.end - picture.begin)
    most = None if full else _MOST_CALLS
    found: list[Row] = []
    waiting: list[tuple[tuple[int, ...], int]] = [
        ((place,), 0) for place in _roots(picture, children)
    ]
    waiting.reverse()
    while waiting:
        places, depth = waiting.pop()
        row = _row(picture, places, depth, children, critical)
        calls = [
            one
            for one in _calls(picture, places, answered)
            if one.seconds >= least
        ]
        found.append(row._replace(calls=calls[:most]))
        below = children.get(places[0], [])
        groups = (
            [(one,) for one in below]
            if full
            else _folded(picture, below, children)
        )
        deeper = min(depth + 1, DEEPEST)
        waiting.extend((group, deeper) for group in reversed(groups))
    return found


def _roots(
    picture: Picture, children: dict[int | None, list[int]]
) -> list[int]:
    """Return what nothing sent, the client's request first."""
    roots = children.get(None, [])
    return sorted(roots, key=lambda place: place != picture.root)


def _folded(
    picture: Picture,
    places: Sequence[int],
    children: dict[int | None, list[int]],
) -> list[tuple[int, ...]]:
    """Return *places*, those of one name that sent nothing as one group."""
    groups: dict[object, list[int]] = {}
    for place in places:
        one = picture.served[place]
        link = picture.links[place]
        key: object = place
        if place not in children and place not in picture.doubts:
            waits = link is not None and link.waits
            key = one.kind, picture.names[place], one.title, waits
        groups.setdefault(key, []).append(place)
    return [tuple(group) for group in groups.values()]


def _critical_spans(picture: Picture) -> dict[int, list[Span]]:
    """Return by record when it was at work on one of the ways."""
    found: dict[int, list[Span]] = {}
    for way in (picture.until_answer, picture.until_done):
        for one in () if way is None else way.stretches:
            if one.what == WORK:
                span = one.start, one.end, CRITICAL
                found.setdefault(one.place, []).append(span)
    return found


def _row(
    picture: Picture,
    places: tuple[int, ...],
    depth: int,
    children: dict[int | None, list[int]],
    critical: dict[int, list[Span]],
) -> Row:
    spans: list[Span] = []
    seconds = 0.0
    for place in places:
        own = picture.moments[place]
        seconds += own.ended - own.began
        spans.append((own.sent, own.arrived, ON_THE_WAY))
        spans.append((own.arrived, own.began, IN_LINE))
        spans.append((own.began, own.ended, AT_WORK))
        for child in children.get(place, ()):
            link, other = picture.links[child], picture.moments[child]
            if link is not None and link.waits:
                spans.append((other.called, other.answered, WAITS))
        spans.extend(critical.get(place, ()))
    doubt = picture.doubts.get(places[0], "")
    return Row(places, depth, seconds, spans, [], doubt)


def _calls(
    picture: Picture,
    places: Sequence[int],
    answered: dict[int, set[tuple[float, float]]],
) -> list[CallRow]:
    """Return what else records did than ask others, the longest first."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place in places:
        shift = picture.shift(place)
        drawn = answered.get(place, ())
        for call in picture.served[place].calls:
            if (call.start, call.end) in drawn and call.group in _SENDING:
                continue
            span = call.start - shift, call.end - shift
            found.setdefault((call.group, call.name), []).append(span)
    rows = [
        CallRow(
            call_text(group, name),
            len(spans),
            sum(end - start for start, end in spans),
            spans,
        )
        for (group, name), spans in found.items()
    ]
    rows += [
        CallRow(call_text(one.group, one.name), one.count, one.seconds, [])
        for place in places
        for one in picture.served[place].totals
        if one.group not in _SENDING
    ]
    rows.sort(key=lambda row: -row.seconds)
    return rows
