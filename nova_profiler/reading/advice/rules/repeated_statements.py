# SPDX-License-Identifier: Apache-2.0
"""Rule: one statement, sent again and again in a request (N+1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nova_profiler.groups import DB_API, FETCH, SQL
from nova_profiler.reading.advice.callers import caller_words
from nova_profiler.reading.advice.findings import (
    Finding,
    all_but_one_ms,
    all_but_one_of_totals_ms,
)
from nova_profiler.reading.record_calls import CallsAround
from nova_profiler.record import (
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

# A statement this often looks like one query per row of another.
REPEATED = 5
# BEGIN, SAVEPOINT and the like repeat with each transaction.
_WITH_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")


def repeated_statements(record: RequestRecord) -> list[StatementTotals]:
    """Return the statements in whose place one query might have done."""
    return sorted(
        (
            row
            for row in record.statements or ()
            if row.count - row.executemany >= REPEATED
            and row.name.startswith(_WITH_ROWS)
        ),
        key=lambda row: -row.count,
    )


def found(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for each such statement.

    Of those that the same calls sent, the first: what is saved is the same.
    """
    rows = {id(row) for row in repeated_statements(record)}
    if not rows:
        return
    around = CallsAround(record)
    sent = _sent_by_statement(record)
    seen = set()
    for place, row in enumerate(record.statements or ()):
        if id(row) not in rows:
            continue
        sql, fetches = sent.get(place, ([], []))
        if len(sql) < row.count:
            # Not all of them are in the timeline.
            saves_ms = all_but_one_of_totals_ms(
                record, row.count, row.ms, row.max_ms
            )
        else:
            units = _units(sql, around)
            one = tuple(sorted(id(unit) for unit in units))
            if one in seen:
                continue
            seen.add(one)
            saves_ms = all_but_one_ms(record, units, fetches)
        by = caller_words(sql, around)
        yield Finding(row.name, saves_ms, int(row.count), by)


def _sent_by_statement(
    record: RequestRecord,
) -> dict[float, tuple[list[TimelineEntry], list[TimelineEntry]]]:
    """Return the executions and the fetches of each statement."""
    sent: dict[float, tuple[list[TimelineEntry], list[TimelineEntry]]] = {}
    for entry in record.timeline or ():
        if entry.statement is None:
            continue
        if entry.group in (SQL.name, FETCH.name):
            lists = sent.setdefault(entry.statement, ([], []))
            lists[entry.group == FETCH.name].append(entry)
    return sent


def _units(
    sql: list[TimelineEntry], around: CallsAround
) -> list[TimelineEntry]:
    """Return what goes away with each of *sql*.

    It is the widest DB API call that sent the statement once.
    """
    calls_around = [
        [one for one in around.of(entry) if one.group == DB_API.name]
        for entry in sql
    ]
    sent = Counter(id(one) for calls in calls_around for one in calls)
    return [
        next((one for one in reversed(calls) if sent[id(one)] == 1), entry)
        for entry, calls in zip(sql, calls_around, strict=True)
    ]
