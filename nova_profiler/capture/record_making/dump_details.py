# SPDX-License-Identifier: Apache-2.0
"""What dumps and traces hold of a capture: its statements, its timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from nova_profiler.capture.calls import Calls, Tally, is_known
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.record_making.lane_calls import (
    named_calls,
    used_lanes,
)
from nova_profiler.capture.sql import (
    database_of,
    database_of_pool,
    fingerprint_of,
    kind_of_statement,
    name_of_statement,
)
from nova_profiler.groups import (
    CONNECT,
    DB_API,
    FETCH,
    HTTP,
    IDENTITY,
    POOL_WAIT,
    SQL,
)
from nova_profiler.record import (
    MOST,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

_MYSQL_FAMILY = ("mysql", "mariadb")
# What sums of floats differ by.
_NOISE_MS = 1e-6
_WITH_REQUEST_IDS = (HTTP.name, IDENTITY.name)
# Where id and parent stand in an entry, and what follows them.
_ID = TimelineEntry._fields.index("id")
_BEHIND = TimelineEntry._fields.index("parent") + 1
_new = tuple.__new__
_OF_A_POOL = (CONNECT.name, POOL_WAIT.name)


def fill_details(record: RequestRecord, capture: Capture) -> None:
    """Fill the statements and the timeline of *record*."""
    lanes = used_lanes(capture)
    first = 0 if capture.main in lanes else 1
    statements = _Statements()
    entries: list[TimelineEntry] = []
    for number, lane in enumerate(lanes, first):
        statements.add(lane)
        entries += _entries_of(lane, capture.started, number, statements)
    record.timeline = _in_order(entries)[: capture.max_calls]
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

    def timeline(self) -> list[TimelineEntry]:
        """Return the calls as a dump has them, but for their statements."""
        entries: list[TimelineEntry] = []
        for number, lane in enumerate(self._lanes, self._first):
            entries += _entries_of(lane, self._started, number, None)
        return _in_order(entries)[: self._max_calls]


def _of_sql(lane: Lane) -> Iterator[Iterable[Calls]]:
    for by_text in list(lane.sql.values()):
        yield by_text.values()


def _in_order(entries: list[TimelineEntry]) -> list[TimelineEntry]:
    """Return *entries* by their start, each with its id and its parent's.

    The calls of a lane lie within each other, and a parent stands before
    its children.
    """
    # Of two that began at once, the outer one ended last.
    entries.sort(key=lambda entry: (entry.start_ms, -entry.ms))
    placed = []
    around: dict[int, list[tuple[int, float]]] = {}
    for place, entry in enumerate(entries):
        end_ms = entry.start_ms + entry.ms
        open_calls = around.setdefault(entry.lane, [])
        while open_calls and open_calls[-1][1] < end_ms - _NOISE_MS:
            open_calls.pop()
        parent = open_calls[-1][0] if open_calls else None
        open_calls.append((place, end_ms))
        # As entry._replace() does, in a third of the time.
        fields = (*entry[:_ID], place, parent, *entry[_BEHIND:])
        placed.append(_new(TimelineEntry, fields))
    return placed


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


def _entries_of(
    lane: Lane, started: float, number: int, statements: _Statements | None
) -> Iterator[TimelineEntry]:
    """Yield the calls of *lane*, whose number that is.

    Without *statements* none has a place among them.
    """
    for group, name, calls, nested, _ in named_calls(lane):
        if (
            statements is not None
            and group == FETCH.name
            and calls.tally is not None
        ):
            statements.add_fetched(lane, calls.tally)
        errors = dict(calls.errors or ())
        lines = dict(calls.lines or ())
        row = None if statements is None else calls.statement
        for call in calls.kept():
            start, end = call[:2]
            rows, place, request_id = None, row, None
            if group in _WITH_REQUEST_IDS:
                # 0: the other service gave none.
                request_id = call[2] or None
            elif group == FETCH.name:
                rows = call[2]
                if statements is None:
                    name = name_of_statement(call[3])
                else:
                    name, place = statements.fetched(lane, *call[2:])
            elif group in _OF_A_POOL:
                name = database_of_pool(call[2], lane.sql)
            elif group == SQL.name and is_known(call[2]):
                rows = int(call[2])
            fields = (
                group,
                name,
                (start - started) * 1000,
                (end - start) * 1000,
                number,
                rows,
                errors.get(start),
                nested,
                place,
                # Known when all are in order.
                None,
                None,
                request_id,
                lines.get(start),
            )
            yield _new(TimelineEntry, fields)


class _Statement:
    """One distinct statement, added up over lanes."""

    __slots__ = (
        "database",
        "executed",
        "failures",
        "fetched",
        "is_fetched",
        "many",
        "max_s",
        "name",
        "rows",
        "text",
        "total_s",
        "unknown",
    )

    def __init__(self, text: str, name: str, database: str) -> None:
        self.text = text
        self.name = name
        self.database = database
        self.executed = 0
        self.total_s = 0.0
        self.max_s = 0.0
        # What the driver counted, and how often it did not count.
        self.rows = 0
        self.unknown = 0
        # What was fetched.
        self.fetched = 0
        self.is_fetched = False
        self.failures = 0
        self.many = 0

    def add(self, calls: Calls) -> None:
        """Add the executions of one lane."""
        count, total_s, max_s = calls.totals()
        self.executed += count
        self.total_s += total_s
        self.max_s = max(self.max_s, max_s)
        rows, unknown = calls.known_figure()
        self.rows += int(rows)
        self.unknown += unknown
        self.failures += calls.failures
        self.many += calls.batches

    def known_rows(self, has_lost: bool) -> int | None:
        """Return the rows of all executions, None if they are not known.

        *has_lost*: what was fetched is not known of all statements.

        Many drivers count the rows of a SELECT while they are fetched, or
        never: then those that were fetched count.
        """
        rows: int | None = self.rows
        has_counted = self.executed > self.unknown + self.failures
        if self.unknown and (has_counted or not self.is_fetched):
            return None
        if self.unknown or not rows:
            rows = None if has_lost else self.fetched
        return rows if rows is not None and rows < MOST else None

    def row(self, has_lost: bool) -> StatementTotals:
        """Return the record's row of it; *has_lost* as for known_rows()."""
        return StatementTotals(
            self.text,
            self.name,
            self.database,
            self.executed,
            self.total_s * 1000,
            self.max_s * 1000,
            self.known_rows(has_lost),
            self.failures,
            self.many,
        )


class _Statements:
    """The distinct statements of all lanes, by text without values."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}
        self._rows: list[_Statement] = []
        self._has_lost = False

    def add(self, lane: Lane) -> None:
        """Add those of *lane*, whose calls then know their row."""
        for engine, by_text in list(lane.sql.items()):
            for text, calls in list(by_text.items()):
                place = calls.statement = self._place(engine, text)
                self._rows[place].add(calls)

    def fetched(
        self, lane: Lane, rows: int, text: str, engine: Any
    ) -> tuple[str, int]:
        """Add *rows* that *lane* fetched; return the statement's name, row."""
        statement, place = self._fetched(lane, text, engine)
        statement.fetched += rows
        return statement.name, place

    def add_fetched(self, lane: Lane, tally: Tally) -> None:
        """Add what *lane* fetched in calls that are not kept one by one."""
        for (text, engine), rows in tally.by_kind.items():
            self._fetched(lane, text, engine)[0].fetched += int(rows)
        self._has_lost = self._has_lost or tally.kinds_missing

    def _fetched(
        self, lane: Lane, text: str, engine: Any
    ) -> tuple[_Statement, int]:
        """Return the statement that *lane* fetched rows of, and its place."""
        by_text = lane.sql.get(engine, {})
        if text not in by_text and kind_of_statement(text) in by_text:
            # One of more statements than are kept apart.
            text = kind_of_statement(text)
        place = self._place(engine, text)
        statement = self._rows[place]
        statement.is_fetched = True
        return statement, place

    def _place(self, engine: Any, text: str) -> int:
        kept = fingerprint_of(text, engine.dialect.name in _MYSQL_FAMILY)
        database = database_of(engine)
        place = self._places.setdefault((kept, database), len(self._rows))
        if place == len(self._rows):
            name = name_of_statement(text)
            self._rows.append(_Statement(kept, name, database))
        return place

    def totals(self) -> list[StatementTotals]:
        """Return one row a statement, in the order of their first use."""
        return [statement.row(self._has_lost) for statement in self._rows]
