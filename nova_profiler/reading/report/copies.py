# SPDX-License-Identifier: Apache-2.0
"""Finds out, while logs are added up, that one holds lines of another.

Rotation and collectors leave one log in several files. The first request of
each file is looked for in all others, in the blocks of its time: if one of
two files is a copy of a part of the other, the first line of one is in both.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.entry_of_line import entry_of_line, marks_in
from nova_profiler.reading.logs.files.sources import Source, head_of
from nova_profiler.reading.logs.forms.begin_and_end import HALVES
from nova_profiler.reading.logs.line_parts.stamps import years_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.quick_lines import (
    QuickRow,
    form_of,
    quick_rows,
)

# Enough for the first request of a log at level DEBUG.
_HEAD_BYTES = 64 * 1024
# Beyond that every other file, or the third: their first lines are enough.
_MOST = 1_000

_WITH_ID = re.compile(rb"\[(?:[^\]\n]{0,80} )?req-[^\]\n]{36,300}\] [^\n\r]+")


class Probes(NamedTuple):
    """The first requests of files, in the order of their stamps.

    ``others`` are those without a quick form: request id, or the whole line,
    and the time, by file. ``forms`` are those that the files begin with.
    """

    stamps: tuple[bytes, ...] = ()
    texts: tuple[bytes, ...] = ()
    files: tuple[str, ...] = ()
    others: dict[tuple[str | bytes, float], str] = {}  # never changed
    forms: frozenset[str] = frozenset()

    @property
    def must_be_compared(self) -> bool:
        """Return whether the files' first lines show it: of several forms."""
        return len(self.forms) > 1 or not self.forms.isdisjoint(HALVES)

    def are_in(
        self, block: bytes, file: str, first: bytes, last: bytes
    ) -> bool:
        """Return whether *block* of *file* has a line of another file.

        *first* and *last* are its least and its latest stamp.
        """
        start = bisect_left(self.stamps, first)
        end = bisect_right(self.stamps, last)
        return any(
            self.files[place] != file and self.texts[place] in block
            for place in range(start, end)
        )

    def has(self, entry: AccessEntry, line: bytes, file: str) -> bool:
        """Return whether *entry* of *line* is another file's first."""
        if not self.others:
            return False
        return self.others.get(_key_of(entry, line), file) != file


NO_PROBES = Probes()


def probes_of(sources: Sequence[Source]) -> Probes:
    """Return the first request of each of *sources*, if there are several."""
    if len(sources) < 2:
        return NO_PROBES
    quick: list[tuple[bytes, bytes, str]] = []
    others: dict[tuple[str | bytes, float], str] = {}
    forms = set()
    for source in sources[:: 1 + len(sources) // _MOST]:
        head = head_of(source, _HEAD_BYTES)
        block = head[: head.rfind(b"\n") + 1] or head
        row = _first_quick(block)
        if row is not None:
            stamp, text, form = row
            quick.append((stamp, text, source.name))
            forms.add(form)
            continue
        found = _first_other(block, source)
        if found is not None:
            line, entry = found
            others.setdefault(_key_of(entry, line), source.name)
            forms.add(entry.form)
    quick.sort()
    stamps, texts, files = zip(*quick, strict=True) if quick else ((), (), ())
    return Probes(stamps, texts, files, others, frozenset(forms))


def _first_quick(block: bytes) -> tuple[bytes, bytes, str] | None:
    """Return the stamp, the text and the form of the first row with an id."""
    for line in block.splitlines():
        rows: list[QuickRow] = (
            quick_rows(line) if b'" status: ' in line else []
        )
        found = _WITH_ID.search(line) if rows and not rows[0][-1] else None
        if found is not None:
            return rows[0][0], found[0].rstrip(), form_of(rows[0][1])
    return None


def _first_other(
    block: bytes, source: Source
) -> tuple[bytes, AccessEntry] | None:
    """Return the first line of a request, and the request."""
    years = years_of(block, source.modified, source.local)
    marks = marks_in(block)
    for line in block.splitlines():
        entry = entry_of_line(
            line, years, source.name, Unread(), marks, source.stated
        )
        if entry is not None:
            return line, entry
    return None


def _key_of(entry: AccessEntry, line: bytes) -> tuple[str | bytes, float]:
    return entry.request_id or line.rstrip(), entry.ms
