# SPDX-License-Identifier: Apache-2.0
"""Rows as columns that grow: one array for each field, texts as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nova_profiler.record.rows import MOST, PARTS
from nova_profiler.web.rows import (
    DAMAGED,
    LONGEST_ID,
    NAMED,
    PART_PLACES,
    READ,
    Row,
)
from nova_profiler.web.tables.names import Names

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

STATES = (NAMED, READ, DAMAGED)
# Fields of a row whose texts are numbers in their columns.
TEXTS = (
    "kind",
    "title",
    "user",
    "project",
    "service",
    "host",
    "part",
    "outcome",
    "problem",
)
# Fields of a row that are ids: texts that few rows share.
IDS = ("request_id", "global_request_id")
# The kind of each column, and how many values a row has in it.
KINDS: dict[str, tuple[Any, int]] = {
    "epoch_ms": (np.int64, 1),
    "duration_ms": (np.float64, 1),
    "status": (np.int32, 1),
    "state": (np.int8, 1),
    "is_failed": (np.bool_, 1),
    **dict.fromkeys(IDS, (f"S{LONGEST_ID}", 1)),
    **dict.fromkeys(TEXTS, (np.int32, 1)),
    # Of each of PARTS, as means over rows need all of them.
    "part_ms": (np.float64, len(PARTS)),
    # Of the file of a dump: it is as it was.
    "inode": (np.uint64, 1),
    "changed_ns": (np.int64, 1),
}
LARGEST_STATUS = 9999
# The year 2106: what ends later has no time.
_LATEST_MS = 1000 * 2**32
_GROWTH = 1.5
_LEAST = 1024


class Columns:
    """Rows of one source; one thread adds to them, any may view them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.count = 0
        self._arrays = empty(0)

    @classmethod
    def of_arrays(cls, names: Names, arrays: Arrays) -> Columns:
        """Return columns that are *arrays*, all of one length."""
        made = cls(names)
        made.count = len(arrays["epoch_ms"])
        blank = empty(made.count)
        made._arrays = {name: arrays.get(name, blank[name]) for name in KINDS}
        return made

    def view(self) -> Arrays:
        """Return the arrays of the rows that there are now."""
        # In this order: the arrays never have fewer rows than counted.
        count = self.count
        return {name: each[:count] for name, each in self._arrays.items()}

    def add(self, rows: Sequence[Row]) -> None:
        """Put *rows* behind the others."""
        self.extend(arrays_of(rows, self.names))

    def extend(self, arrays: Mapping[str, Array]) -> None:
        """Put the rows of *arrays*, all of one length, behind the others."""
        more = len(arrays["epoch_ms"])
        end = self.count + more
        if end > len(self._arrays["epoch_ms"]):
            self._arrays = self._grown(end)
        for name, each in self._arrays.items():
            if name in arrays:
                each[self.count : end] = arrays[name]
        self.count = end

    def put(
        self,
        places: Array,
        rows: Sequence[Row],
        stamps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Put *rows* in *places* of others.

        *stamps* are the inode and the time of change of their files.
        """
        arrays = arrays_of(rows, self.names)
        if stamps:
            arrays["inode"][:], arrays["changed_ns"][:] = zip(
                *stamps, strict=True
            )
        for name, each in arrays.items():
            self._arrays[name][places] = each

    def cut(self, count: int) -> None:
        """Have the first *count* rows only."""
        self.count = count

    def taken(self, places: Array) -> Columns:
        """Return the rows at *places* as columns of their own."""
        return Columns.of_arrays(
            self.names,
            {name: each[places] for name, each in self.view().items()},
        )

    def _grown(self, least: int) -> Arrays:
        room = max(_LEAST, least, int(_GROWTH * self.count))
        grown = empty(room)
        for name, each in self.view().items():
            grown[name][: self.count] = each
        return grown


def arrays_of(rows: Sequence[Row], names: Names) -> Arrays:
    """Return *rows* as arrays of the columns."""
    made = empty(len(rows))
    if not rows:
        return made
    fields: dict[str, Sequence[Any]] = dict(
        zip(Row._fields, zip(*rows, strict=True), strict=True)
    )
    made["epoch_ms"][:] = [round(1000 * at) for at in fields["epoch_s"]]
    made["duration_ms"][:] = fields["duration_ms"]
    made["status"][:] = [
        min(max(status, 0), LARGEST_STATUS) for status in fields["status"]
    ]
    made["state"][:] = [STATES.index(state) for state in fields["state"]]
    made["is_failed"][:] = fields["is_failed"]
    for name in IDS:
        # Few rows have a global one.
        if any(fields[name]):
            made[name][:] = list(map(id_bytes, fields[name]))
    for name in TEXTS:
        # Rows that are only named have few texts.
        if any(fields[name]):
            made[name][:] = names.numbers(fields[name])
    for place, parts in enumerate(fields["parts"]):
        for name, ms in parts:
            made["part_ms"][place, PART_PLACES[name]] = ms
    return made


def began_ms(ends_ms: Array, took_ms: Array) -> Array:
    """Return when requests began, 0 where the end cannot be a time.

    *took_ms* are times: see ``are_times``.
    """
    is_dated = (ends_ms > 0) & (ends_ms < _LATEST_MS)
    found: Array = np.where(is_dated, np.rint(ends_ms - took_ms), 0)
    return found


def are_times(ms: Array) -> bool:
    """Return whether all of *ms* can be times, and can be added up."""
    return bool(((ms >= 0) & (ms <= MOST)).all())


def id_bytes(request_id: str) -> bytes:
    """Return *request_id* as its column has it."""
    return request_id.encode("ascii", "replace")[:LONGEST_ID]


def empty(rows: int) -> Arrays:
    """Return so many rows without any content."""
    return {
        name: np.zeros((rows, each) if each > 1 else rows, kind)
        for name, (kind, each) in KINDS.items()
    }
