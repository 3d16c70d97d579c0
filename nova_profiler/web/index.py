# SPDX-License-Identifier: Apache-2.0
"""All rows of some sources, kept up to date while pages are served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nova_profiler.dump_store import DumpStore
from nova_profiler.web.rows import Row
from nova_profiler.web.tables import Source
from nova_profiler.web.tables.dumps import DumpSource
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.names import Names
from nova_profiler.web.tables.sources import MakeSource
from nova_profiler.web.tables.table import Table

# The newest ones; a row of a dump takes less than a KiB, one of a log a
# fourth of that.
MOST_DUMPS = 300_000
MOST_RECORDS = 2_000_000
# Names are looked at again when pages are asked for, and then so often that
# this is a small part of the time.
_REST_S = 5.0
_REST_OF_LOOKS = 20
_MOST_PROBLEMS = 20


class Progress(NamedTuple):
    """How far the index is; ``named`` is false while names are looked up.

    ``dumps`` are all rows, ``left_out`` those that there is no room for.
    ``activities`` are what goes on besides, in words.
    """

    named: bool
    dumps: int
    read: int
    left_out: int
    problems: tuple[str, ...]
    activities: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Return whether all is read."""
        return self.named and self.read >= self.dumps and not self.activities


class Index:
    """The rows of all sources, newest first; one thread of its own reads.

    That begins with start(), which each process calls for itself. Rows may
    be asked for at any time from any thread.
    """

    def __init__(
        self,
        stores: Sequence[DumpStore],
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_DUMPS,
        more: Sequence[MakeSource] = (),
        keeper: Keeper | None = None,
        most_records: int = MOST_RECORDS,
    ) -> None:
        """*more* are sources besides *stores*."""
        self.stores = stores
        self._names = Names()
        keeper = keeper or Keeper(None)
        dumps = [
            DumpSource(number, store, self._names, keeper)
            for number, store in enumerate(stores)
        ]
        others = [
            make(number, self._names, keeper)
            for number, make in enumerate(more, len(dumps))
        ]
        self.sources: list[Source] = [*dumps, *others]
        self._rooms = ((dumps, most), (others, most_records))
        self._clock = clock
        self._table: tuple[int, Table] = (-1, Table.of(()))
        self._making = threading.Lock()
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> int:
        """Return a number that is larger whenever rows are others."""
        return sum(source.version for source in self.sources)

    @property
    def rows(self) -> Table:
        """Return all rows; those of a table may become known meanwhile."""
        version = self.version
        if self._table[0] != version:
            # One thread is enough: it copies all columns of several sources.
            with self._making:
                if self._table[0] != version:
                    held = [source.held() for source in self.sources]
                    self._table = version, Table.of_sources(held, self._names)
        return self._table[1]

    @property
    def progress(self) -> Progress:
        """Return how far the index is."""
        states = [source.state for source in self.sources]
        problems = [text for state in states for text in state.problems]
        return Progress(
            all(state.named for state in states),
            sum(source.held().columns.count for source in self.sources),
            sum(state.read for state in states),
            sum(state.left_out for state in states),
            tuple(problems[:_MOST_PROBLEMS]),
            tuple(state.activity for state in states if state.activity),
        )

    def row(self, key: str) -> Row | None:
        """Return the row of *key*; None where there is none yet."""
        source = self._source_of(key)
        found = None if source is None else source.find(key)
        if found is None:
            return None
        held, number = found
        return Table.of_sources([held], self._names)[number]

    def store(self, row: Row) -> DumpStore:
        """Return the store that the row of a dump is from."""
        return self.stores[int(row.key.partition("/")[0])]

    def source(self, row: Row) -> Source:
        """Return the source that a row is from."""
        return self.sources[int(row.key.partition("/")[0])]

    def _source_of(self, key: str) -> Source | None:
        number = key.partition("/")[0]
        # More digits than a source has could be too many for int().
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            return None
        place = int(number)
        return self.sources[place] if place < len(self.sources) else None

    def start(self) -> None:
        """Have the index kept up to date from now on, and for this page."""
        self._asked.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="nova-profiler", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            began = self._clock()
            self.look_up_names()
            took = self._clock() - began
            self.read_heads()
            time.sleep(max(_REST_S, _REST_OF_LOOKS * took))

    def look_up_names(self) -> None:
        """Bring all sources up to date with the names of files."""
        for sources, most in self._rooms:
            room = most
            for source in sources:
                source.look_up(room)
                room -= source.held().columns.count

    def read_heads(self) -> None:
        """Read what is only named."""
        for source in self.sources:
            source.read_on()
