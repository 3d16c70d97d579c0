# SPDX-License-Identifier: Apache-2.0
"""What only a dump holds of a capture: its statements and its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nova_profiler.capture.lanes import Capture, Lane, Samples
from nova_profiler.capture.record_making.totals import (
    group_of_kind,
    kept_samples,
    named_samples,
    used_lanes,
    work_of,
)
from nova_profiler.capture.sql import (
    database_of,
    database_of_pool,
    fingerprint_of,
    kind_of_statement,
    name_of_statement,
)
from nova_profiler.record import RequestRecord, StatementTotals, TimelineEntry

_MYSQL_FAMILY = ("mysql", "mariadb")


def fill_details(record: RequestRecord, capture: Capture) -> None:
    """Fill the statements and the timeline of *record*."""
    lanes = used_lanes(capture)
    first = 0 if capture.main in lanes else 1
    statements = _Statements()
    entries: list[TimelineEntry] = []
    for number, lane in enumerate(lanes, first):
        places = statements.add(lane)
        for group, name, samples, nested in named_samples(lane):
            place = places.get(id(samples))
            errors = _errors_of(lane, samples)
            for start, end, figure in kept_samples(lane, samples):
                entries.append(
                    TimelineEntry(
                        group,
                        name,
                        (start - capture.started) * 1000,
                        (end - start) * 1000,
                        number,
                        # Drivers that do not count say -1.
                        None if figure < 0 or place is None else int(figure),
                        errors.get(start),
                        nested,
                        place,
                    )
                )
        entries += _driver_entries(lane, capture, number, statements)
    entries.sort(key=lambda entry: entry.start_ms)
    record.timeline = entries[: capture.max_calls]
    record.statements = statements.totals()


def _driver_entries(
    lane: Lane, capture: Capture, number: int, statements: _Statements
) -> Iterator[TimelineEntry]:
    """Yield the driver's work beside statements in *lane*."""
    for kind, work in work_of(lane):
        group = group_of_kind(kind)
        errors = _errors_of(lane, work)
        for sample in kept_samples(lane, work):
            start, end = sample[:2]
            name, rows, place = kind, None, None
            if kind == "fetch":
                rows, text, engine = sample[2:]
                by_text = lane.sql.get(engine, {})
                if text not in by_text and kind_of_statement(text) in by_text:
                    # One of more statements than are kept apart.
                    text = kind_of_statement(text)
                name = name_of_statement(text)
                place = statements.fetched(engine, text, rows)
            elif kind in ("connect", "pool_wait"):
                name = database_of_pool(sample[2], lane.sql)
            yield TimelineEntry(
                group,
                name,
                (start - capture.started) * 1000,
                (end - start) * 1000,
                number,
                rows,
                errors.get(start),
                False,
                place,
            )


def db_api_calls_of(capture: Capture) -> list[tuple[str, float]]:
    """Return module.function and seconds of each DB API call, in order."""
    calls = [
        (start, key.label, end - start)
        for lane in capture.lanes
        for key, samples in list(lane.calls.items())
        if key.group == "db_api" and key.outermost
        for start, end, _ in kept_samples(lane, samples)
    ]
    calls.sort()
    return [(label, spent) for _, label, spent in calls[: capture.max_calls]]


def _errors_of(lane: Lane, samples: list[Any]) -> dict[float, str]:
    """Return the errors of the calls of *samples* by when they began."""
    if not lane.errors:
        return {}
    return {
        start: name for failed, start, name in lane.errors if failed is samples
    }


class _Statements:
    """The distinct statements of all lanes, by text without values."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}
        # [text, name, engine, count, s, max_s, rows, errors, many, fetched]
        self._rows: list[list[Any]] = []

    def add(self, lane: Lane) -> dict[int, int]:
        """Add those of *lane*; return the row of each of its samples."""
        places = {}
        for engine, by_text in list(lane.sql.items()):
            for text, samples in list(by_text.items()):
                place = places[id(samples)] = self._place(engine, text)
                self._executed(self._rows[place], lane, text, samples)
        return places

    def fetched(self, engine: Any, text: str, rows: int) -> int:
        """Add *rows* that were fetched of a statement; return its row."""
        place = self._place(engine, text)
        self._rows[place][9] += rows
        return place

    def _place(self, engine: Any, text: str) -> int:
        kept = fingerprint_of(text, engine.dialect.name in _MYSQL_FAMILY)
        database = database_of(engine)
        place = self._places.setdefault((kept, database), len(self._rows))
        if place == len(self._rows):
            name = name_of_statement(text)
            self._rows.append([kept, name, database, 0, 0.0, 0.0, 0, 0, 0, 0])
        return place

    def _executed(
        self, row: list[Any], lane: Lane, text: str, samples: Samples
    ) -> None:
        kept = kept_samples(lane, samples)
        tally = lane.tallies.get(id(samples))
        spans = [end - start for start, end, _ in kept]
        if tally is None:
            row[3] += len(spans)
            row[4] += sum(spans)
            row[5] = max(row[5], max(spans, default=0.0))
        else:
            fresh = [end - start for start, end, _ in samples]
            row[3] += tally.count + len(fresh)
            row[4] += tally.total_s + sum(fresh)
            row[5] = max(row[5], tally.max_s, max(fresh, default=0.0))
        # Drivers that do not count the rows of a SELECT say -1.
        row[6] += sum(int(one[2]) for one in kept if one[2] > 0)
        row[7] += lane.error_counts.get(id(samples), 0)
        row[8] += lane.executemany.get(id(samples), 0)

    def totals(self) -> list[StatementTotals]:
        """Return one row a statement, in the order of their first use."""
        return [
            StatementTotals(
                text,
                name,
                engine,
                count,
                total_s * 1000,
                max_s * 1000,
                # A driver that counts said so when it executed.
                rows or fetched,
                errors,
                many,
            )
            for (
                text,
                name,
                engine,
                count,
                total_s,
                max_s,
                rows,
                errors,
                many,
                fetched,
            ) in self._rows
        ]
