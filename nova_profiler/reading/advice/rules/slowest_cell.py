# SPDX-License-Identifier: Apache-2.0
"""Rule: cells are asked side by side, and one holds the others up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nova_profiler.groups import SQL
from nova_profiler.reading.advice.findings import Finding, within
from nova_profiler.record import RequestRecord, TimelineEntry

# cell0 has only servers that never started: it is always quick.
_CELL0 = "cell0"
_OWN_LANE = 0


class _Cell(NamedTuple):
    """A lane that asked one database, from its first call to its last."""

    database: str
    start_ms: float
    end_ms: float


def found(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for a cell that took twice as long as all others."""
    saves: dict[str, float] = {}
    for cells in _rounds(record):
        *others, slowest = sorted(cells, key=lambda cell: cell.end_ms)
        databases = {cell.database for cell in others}
        if not databases or slowest.database in databases:
            continue
        alone_ms = slowest.end_ms - others[-1].end_ms
        if 2 * alone_ms >= slowest.end_ms - slowest.start_ms:
            known = saves.get(slowest.database, 0.0)
            saves[slowest.database] = known + alone_ms
    for database, ms in saves.items():
        yield Finding(database, within(record, ms))


def _rounds(record: RequestRecord) -> Iterator[list[_Cell]]:
    """Yield the cells that were asked side by side."""
    together: list[_Cell] = []
    for cell in sorted(_cells(record), key=lambda cell: cell.start_ms):
        if together and cell.start_ms >= max(one.end_ms for one in together):
            yield together
            together = []
        together.append(cell)
    if together:
        yield together


def _cells(record: RequestRecord) -> Iterator[_Cell]:
    lanes: dict[float, list[TimelineEntry]] = {}
    for entry in record.timeline or ():
        if entry.lane != _OWN_LANE:
            lanes.setdefault(entry.lane, []).append(entry)
    for entries in lanes.values():
        databases = {
            _database_of(record, entry)
            for entry in entries
            if entry.group == SQL.name
        }
        database = databases.pop() if len(databases) == 1 else ""
        if database and not database.partition(".")[0].endswith(_CELL0):
            yield _Cell(
                database,
                min(entry.start_ms for entry in entries),
                max(
                    min(entry.start_ms + entry.ms, record.duration_ms)
                    for entry in entries
                ),
            )


def _database_of(record: RequestRecord, entry: TimelineEntry) -> str:
    statements = record.statements or []
    place = entry.statement
    if place is None or place != place // 1:
        return ""
    if not 0 <= place < len(statements):
        return ""
    return statements[int(place)].engine
