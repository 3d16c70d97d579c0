# SPDX-License-Identifier: Apache-2.0
"""All entries of logs, each request once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.entry_of_line import entry_of_line, marks_in
from nova_profiler.reading.logs.files.sources import Source, sources_of
from nova_profiler.reading.logs.merging.spool import (
    DUPLICATE,
    Spool,
    SpooledRow,
    spooled,
)
from nova_profiler.reading.logs.other_lines import without_blank_lines
from nova_profiler.reading.logs.parts import Lines, read_in_parts
from nova_profiler.reading.logs.unread import Unread


def entries_of(
    paths: Iterable[str],
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[AccessEntry]:
    """Yield each request in the logs that *paths* name, once.

    *paths* may be files, folders, globs and ``-``. *unread* counts lines
    without a request, further lines about one, and files that cannot be
    read.
    """
    yield from entries_of_sources(sources_of(paths, unread), unread, on_bytes)


def entries_of_sources(
    sources: Iterable[Source],
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[AccessEntry]:
    """Yield each request in *sources* once; see ``entries_of``."""
    with closing(Spool()) as spool:
        for rows in read_in_parts(_rows_of, sources, unread, on_bytes):
            spool.add(rows)
        merged = spool.merge(unread)
        if merged:
            unread.add(DUPLICATE, spool.dropped_example(), merged)
        yield from spool.entries()


def _rows_of(parts: Iterable[Lines], unread: Unread) -> list[SpooledRow]:
    rows = []
    for part in parts:
        block = without_blank_lines(part.block)
        marks = marks_in(block)
        for line in block.split(b"\n"):
            entry = entry_of_line(
                line, part.years, part.file, unread, marks, part.stated
            )
            if entry is not None:
                rows.append(spooled(entry, line, part.file))
    return rows
