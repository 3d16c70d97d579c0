# SPDX-License-Identifier: Apache-2.0
"""The dumps of one request, found by their names in many directories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from nova_profiler.dump_store import DumpEntry, DumpError
from nova_profiler.dump_store.names import (
    DUMP_SUFFIX,
    entry_of,
    is_day,
    name_of_id,
)
from nova_profiler.dump_store.reading import (
    bytes_of,
    loose_days,
    record_of_json,
)
from nova_profiler.dump_store.running import trace_entries
from nova_profiler.record import RecordError, RequestRecord
from nova_profiler.trust.files import FileError

# Requests of services that began so much before one may have led to it, and
# clocks differ.
_AROUND = timedelta(days=1)


class Days(NamedTuple):
    """The days to look at, None for all."""

    first: str
    last: str


def days_around(started_at: str) -> Days | None:
    """Return the days in which more of a request may be, None for all."""
    try:
        day = date.fromisoformat(started_at[:10])
        return Days(str(day - _AROUND), str(day + 2 * _AROUND))
    except (ValueError, OverflowError):
        return None


def entries_with_id(
    directories: Sequence[str], ids: Sequence[str], days: Days | None = None
) -> Iterator[DumpEntry]:
    """Yield the dumps whose names have the start of one of *ids*."""
    starts = sorted({name_of_id(one) for one in ids if name_of_id(one)})
    if not starts:
        return
    # Quicker than taking each name apart.
    quick = re.compile("|".join(f"-{re.escape(one)}" for one in starts))
    for folder, day, names in _each_day(directories, days):
        for name in names:
            if not name.endswith(DUMP_SUFFIX) or not quick.search(name):
                continue
            entry = entry_of(folder, day, name[: -len(DUMP_SUFFIX)])
            if entry and entry.id_prefix.startswith(tuple(starts)):
                yield entry
    # What workers left that were killed meanwhile.
    for directory in directories:
        for entry, _ in trace_entries(Path(directory), []):
            if entry.id_prefix.startswith(tuple(starts)):
                yield entry


def entry_with_stem(directories: Sequence[str], stem: str) -> DumpEntry | None:
    """Return the first dump of that name, None without any."""
    for folder, day, names in _each_day(directories, None):
        if stem + DUMP_SUFFIX in names:
            return entry_of(folder, day, stem)
    return None


def entries_begun(
    directories: Sequence[str], since: str, until: str
) -> Iterator[DumpEntry]:
    """Yield the dumps of requests that began in a time, by their names."""
    days = Days(since[:10], until[:10])
    for folder, day, names in _each_day(directories, days):
        first = _time_in_name(since) if day == since[:10] else ""
        last = _time_in_name(until) if day == until[:10] else "~"
        for name in names:
            if first <= name[:10] <= last and name.endswith(DUMP_SUFFIX):
                entry = entry_of(folder, day, name[: -len(DUMP_SUFFIX)])
                if entry is not None:
                    yield entry


def _time_in_name(moment: str) -> str:
    return moment[11:23].replace(":", "")


def _each_day(
    directories: Sequence[str], days: Days | None
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each folder of a day, and the names in it."""
    for directory in directories:
        for day in sorted(_names_in(directory)):
            if not is_day(day):
                continue
            if days is None or days.first <= day <= days.last:
                folder = os.path.join(directory, day)
                yield folder, day, sorted(_names_in(folder, os.O_NOFOLLOW))
        for day, names in loose_days(directory).items():
            if days is None or days.first <= day <= days.last:
                yield directory, day, names


def _names_in(folder: str, flags: int = 0) -> list[str]:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | flags)
    except OSError:
        # Pruned meanwhile, a file of that name, or a link.
        return []
    try:
        return os.listdir(fd)
    except OSError:
        return []
    finally:
        os.close(fd)


def bytes_of_entry(entry: DumpEntry) -> bytes:
    """Return what *entry* holds; raises DumpError.

    No link is followed, neither for the file nor for the folder of its day.
    """
    name = entry.stem + DUMP_SUFFIX
    try:
        return bytes_of(entry.path)
    except FileError as exc:
        raise DumpError(f"dump {name}: {exc}") from exc
    except OSError as exc:
        raise DumpError(f"dump {name}: {exc.strerror or exc}") from exc


def record_of_bytes(entry: DumpEntry, text: bytes) -> RequestRecord:
    """Return the record that *text*, the content of *entry*, holds.

    Raises DumpError.
    """
    try:
        return record_of_json(text)
    except RecordError as exc:
        raise DumpError(f"dump {entry.stem}{DUMP_SUFFIX}: {exc}") from exc
