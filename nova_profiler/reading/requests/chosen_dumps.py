# SPDX-License-Identifier: Apache-2.0
"""Which dumps a command is about: by their names, and few files opened."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore
from nova_profiler.reading.command_line.kind_option import WantedKind
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.route_option import meant_names
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.record import RequestRecord

Row = tuple[DumpEntry, RequestRecord]

# Names have whole milliseconds: so many more files are opened to order
# those that are equal there. A few may be damaged.
_MOST_EQUAL = 100


class Wanted(NamedTuple):
    """Which dumps to list, by their names and by the content of files."""

    route: str | None = None
    method: str | None = None
    since: str | None = None
    until: str | None = None
    min_ms: float | None = None
    user: str | None = None
    status: str | None = None
    failed: bool = False
    kind: WantedKind | None = None

    @property
    def needs_files(self) -> bool:
        """Return whether the content of files decides, too."""
        return self.user is not None or self.status is not None or self.failed

    @property
    def has_all_in_names(self) -> bool:
        """Return whether every dump whose name fits is wanted."""
        return not self.needs_files and self.min_ms is None

    def names(self, entries: Iterable[DumpEntry]) -> Iterator[DumpEntry]:
        """Yield those of *entries* whose names fit."""
        is_wanted = meant_names(self.route)
        method = None if self.method is None else self.method.upper()
        for entry in entries:
            if (
                (method is None or entry.method == method)
                and (self.until is None or entry.started_at < self.until)
                # Names have whole milliseconds, rounded.
                and (
                    self.min_ms is None
                    or entry.duration_ms >= round(self.min_ms)
                )
                and is_wanted(entry.route_name, entry.method)
                # The last: it counts what is of another kind alone.
                and (self.kind is None or self.kind.has_method(entry.method))
            ):
                yield entry

    def has(self, record: RequestRecord) -> bool:
        """Return whether the content of a file fits."""
        if self.failed and not record.is_failed:
            return False
        if self.min_ms is not None and record.duration_ms < self.min_ms:
            return False
        if self.user is not None and self.user not in (
            record.user_name,
            record.user_id,
            record.project_name,
            record.project_id,
        ):
            return False
        return self.status is None or _has_status(record, self.status)


class Rows(NamedTuple):
    """The dumps to list, and the most that there can be.

    Damaged files that were not opened count, too. ``most`` is None where
    names do not decide.
    """

    rows: list[Row]
    most: int | None


def chosen_rows(
    store: DumpStore,
    wanted: Wanted,
    limit: int,
    slowest: bool,
    skipped: Skipped,
) -> Rows:
    """Return the first *limit* dumps that are *wanted*; open few others."""
    foreign: list[str] = []
    named = _Counted(wanted.names(store.entries(foreign, wanted.since)))
    entries: Iterator[DumpEntry] = iter(named)
    if slowest and wanted.needs_files:
        entries = iter(sorted(entries, key=_slowest_first))
    elif slowest:
        entries = iter(
            heapq.nsmallest(limit + _MOST_EQUAL, entries, key=_slowest_first)
        )
    if wanted.needs_files:
        entries = with_progress(entries, "reading dumps", None)
    rows: list[Row] = []
    for entry in entries:
        if len(rows) >= limit and not _may_be_slower(entry, rows, limit):
            break
        try:
            record = store.read(entry)
        except DumpError as exc:
            skipped.add_damaged(exc)
            continue
        if wanted.has(record):
            rows.append((entry, record))
            if len(rows) == limit and not slowest:
                break
    if slowest:
        rows = sorted(rows, key=_longest_first)[:limit]
    if not wanted.has_all_in_names:
        skipped.add_foreign(foreign)
        return Rows(rows, None)
    most = named.count_all() - skipped.damaged
    skipped.add_foreign(foreign)
    return Rows(rows, most)


def _may_be_slower(entry: DumpEntry, rows: list[Row], limit: int) -> bool:
    """Return whether *entry* may belong before the last of *rows*."""
    last, _ = rows[limit - 1]
    return (
        entry.duration_ms == last.duration_ms
        and len(rows) < limit + _MOST_EQUAL
    )


class _Counted:
    """Yields dumps and counts them."""

    def __init__(self, entries: Iterator[DumpEntry]) -> None:
        self._entries = entries
        self._count = 0

    def __iter__(self) -> Iterator[DumpEntry]:
        for entry in self._entries:
            self._count += 1
            yield entry

    def count_all(self) -> int:
        """Return the number of all dumps, by their names."""
        return self._count + sum(1 for _ in self._entries)


def _slowest_first(entry: DumpEntry) -> int:
    return -entry.duration_ms


def _longest_first(row: Row) -> float:
    return -row[1].duration_ms


def _has_status(record: RequestRecord, wanted: str) -> bool:
    status = str(record.status)
    return any(
        len(one) == len(status)
        and all(a in ("x", b) for a, b in zip(one, status, strict=True))
        for one in wanted.split(",")
    )
