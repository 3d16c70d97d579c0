# SPDX-License-Identifier: Apache-2.0
"""All records of one request, out of dump directories and log files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from nova_profiler.dump_store import DumpEntry, DumpError
from nova_profiler.dump_store.reading import record_of_json
from nova_profiler.reading.logs.files.blocks import (
    LONGEST_LINE,
    blocks_of,
    ignored,
)
from nova_profiler.reading.logs.files.sources import Source
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.over_services.relations.served import (
    MOST_CALLS,
    Served,
    served_of,
)
from nova_profiler.reading.over_services.search.budget import Budget
from nova_profiler.reading.over_services.search.dumps import (
    bytes_of_entry,
    days_around,
    entries_begun,
    entries_with_id,
    record_of_bytes,
)
from nova_profiler.record import RecordError, RequestRecord

# Of one request; the others are counted.
MOST_RECORDS = 10_000
# Calls of all records that a picture keeps.
_MOST_CALLS = 400_000
# Ids that HTTP requests had at the other side, and the dumps looked into for
# the request's id as a global one.
_MOST_FAR_IDS = 256
_MOST_LOOKED_INTO = 2_000
_AROUND = timedelta(seconds=5)
_SCHEMA = b'"schema"'

Advance = Callable[[int], None]


class Found(NamedTuple):
    """The records of a request, each with what it is from.

    ``whole`` are the first two of them with all that they hold, and with
    their dumps, for a request of which there is but one. ``others`` are ids
    whose dumps have names that begin like those of the request's. ``left_out``
    counts records past the limits.
    """

    served: list[Served]
    whole: list[tuple[RequestRecord, DumpEntry | None]]
    others: frozenset[str]
    left_out: int


class RecordSearch:
    """Finds records in dump *directories* and in logs.

    *skip* hears of what cannot be read, *on_dump* of each dump that was, and
    *on_bytes* of how much of a log.
    """

    def __init__(
        self,
        directories: Sequence[str],
        sources: Sequence[Source] = (),
        skip: Callable[[str], None] = lambda message: None,
        on_dump: Advance | None = None,
        on_bytes: Advance | None = None,
    ) -> None:
        self._directories = directories
        self._sources = sources
        self._skip = skip
        self._on_dump = on_dump or ignored
        self._on_bytes = on_bytes or ignored
        self._served: dict[object, Served] = {}
        self._whole: list[tuple[RequestRecord, DumpEntry | None]] = []
        self._budget = Budget()
        self._calls = self._left_out = 0
        self._seen: set[str] = set()
        self._others: set[str] = set()

    def find(self, request_id: str, near: str | None = None) -> Found:
        """Return all records of *request_id* and of what it led to.

        With *near*, when one of them began, only those of the days around.
        """
        days = None if near is None else days_around(near)
        ids = {request_id}
        self._take(entries_with_id(self._directories, [request_id], days), ids)
        self._take_lines(ids)
        far = self._far_ids() - ids
        if far:
            ids |= far
            named = sorted(far)
            self._take(entries_with_id(self._directories, named, days), ids)
            self._take_lines(far)
        self._take_by_global_id(request_id)
        return Found(
            list(self._served.values()),
            self._whole,
            frozenset(self._others - ids),
            self._left_out,
        )

    def _take(self, entries: Iterable[DumpEntry], ids: set[str]) -> None:
        """Keep the records of *entries* that are of one of *ids*."""
        for entry in entries:
            try:
                text = self._text_of(entry)
                if text is None:
                    continue
                record = record_of_bytes(entry, text)
            except DumpError as exc:
                self._skip(str(exc))
                continue
            if _is_of(record, ids):
                self._keep(record, entry, str(entry.path))
            elif record.request_id is not None:
                self._others.add(record.request_id)

    def _text_of(self, entry: DumpEntry) -> bytes | None:
        """Return what *entry* holds, None if it was read or is too much.

        Raises DumpError.
        """
        path = str(entry.path)
        if path in self._seen:
            return None
        self._seen.add(path)
        self._on_dump(1)
        if self._is_full():
            self._left_out += 1
            return None
        text = bytes_of_entry(entry)
        self._budget.spend(len(text))
        return text

    def _is_full(self) -> bool:
        return self._has_most_records() or self._budget.is_spent

    def _has_most_records(self) -> bool:
        return len(self._served) >= MOST_RECORDS

    def _keep(
        self, record: RequestRecord, entry: DumpEntry | None, source: str
    ) -> None:
        key = _key_of(record)
        known = self._served.get(key)
        if known is not None and (known.is_whole or record.timeline is None):
            # The log_file has the requests of the dumps, too.
            return
        if known is None and self._has_most_records():
            self._left_out += 1
            return
        most = max(0, min(MOST_CALLS, _MOST_CALLS - self._calls))
        served = served_of(record, source, most)
        self._calls += len(served.calls) + len(served.sends)
        self._served[key] = served
        if known is not None:
            self._whole = [
                one for one in self._whole if _key_of(one[0]) != key
            ]
        if len(self._whole) < 2:
            self._whole.append((record, entry))

    def _take_lines(self, ids: set[str]) -> None:
        """Keep the records of *ids* in the lines of logs."""
        needles = [one.encode("utf-8", "replace") for one in sorted(ids)]
        for source in self._sources:
            # A pipe can be read once.
            if source.size is None:
                continue
            for line in lines_with(source, needles, self._on_bytes):
                self._take_line(source, line, ids)

    def _take_line(self, source: Source, line: bytes, ids: set[str]) -> None:
        if self._budget.is_spent:
            self._left_out += 1
            return
        self._budget.spend(len(line))
        try:
            record = record_of_json(line)
        except RecordError as exc:
            self._skip(f"{os.path.basename(source.name)}: {exc}")
            return
        if _is_of(record, ids):
            self._keep(record, None, source.name)

    def _far_ids(self) -> set[str]:
        """Return the ids that other services gave to HTTP requests."""
        found: set[str] = set()
        for one in self._served.values():
            for sent in one.sends:
                if sent.request_id and len(found) < _MOST_FAR_IDS:
                    found.add(sent.request_id)
        return found

    def _take_by_global_id(self, request_id: str) -> None:
        """Keep what began meanwhile and has *request_id* as its global id.

        Names have an id of their own; the content of files has both.
        """
        span = _span_of(self._served.values())
        if span is None:
            return
        needle = request_id.encode("utf-8", "replace")
        looked = 0
        for entry in entries_begun(self._directories, *span):
            if str(entry.path) in self._seen:
                continue
            looked += 1
            if looked > _MOST_LOOKED_INTO:
                return
            # Most are of other requests: what is wrong with them is not asked.
            with suppress(DumpError):
                text = self._text_of(entry)
                if text is None or needle not in text:
                    continue
                record = record_of_bytes(entry, text)
                if record.global_request_id == request_id:
                    self._keep(record, entry, str(entry.path))


def _is_of(record: RequestRecord, ids: set[str]) -> bool:
    return record.request_id in ids or record.global_request_id in ids


def _key_of(record: RequestRecord) -> object:
    """Return what two files of one record have in common."""
    if record.record_id is not None:
        # A forged copy of an id does not hide the record that has it.
        return record.record_id, record.service, record.started_at
    return (
        record.service,
        record.host,
        record.pid,
        record.started_at,
        record.duration_ms,
        record.request_id,
        record.route,
    )


def lines_with(
    source: Source,
    needles: Sequence[bytes],
    advance: Advance = ignored,
) -> Iterator[bytes]:
    """Yield the lines that hold one of *needles* and may be records."""
    for block in blocks_of(source, Unread(), advance):
        for needle in needles:
            place = block.find(needle)
            while place >= 0:
                first = block.rfind(b"\n", 0, place) + 1
                end = block.find(b"\n", place)
                end = len(block) if end < 0 else end
                line = block[first:end]
                if (
                    end - first <= LONGEST_LINE
                    and line[:1] == b"{"
                    and _SCHEMA in line
                ):
                    yield line
                place = block.find(needle, end)


def _span_of(served: Iterable[Served]) -> tuple[str, str] | None:
    """Return the time from the first begin to the last end, as ISO 8601."""
    times = [
        (one.arrived, one.ended)
        for one in served
        if one.arrived is not None and one.ended is not None
    ]
    if not times:
        return None
    try:
        begin = datetime.fromtimestamp(min(times)[0], timezone.utc) - _AROUND
        last = max(end for _, end in times)
        end = datetime.fromtimestamp(last, timezone.utc) + _AROUND
    except (ValueError, OverflowError, OSError):
        return None
    return begin.isoformat("T", "milliseconds"), end.isoformat(
        "T", "milliseconds"
    )
