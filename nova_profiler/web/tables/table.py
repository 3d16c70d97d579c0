# SPDX-License-Identifier: Apache-2.0
"""Many rows, newest first: a sequence of them, and a column of each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from nova_profiler.record.rows import PARTS
from nova_profiler.web.rows import Row, parts_of
from nova_profiler.web.tables import Held
from nova_profiler.web.tables.columns import (
    STATES,
    Array,
    Arrays,
    Columns,
)
from nova_profiler.web.tables.names import Names


class Table(Sequence[Row]):
    """Rows of one source or more, as they are when it is made.

    A row is made when it is asked for. Figures over all rows take columns:
    ``column("duration_ms")`` is an array, and a column of texts has their
    numbers in ``names``.
    """

    def __init__(
        self,
        arrays: Arrays,
        names: Names,
        sources: Sequence[Held],
        chosen: Array | None = None,
    ) -> None:
        """*chosen* are the rows that it has, all of *arrays* without it."""
        self.names = names
        self._arrays = arrays
        self._sources = sources
        self._chosen = chosen
        self._columns: Arrays = {}

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Table:
        """Return *rows* as a table; a table is itself."""
        if isinstance(rows, Table):
            return rows
        known = list(rows)
        columns = Columns(Names())
        columns.add(known)
        held = Held(
            columns, lambda number: (known[number].key, known[number].entry)
        )
        return cls.of_sources([held], columns.names)

    @classmethod
    def of_sources(cls, sources: Sequence[Held], names: Names) -> Table:
        """Return the rows of *sources*, each newest first, in one order."""
        views = [source.columns.view() for source in sources]
        for number, view in enumerate(views):
            count = len(view["epoch_ms"])
            view["number"] = np.arange(count, dtype=np.int32)
            view["source"] = np.full(count, number, np.int16)
        if len(views) == 1:
            return cls(views[0], names, sources)
        if not views:
            return cls.of(())
        order = np.argsort(
            -np.concatenate([view["epoch_ms"] for view in views]),
            kind="stable",
        )
        arrays = {
            name: np.concatenate([view[name] for view in views])[order]
            for name in views[0]
        }
        return cls(arrays, names, sources)

    def column(self, name: str) -> Array:
        """Return a field of all rows; names of columns are in ``KINDS``."""
        found = self._columns.get(name)
        if found is None:
            found = self._arrays[name]
            if self._chosen is not None:
                found = found[self._chosen]
            self._columns[name] = found
        return found

    def text(self, number: int) -> str:
        """Return the text that *number* has in columns of texts."""
        return self.names.texts[number]

    def chosen(self, which: Array) -> Table:
        """Return the rows for which *which* is true, or which it counts."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        if self._chosen is not None:
            places = self._chosen[places]
        return Table(self._arrays, self.names, self._sources, places)

    def __len__(self) -> int:
        """Return how many rows there are."""
        if self._chosen is not None:
            return len(self._chosen)
        return len(self._arrays["epoch_ms"])

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        """Return a row, or a list of them."""
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        if self._chosen is not None:
            place = int(self._chosen[place])
        return self._row(place)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows."""
        return map(self.__getitem__, range(len(self)))

    def _row(self, place: int) -> Row:
        arrays, texts = self._arrays, self.names.texts
        source = self._sources[arrays["source"][place]]
        key, entry = source.place_of(int(arrays["number"][place]))
        parts_ms = zip(PARTS, arrays["part_ms"][place].tolist(), strict=True)
        return Row(
            key,
            entry,
            int(arrays["epoch_ms"][place]) / 1000,
            float(arrays["duration_ms"][place]),
            texts[arrays["title"][place]],
            STATES[arrays["state"][place]],
            int(arrays["status"][place]),
            texts[arrays["outcome"][place]],
            bytes(arrays["request_id"][place]).decode(),
            texts[arrays["user"][place]],
            texts[arrays["project"][place]],
            texts[arrays["service"][place]],
            texts[arrays["host"][place]],
            texts[arrays["part"][place]],
            parts_of(dict(parts_ms)),
            bool(arrays["is_failed"][place]),
            texts[arrays["problem"][place]],
            texts[arrays["kind"][place]],
            bytes(arrays["global_request_id"][place]).decode(),
        )
