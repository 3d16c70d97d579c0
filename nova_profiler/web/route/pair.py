# SPDX-License-Identifier: Apache-2.0
"""The slowest request of a route beside a typical one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from nova_profiler.dump_store import DumpError
from nova_profiler.groups import GROUPS, LABELS
from nova_profiler.reading.requests.one_request.loading import record_in
from nova_profiler.record import RequestRecord
from nova_profiler.web.index import Index
from nova_profiler.web.rows import Row
from nova_profiler.web.together.adding_up import readable, slowest_first

# Dumps may vanish or be damaged: so many are tried for each of both.
_TRIED = 5


class Part(NamedTuple):
    """A part of the time in both."""

    name: str
    label: str
    typical_ms: float
    slowest_ms: float

    @property
    def more_ms(self) -> float:
        """Return by how much the slowest has more."""
        return self.slowest_ms - self.typical_ms


class Calls(NamedTuple):
    """How many calls of a group each of both made."""

    title: str
    typical: int
    slowest: int


class Pair(NamedTuple):
    """Both requests; ``parts`` by their difference, ``calls`` likewise."""

    typical: Row
    slowest: Row
    parts: list[Part]
    calls: list[Calls]

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "typical": _row_fields(self.typical),
            "slowest": _row_fields(self.slowest),
            "parts": [
                {
                    "part": part.name,
                    "label": part.label,
                    "typical_ms": round(part.typical_ms, 3),
                    "slowest_ms": round(part.slowest_ms, 3),
                }
                for part in self.parts
            ],
            "calls": [one._asdict() for one in self.calls],
        }


def pair_of(index: Index, rows: Iterable[Row]) -> Pair | None:
    """Return the slowest of *rows* and the one nearest to their median.

    None where there are no two that differ and can be read.
    """
    able = slowest_first(readable(rows, len(index.stores)))
    if len(able) < 2:
        return None
    took = able.column("duration_ms")
    # As the p50, by nearest rank.
    apart = np.abs(took - took[len(took) // 2])
    apart[0] = np.inf
    near = able.chosen(np.argsort(apart, kind="stable")[:_TRIED])
    slow = _first(index, able[:_TRIED])
    typical = _first(
        index, [row for row in near if slow is None or row != slow[0]]
    )
    if slow is None or typical is None:
        return None
    return _pair(typical, slow)


def _first(
    index: Index, rows: Iterable[Row]
) -> tuple[Row, RequestRecord] | None:
    for row in rows:
        if row.entry is None:
            continue
        try:
            return row, record_in(index.store(row), row.entry)
        except DumpError:
            continue
    return None


def _pair(
    typical: tuple[Row, RequestRecord], slowest: tuple[Row, RequestRecord]
) -> Pair:
    (typical_row, usual), (slowest_row, slow) = typical, slowest
    parts = [
        Part(
            name,
            LABELS.get(name, name),
            float(usual.parts_ms.get(name, 0.0)),
            float(slow.parts_ms.get(name, 0.0)),
        )
        for name in {**slow.parts_ms, **usual.parts_ms}
    ]
    calls = [
        Calls(
            group.title or group.bucket.label,
            _number(usual, group.name),
            _number(slow, group.name),
        )
        for group in GROUPS
        if group.name in usual.groups or group.name in slow.groups
    ]
    return Pair(
        typical_row,
        slowest_row,
        sorted(parts, key=lambda part: -part.more_ms),
        sorted(calls, key=lambda one: one.typical - one.slowest),
    )


def _number(record: RequestRecord, group: str) -> int:
    totals = record.groups.get(group)
    return 0 if totals is None else int(totals.calls)


def _row_fields(row: Row) -> dict[str, Any]:
    return {"key": row.key, "duration_ms": round(row.duration_ms, 3)}
