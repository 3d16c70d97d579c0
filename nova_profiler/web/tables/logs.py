# SPDX-License-Identifier: Apache-2.0
"""The rows of logs: each request that ``report`` would count, once."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from itertools import islice

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.logs.files.sources import (
    BINARY,
    LINK_OUT,
    MISSING,
    NOT_READABLE,
    sources_of,
)
from nova_profiler.reading.logs.files.sources import Source as LogFile
from nova_profiler.reading.logs.requests_once import entries_of_sources
from nova_profiler.reading.logs.unread import Unread, kind_text
from nova_profiler.web.rows import Row
from nova_profiler.web.tables import State
from nova_profiler.web.tables.columns import Arrays, Columns
from nova_profiler.web.tables.entries import arrays_of_entries
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.names import Names
from nova_profiler.web.tables.numbered import HasNumbered, Numbered

_AT_ONCE = 20_000
# A log that grows is read again whole, and so often that this is a small part
# of the time.
_REST_OF_READING = 20
# Kinds of what is left out that are about whole files.
_OF_FILES = (MISSING, NOT_READABLE, BINARY, LINK_OUT)
_MOST_PROBLEMS = 5


class LogSource(HasNumbered):
    """The requests in some logs, each once; see ``Source``.

    A line that several of them have, as a rotated file and its copy or a
    journal do, is one request, as it is in ``report``.
    """

    def __init__(
        self,
        number: int,
        paths: Sequence[str],
        names: Names,
        keeper: Keeper,
        local: tzinfo | None = None,
        stated: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
        folder: str | None = None,
    ) -> None:
        """*local* and *stated* are the zone and the formats of the logs.

        *paths* were found in *folder*, or were named themselves.
        """
        self.version = 0
        self.state = State()
        self.paths = list(paths)
        self._number = number
        self._names = names
        self._keeper = keeper
        self._local = local
        self._stated = stated
        self._clock = clock
        self._folder = folder
        real = " ".join(map(os.path.realpath, self.paths))
        self._name = f"log {real} {local} {stated}"
        more = f" and {len(self.paths) - 1} more" if self.paths[1:] else ""
        self.title = folder or f"{self.paths[0]}{more}"
        self._files: list[LogFile] = []
        self._unread = Unread()
        self._found = self._read = ""
        self._room = 0
        self._read_next = 0.0
        self._rows = Numbered(number, Columns(names))

    def logs(self, row: Row) -> tuple[list[LogFile], list[str]]:
        """Return the files, and the paths that they were found by."""
        return self._files, [self._folder] if self._folder else self.paths

    def look_up(self, room: int) -> None:
        """Find the files, and whether they have changed."""
        self._unread = Unread()
        self._room = room
        found = sources_of(
            self.paths, self._unread, self._local, self._stated, self._folder
        )
        # A pipe is read once, and waiting for it would hold up all sources.
        self._files = [file for file in found if file.size is not None]
        for file in found:
            if file.size is None:
                self._unread.add(NOT_READABLE, f"{file.name}: is a pipe")
        self._found = stamp_of(self._files)
        if not self.state.named:
            kept = self._keeper.rows(self._name, self._names, self._found)
            if kept is not None:
                self._have(kept.arrays)
        self.state = self.state._replace(
            named=True,
            activity=""
            if self._found == self._read
            else f"reading {self.title}",
        )

    def read_on(self) -> None:
        """Read the logs, all of them, where one has changed."""
        if self._found == self._read or self._clock() < self._read_next:
            return
        began = self._clock()
        try:
            columns = self._columns_of_files()
        except Exception as exc:
            # A reading process was killed, a disk is full: the other sources
            # go on, and this one is tried again.
            why = str(exc) if isinstance(exc, NovaProfilerError) else ""
            problem = why or f"cannot be read: {type(exc).__name__}"
            self.state = self.state._replace(
                activity="", problems=(f"{self.title}: {problem}",)
            )
        else:
            self._keeper.keep_rows(self._name, columns, stamp=self._found)
            self._have(columns.view())
        took = self._clock() - began
        self._read_next = self._clock() + _REST_OF_READING * took

    def _columns_of_files(self) -> Columns:
        entries = entries_of_sources(
            self._files, self._unread, self._progress()
        )
        columns = Columns(self._names)
        while some := list(islice(entries, _AT_ONCE)):
            columns.extend(arrays_of_entries(some, self._names))
        return columns

    def _progress(self) -> Callable[[int], None]:
        size = sum(file.size or 0 for file in self._files) or 1
        done = 0

        def hear(count: int) -> None:
            nonlocal done
            done += count
            share = min(99, 100 * done // size)
            self.state = self.state._replace(
                activity=f"reading {self.title}: {share} %"
            )

        return hear

    def _have(self, arrays: Arrays) -> None:
        """Have the rows of *arrays*, and the newest if there are too many."""
        self._rows = Numbered(
            self._number, Columns.of_arrays(self._names, arrays), self._room
        )
        self._read = self._found
        self.version += 1
        rows = self._rows.columns.count
        left_out = len(arrays["epoch_ms"]) - rows
        self.state = State(True, rows, left_out, self._problems(rows))

    def _problems(self, rows: int) -> tuple[str, ...]:
        """Return what is wrong with files; all reasons if no row was found."""
        return tuple(
            f"{self.title}: {count} {kind_text(count, kind)}: {example}"
            for kind, count, example in self._unread
            if kind in _OF_FILES or not rows
        )[:_MOST_PROBLEMS] or (
            () if rows else (f"{self.title}: no timed requests found",)
        )


def stamp_of(files: Iterable[LogFile]) -> str:
    """Return a text that is another one once a file has changed."""
    stamps = []
    for file in files:
        if file.path is None:
            continue
        try:
            found = os.stat(file.path)
        except OSError:
            # Its reader notes why.
            continue
        stamps.append(
            f"{os.path.realpath(file.path)} {found.st_ino} {found.st_size} "
            f"{found.st_mtime_ns}"
        )
    whole = "\n".join(stamps).encode("utf-8", "replace")
    return hashlib.blake2b(whole, digest_size=16).hexdigest()
