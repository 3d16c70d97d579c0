# SPDX-License-Identifier: Apache-2.0
"""The calls of a record by lane, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nova_profiler.reading.code.timelines.texts import text
from nova_profiler.reading.record_calls import CallsAround
from nova_profiler.record import RequestRecord, TimelineEntry

# Of a whole file; the longest calls are in it.
MOST_CALLS = 100_000
# Records have microseconds, each rounded: a call may end so much later than
# the one around it.
_ROUNDING_MS = 0.005
# Of a lane, for calls that overlap.
MOST_ROWS = 8

Facts = dict[str, str | int | float]

# What is known of a call, with a heading for each.
FACTS = {
    "name": "call",
    "statement": "statement",
    "db_api": "DB API function",
    "rows": "rows",
    "error": "error",
    "request_id": "its id there",
    "made_by": "made by",
    "nested": "within another of its group",
}


class Call(NamedTuple):
    """A call of a lane; milliseconds after its request began.

    ``facts`` is what else is known of it, with the keys of FACTS.
    """

    group: str
    name: str
    start_ms: float
    ms: float
    facts: Facts


class CallRoom:
    """The room that a file has for calls: the longest ones take it.

    Of calls that take equally long, the first that ask have it.
    """

    def __init__(self, records: Iterable[RequestRecord]) -> None:
        """Make room for the calls of *records*, each of which asks once."""
        times = [
            float(call.ms)
            for record in records
            for call in record.timeline or ()
        ]
        self._least_ms = float("-inf")
        self._as_short = 0
        if len(times) > MOST_CALLS:
            longest = sorted(times, reverse=True)[:MOST_CALLS]
            self._least_ms = longest[-1]
            self._as_short = longest.count(self._least_ms)

    def takes(self, ms: float) -> bool:
        """Return whether a call of *ms* has room, and take it."""
        if ms == self._least_ms:
            self._as_short -= 1
            return self._as_short >= 0
        return ms > self._least_ms


def lanes_of(
    record: RequestRecord, room: CallRoom
) -> tuple[dict[int, list[Call]], int]:
    """Return the calls of each lane by their starts, and how many lack.

    Those lack that have no *room*. The request's own thread is always there.
    """
    lanes: dict[int, list[Call]] = {0: []}
    around = CallsAround(record)
    left_out = 0
    for entry in record.timeline or ():
        if not room.takes(float(entry.ms)):
            left_out += 1
            continue
        of_lane = lanes.setdefault(int(entry.lane), [])
        of_lane.append(_call(record, around, entry))
    for calls in lanes.values():
        calls.sort(key=lambda call: (call.start_ms, -call.ms))
    return dict(sorted(lanes.items())), left_out


def lane_title(lane: int, calls: Sequence[Call]) -> str:
    """Return what the lane of *calls* is called.

    0 is the request's own thread. The waterfall has only lanes with calls.
    """
    if lane == 0:
        return "the request's own thread"
    return f"lane {lane}" if calls else f"lane {lane}, without calls"


def nested(calls: Sequence[Call]) -> tuple[list[list[Call]], int]:
    """Return *calls* in rows, well nested in each, and how many lack.

    One row is enough but where a lane's calls overlap, as damaged records
    have them; past MOST_ROWS a call is left out.
    """
    left_out = 0
    rows: list[list[Call]] = []
    ends: list[list[float]] = []
    for call in calls:
        end = call.start_ms + call.ms
        for row, open_ends in zip(rows, ends, strict=True):
            while open_ends and open_ends[-1] <= call.start_ms:
                open_ends.pop()
            if not open_ends or end <= open_ends[-1] + _ROUNDING_MS:
                if open_ends:
                    end = min(end, open_ends[-1])
                row.append(call._replace(ms=max(0.0, end - call.start_ms)))
                open_ends.append(end)
                break
        else:
            if len(rows) < MOST_ROWS:
                rows.append([call])
                ends.append([end])
            else:
                left_out += 1
    return rows, left_out


def _call(
    record: RequestRecord, around: CallsAround, entry: TimelineEntry
) -> Call:
    facts = {
        "name": entry.name,
        "statement": _statement_of(record, entry),
        "db_api": around.db_api_of(entry),
        "rows": None if entry.rows is None else int(entry.rows),
        "error": entry.error,
        "request_id": entry.request_id,
        "made_by": entry.made_by,
        "nested": "yes" if entry.nested else None,
    }
    return Call(
        text(entry.group),
        text(entry.name or entry.group),
        float(entry.start_ms),
        max(0.0, float(entry.ms)),
        {
            key: text(fact) if isinstance(fact, str) else fact
            for key, fact in facts.items()
            if fact is not None
        },
    )


def _statement_of(record: RequestRecord, entry: TimelineEntry) -> str | None:
    statements = record.statements or []
    if entry.statement is None:
        return None
    place = int(entry.statement)
    return (
        statements[place].statement if 0 <= place < len(statements) else None
    )
