# SPDX-License-Identifier: Apache-2.0
"""What dumps and traces hold of a capture: its statements, its timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from nova_profiler.capture.calls import Calls
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.record_making.lane_calls import used_lanes
from nova_profiler.capture.record_making.ordering import ordered_calls
from nova_profiler.capture.record_making.statements import Statements
from nova_profiler.groups import DB_API
from nova_profiler.record import (
    OrderedCalls,
    RequestRecord,
    TimelineEntry,
)


def fill_details(record: RequestRecord, capture: Capture) -> None:
    """Fill the statements and the timeline of *record*."""
    lanes = used_lanes(capture)
    first = 0 if capture.main in lanes else 1
    statements = Statements()
    for lane in lanes:
        statements.add(lane)
    calls = ordered_calls(
        lanes, first, capture.started, capture.max_calls, statements
    )
    record.timeline = timeline_of(calls)
    record.statements = statements.totals()
    if record.lanes_of_pieces is not None and capture.handing is not None:
        found = _lanes_of_pieces(capture, lanes, first)
        record.lanes_of_pieces.update(found)


def _lanes_of_pieces(
    capture: Capture, lanes: Sequence[Lane], first: int
) -> dict[int, int]:
    """Return the number of the lane of each piece that the profiler has.

    *lanes* have the numbers from *first* on, and those without a call the
    numbers after them.
    """
    handing = capture.handing
    numbers = {lane: number for number, lane in enumerate(lanes, first)}
    further = count(first + len(lanes))
    return {
        piece: numbers[lane] if lane in numbers else next(further)
        for lane, piece in zip(
            capture.lanes,
            () if handing is None else handing.pieces,
            strict=False,
        )
        if piece
    }


def timeline_of(calls: OrderedCalls) -> list[TimelineEntry]:
    """Return *calls* as a dump has them."""
    started, words, times, parents = calls
    found = []
    for place, (start, minus_end, place_of_words) in enumerate(times):
        call = words[place_of_words]
        parent = parents[place]
        found.append(
            TimelineEntry(
                call.group,
                call.name,
                (start - started) * 1000,
                (-minus_end - start) * 1000,
                call.lane,
                call.rows,
                call.error,
                call.nested,
                call.statement,
                place,
                None if parent < 0 else parent,
                call.request_id,
                call.made_by,
            )
        )
    return found


class TracedCalls:
    """The calls of a closed capture, put in order by what sends its trace.

    That takes longer than all else about a trace, and a response may wait.
    The lanes have no calls from then on, and no thread writes to them.
    """

    __slots__ = ("_first", "_lanes", "_max_calls", "_started")

    def __init__(self, capture: Capture) -> None:
        self._lanes = used_lanes(capture)
        self._first = 0 if capture.main in self._lanes else 1
        self._started = capture.started
        self._max_calls = capture.max_calls

    def __len__(self) -> int:
        """Return about how many calls there are: nothing is made for that."""
        kept = sum(
            calls.kept_count()
            for lane in self._lanes
            for by_name in (lane.calls.values(), *_of_sql(lane))
            for calls in list(by_name)
        )
        return min(kept, self._max_calls)

    def in_order(self) -> OrderedCalls:
        """Return the calls of a dump, but for their statements."""
        return ordered_calls(
            self._lanes, self._first, self._started, self._max_calls
        )


def _of_sql(lane: Lane) -> Iterator[Iterable[Calls]]:
    for by_text in list(lane.sql.values()):
        yield by_text.values()


def db_api_calls_of(capture: Capture) -> list[tuple[str, float]]:
    """Return module.function and seconds of each DB API call, in order."""
    found = [
        (start, key.label, end - start)
        for lane in capture.lanes
        for key, calls in list(lane.calls.items())
        if key.group == DB_API.name and key.outermost
        for start, end, _ in calls.kept()
    ]
    found.sort()
    return [(label, spent) for _, label, spent in found[: capture.max_calls]]
