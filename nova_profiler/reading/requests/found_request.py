# SPDX-License-Identifier: Apache-2.0
"""What ``show`` is asked for: one record, or a request over all services."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.dump_store import (
    DumpEntry,
    DumpError,
    DumpStore,
    is_ahead,
    unlisted,
)
from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.reading.command_line.progress import (
    dump_progress,
    log_progress,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.logs.files.sources import (
    DUMP,
    STDIN,
    Source,
    sources_of,
)
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.over_services.search.absent_dumps import NONE_YET
from nova_profiler.reading.over_services.search.asked import asked_for
from nova_profiler.reading.over_services.search.finding import (
    Found,
    RecordSearch,
)
from nova_profiler.reading.over_services.search.places import dump_directories
from nova_profiler.reading.requests.chosen_dumps import Wanted, chosen_rows
from nova_profiler.reading.requests.one_request.loading import record_in
from nova_profiler.record import RequestRecord


class Places(NamedTuple):
    """Where records are looked for; there is one dump directory or more."""

    directories: list[str]
    sources: list[Source]


class NothingKeptError(DumpError):
    """There is no dump yet, where the newest or the slowest is asked for."""


class One(NamedTuple):
    """One record, of a dump or of a log's line."""

    record: RequestRecord
    entry: DumpEntry | None


class Whole(NamedTuple):
    """All records of a request of which there are several."""

    request_id: str
    found: Found


def places_of(
    dump_dirs: Sequence[str], places: Sequence[str], skipped: Skipped
) -> Places:
    """Return the dump directories and the logs that a person named.

    *places* may be either, or folders of both. Raises DumpError for a dump
    directory that cannot be read, and where none of *places* is there and
    nothing else is named.
    """
    if places and not dump_dirs and all(map(_is_missing, places)):
        raise DumpError(f"no such file or folder: {', '.join(places)}")
    unread = Unread()
    sources = sources_of(places, unread) if places else []
    readable = Unread()
    for kind, count, example in unread:
        if kind != DUMP:
            readable.add(kind, example, count)
    skipped.add_unread(readable)
    left_out: list[str] = []
    for directory in dump_dirs:
        _check(directory)
    folders = [*dump_dirs, *(one for one in places if os.path.isdir(one))]
    directories = dump_directories(folders, left_out)
    for message in left_out:
        skipped.add(message)
    return Places(directories, sources)


def _is_missing(place: str) -> bool:
    return not (
        place == STDIN or glob.has_magic(place) or os.path.lexists(place)
    )


def _check(directory: str) -> None:
    try:
        os.scandir(directory).close()
    except OSError as exc:
        raise unlisted(directory, exc) from exc


def request_for(
    text: str | None, slowest: bool, places: Places, skipped: Skipped
) -> One | Whole:
    """Return what *text* means, or the newest or slowest without it.

    Raises DumpError; NothingKeptError where there is no dump at all.
    """
    near = None
    if text is None:
        entry = _first_of(places.directories, slowest, skipped)
        record = _record_in(entry)
        request_id, near = record.request_id, record.started_at
        if request_id is None:
            return One(record, entry)
    elif "/" in text or text.endswith(DUMP_SUFFIX):
        entry = DumpStore(places.directories[0]).find(text)
        return One(_record_in(entry), entry)
    else:
        asked = asked_for(text, places.directories, places.sources)
        if asked.request_id is None and asked.entry is not None:
            return One(_record_in(asked.entry), asked.entry)
        request_id = asked.request_id or text
    found = _search(request_id, near, places, skipped)
    _check_only_one(text, request_id, found)
    if len(found.served) > 1:
        return Whole(request_id, found)
    if not found.whole:
        raise DumpError(f"{request_id}: its records are gone by now")
    record, own = found.whole[0]
    return One(record if own is None else _record_in(own), own)


def _search(
    request_id: str, near: str | None, places: Places, skipped: Skipped
) -> Found:
    directories, sources = places
    is_long = len(directories) > 1
    bar = (
        log_progress(sources, "reading logs")
        if sources
        else dump_progress("reading dumps", is_shown=is_long)
    )
    with bar as progress:
        return RecordSearch(
            directories,
            sources,
            skipped.add,
            on_dump=None if sources else progress.advance,
            on_bytes=progress.advance,
        ).find(request_id, near)


def _check_only_one(text: str | None, request_id: str, found: Found) -> None:
    """Raise DumpError if the start of an id is that of several."""
    if text is None:
        return
    start = text.removeprefix("req-")
    others = sorted(
        one
        for one in found.others
        if one.removeprefix("req-").startswith(start)
    )
    if others and start != request_id.removeprefix("req-"):
        raise DumpError(
            f"{text!r} begins {request_id} and {others[0]}; give more of the "
            f"id"
        )


def _record_in(entry: DumpEntry) -> RequestRecord:
    return record_in(DumpStore(entry.folder), entry)


def _first_of(
    directories: Sequence[str], slowest: bool, skipped: Skipped
) -> DumpEntry:
    """Return the slowest or the newest dump of all *directories*."""
    found = []
    for directory in directories:
        store = DumpStore(directory)
        if slowest:
            rows, _ = chosen_rows(store, Wanted(), 1, True, skipped)
            found += [entry for entry, _ in rows]
        else:
            newest = next(store.entries(), None)
            found += [] if newest is None else [newest]
    if not found and skipped.count:
        raise DumpError(f"no dump can be read of {skipped.count}")
    if not found:
        raise NothingKeptError(
            f"no dumps in {' or '.join(directories[:3])} yet; {NONE_YET}"
        )
    if slowest:
        return max(found, key=lambda entry: entry.duration_ms)
    now = time.time()
    return max(
        found, key=lambda entry: (not is_ahead(entry, now), entry.started_at)
    )
