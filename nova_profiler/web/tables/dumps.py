# SPDX-License-Identifier: Apache-2.0
"""The rows of a dump directory: by their names at once, then by content."""

from __future__ import annotations

import os
from itertools import islice
from typing import NamedTuple

import numpy as np

from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore, read_head
from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.reading.logs.files.sources import Source as LogFile
from nova_profiler.web.rows import (
    NAMED,
    READ,
    Row,
    damaged_row,
    key_of,
    named_row,
    place_of,
    read_row,
)
from nova_profiler.web.tables import Held, State
from nova_profiler.web.tables.columns import (
    STATES,
    Arrays,
    Columns,
    arrays_of,
)
from nova_profiler.web.tables.kept import Keeper, KeptRows
from nova_profiler.web.tables.names import Names

_NAMED = STATES.index(NAMED)
_READ = STATES.index(READ)
# Names that are looked up, and dumps that are read, before pages see them.
_NAMES_AT_ONCE = 2000
_READ_AT_ONCE = 50
# A server that ends early has the first of them kept.
_KEEP_AFTER = 20_000


class _Rows(NamedTuple):
    """The columns, the dumps of their rows, and the rows' numbers by place."""

    columns: Columns
    entries: list[DumpEntry]
    numbers: dict[str, int]


class DumpSource:
    """The dumps of one directory; see ``Source``."""

    def __init__(
        self, number: int, store: DumpStore, names: Names, keeper: Keeper
    ) -> None:
        """*number* is that of the source in keys."""
        self.store = store
        self.title = str(store.directory)
        self.version = 0
        self.state = State()
        self._number = number
        self._names = names
        self._rows = _Rows(Columns(names), [], {})
        self._keeper = keeper
        self._name = f"dumps of {os.path.realpath(store.directory)}"
        self._unkept = 0

    def held(self) -> Held:
        """Return the rows that there are now."""
        return self._held(self._rows)

    def _held(self, rows: _Rows) -> Held:
        source, entries = self._number, rows.entries
        return Held(
            rows.columns,
            lambda number: (key_of(source, entries[number]), entries[number]),
        )

    def find(self, key: str) -> tuple[Held, int] | None:
        """Return the rows and the number of the one that *key* means."""
        rows = self._rows
        number = rows.numbers.get(key.partition("/")[2])
        if number is None or number >= rows.columns.count:
            return None
        return self._held(rows), number

    def logs(self, row: Row) -> tuple[list[LogFile], list[str]]:
        """Return no logs: a dump has all that is known."""
        return [], []

    def look_up(self, room: int) -> None:
        """Bring the rows up to date with the names of the files."""
        is_first = not self.state.named
        kept = None
        if is_first:
            kept = self._keeper.rows(self._name, self._names)
        problems: tuple[str, ...] = ()
        found: dict[str, DumpEntry] = {}
        left_out = 0
        entries = self.store.entries()
        try:
            while some := list(islice(entries, _NAMES_AT_ONCE)):
                # Each once: the trace of a killed worker may be there twice.
                new = {
                    place: entry
                    for entry in some
                    if (place := place_of(entry)) not in found
                }
                fit = dict(islice(new.items(), max(0, room - len(found))))
                left_out += len(new) - len(fit)
                found.update(fit)
                if is_first and fit:
                    # Pages see those so far.
                    self._append(fit, kept)
        except DumpError as exc:
            problems = (str(exc),)
        if not is_first:
            self._replace(found)
        self.state = State(True, self._read(), left_out, problems)

    def _append(
        self, found: dict[str, DumpEntry], kept: KeptRows | None
    ) -> None:
        entries = list(found.values())
        arrays = arrays_of(
            [named_row(self._number, entry) for entry in entries], self._names
        )
        if kept is not None:
            _fill_in(arrays, found, kept)
        columns, known, numbers = self._rows
        numbers.update(
            zip(found, range(len(known), len(known) + len(found)), strict=True)
        )
        known.extend(entries)
        columns.extend(arrays)
        self.version += 1
        self.state = self.state._replace(read=self._read())

    def _replace(self, found: dict[str, DumpEntry]) -> None:
        """Have the rows of *found*; those that are known stay known."""
        entries = list(found.values())
        if entries == self._rows.entries:
            return
        known = self._rows.numbers
        columns = Columns(self._names)
        if known:
            places = np.array([known.get(key, 0) for key in found], np.int64)
            columns = self._rows.columns.taken(places)
            new = [at for at, key in enumerate(found) if key not in known]
            rows = [named_row(self._number, entries[at]) for at in new]
            columns.put(np.array(new, np.int64), rows)
        else:
            columns.add([named_row(self._number, one) for one in entries])
        numbers = {key: number for number, key in enumerate(found)}
        self._rows = _Rows(columns, entries, numbers)
        self.version += 1

    def read_on(self) -> None:
        """Read the dumps that are only named, newest first."""
        columns, all_entries, _ = self._rows
        waiting = np.flatnonzero(columns.view()["state"] == _NAMED)
        for first in range(0, len(waiting), _READ_AT_ONCE):
            places = waiting[first : first + _READ_AT_ONCE]
            entries = [all_entries[at] for at in places.tolist()]
            stamps = [_stamp_of(entry) for entry in entries]
            rows = [self._read_row(entry) for entry in entries]
            columns.put(places, rows, stamps)
            self._unkept += len(rows)
            self.version += 1
            self.state = self.state._replace(
                read=self.state.read + len(places)
            )
            if self._unkept >= _KEEP_AFTER:
                self._keep()
        if self._unkept:
            self._keep()

    def _keep(self) -> None:
        columns, entries, _ = self._rows
        places = np.flatnonzero(columns.view()["state"] == _READ)
        self._keeper.keep_rows(
            self._name,
            columns.taken(places),
            [entries[at] for at in places.tolist()],
        )
        self._unkept = 0

    def _read_row(self, entry: DumpEntry) -> Row:
        row = named_row(self._number, entry)
        try:
            return read_row(row, read_head(entry.path))
        except DumpError as exc:
            return damaged_row(row, str(exc))
        except Exception as exc:
            # One odd file must not end the thread.
            return damaged_row(row, f"cannot be read: {type(exc).__name__}")

    def _read(self) -> int:
        return int(
            np.count_nonzero(self._rows.columns.view()["state"] != _NAMED)
        )


def _fill_in(
    arrays: Arrays, found: dict[str, DumpEntry], kept: KeptRows
) -> None:
    """Put what was kept of the dumps *found* into their rows."""
    known = [
        (at, number)
        for at, (place, entry) in enumerate(found.items())
        if (number := kept.numbers.get(place)) is not None
        and kept.is_of(number, _stamp_of(entry))
    ]
    if known:
        places, numbers = np.array(known).T
        for name, each in kept.arrays.items():
            arrays[name][places] = each[numbers]


def _stamp_of(entry: DumpEntry) -> tuple[int, int]:
    """Return the inode and the time of change of a dump; zeros for none."""
    try:
        found = os.lstat(f"{entry.folder}/{entry.stem}{DUMP_SUFFIX}")
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
