# SPDX-License-Identifier: Apache-2.0
"""The distinct statements of a dump, added up over lanes."""

from __future__ import annotations

from typing import Any

from nova_profiler.capture.calls import Calls, Tally
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.sql import (
    database_of,
    fingerprint_of,
    kind_of_statement,
    name_of_statement,
)
from nova_profiler.record import MOST, StatementTotals

_MYSQL_FAMILY = ("mysql", "mariadb")


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


class Statements:
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
