# SPDX-License-Identifier: Apache-2.0
"""Reads dumps, and trusts none: a damaged or foreign file is named."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from nova_profiler.dump_store.names import (
    COMPANION_SUFFIXES,
    DUMP_SUFFIX,
    DumpEntry,
    entry_of,
    is_ahead,
    is_day,
    is_of_dump,
    is_stem,
    name_of_moment,
    newest_credible,
)
from nova_profiler.errors import NovaProfilerError
from nova_profiler.record import DUMPED_ALONE, RecordError, RequestRecord
from nova_profiler.trust.collector_pause import collector_paused
from nova_profiler.trust.files import (
    FileError,
    read_itself,
    read_regular,
    without_links,
)
from nova_profiler.trust.folders import FOLDER_ITSELF

_HEAD = frozenset(RequestRecord.__slots__) - {*DUMPED_ALONE, "calls"} | {
    "schema"
}

# JSON of more may be made of millions of lists, through which the collector
# goes again and again. What a service reads of its own requests has less: its
# collector stays as it is.
_LARGE = 1024 * 1024

# As the error for a file that is too large ends.
_EXPECTED = "a dump ever has"

# How the message begins where a dump or a line is no JSON at all.
NOT_JSON = "not JSON"
# Of those that a text may mean: as many are named in an error.
NAMED_IN_ERRORS = 3


class DumpError(NovaProfilerError):
    """A dump cannot be found or read; the message has the reason."""


def entries_of(
    directory: Path, foreign: list[str], since: str | None = None
) -> Iterator[DumpEntry]:
    """Yield the dumps of *directory*, newest first, from names alone.

    Those of *since*, as ``started_at`` is written, and later. Dumps that
    are dated in the future come last. Day by day, so that asking for the
    newest few reads one folder. What is no dump is put into *foreign* as
    the days are reached.
    """
    days = []
    with os.scandir(directory) as found:
        for item in found:
            if is_day(item.name) and item.is_dir(follow_symlinks=False):
                days.append(item.name)
            elif not item.name.startswith(".") and not _is_loose(item):
                foreign.append(item.name)
    days.sort(reverse=True)
    now = time.time()
    last_day, _ = newest_credible(now)
    of_days = _entries_of_days(
        directory, [day for day in days if day <= last_day], foreign
    )
    ahead = []
    for entry in takewhile(lambda one: _is_since(one, since), of_days):
        if is_ahead(entry, now):
            ahead.append(entry)
        else:
            yield entry
    of_days = _entries_of_days(
        directory, [day for day in days if day > last_day], foreign
    )
    yield from (entry for entry in of_days if _is_since(entry, since))
    yield from ahead


def _is_since(entry: DumpEntry, since: str | None) -> bool:
    return since is None or entry.started_at >= since


def _entries_of_days(
    directory: Path, days: list[str], foreign: list[str]
) -> Iterator[DumpEntry]:
    for day in days:
        yield from _entries_of_day(directory, day, foreign)


def _entries_of_day(
    directory: Path, day: str, foreign: list[str]
) -> Iterator[DumpEntry]:
    folder = str(directory / day)
    for name in sorted(_files_of_day(folder, day, foreign), reverse=True):
        stem, suffix = os.path.splitext(name)
        if suffix == DUMP_SUFFIX:
            entry = entry_of(folder, day, stem)
            if entry is not None:
                yield entry
                continue
        elif suffix in COMPANION_SUFFIXES and is_stem(stem):
            continue
        foreign.append(f"{day}/{name}")


def _files_of_day(folder: str, day: str, foreign: list[str]) -> list[str]:
    names: list[str] = []
    try:
        # Not what has been put in its place since the day was listed.
        fd = os.open(folder, FOLDER_ITSELF)
    except FileNotFoundError:
        # Pruned since then.
        return names
    try:
        with os.scandir(fd) as found:
            for item in found:
                if item.is_file(follow_symlinks=False):
                    names.append(item.name)
                else:
                    foreign.append(f"{day}/{item.name}")
    finally:
        os.close(fd)
    return names


def loose_days(directory: str) -> dict[str, list[str]]:
    """Return the names of dumps in *directory* itself, by their days.

    They were copied by themselves, or with the folder of their day, which is
    *directory* then. Names lack the day, so that others are opened.
    """
    try:
        with os.scandir(directory) as items:
            names = sorted(item.name for item in items if _is_loose(item))
    except OSError:
        return {}
    own = os.path.basename(os.path.abspath(directory))
    found: dict[str, list[str]] = {}
    for name in names:
        if name.endswith(DUMP_SUFFIX):
            day = own if is_day(own) else _day_of(Path(directory, name))
            found.setdefault(day, []).append(name)
    return found


def _is_loose(item: os.DirEntry[str]) -> bool:
    return is_of_dump(item.name) and item.is_file(follow_symlinks=False)


def _day_of(path: Path) -> str:
    try:
        day = read_head(path).started_at[:10]
        if is_day(day):
            return day
    except DumpError:
        # It is named where it is read.
        pass
    try:
        changed = path.lstat().st_mtime
    except OSError:
        changed = 0.0
    return name_of_moment(changed)[0]


def loose_entries(directory: Path) -> Iterator[DumpEntry]:
    """Yield the dumps in *directory* itself; see ``loose_days``."""
    folder = str(directory)
    for day, names in loose_days(folder).items():
        for name in names:
            entry = entry_of(folder, day, name.removesuffix(DUMP_SUFFIX))
            if entry is not None:
                yield entry


def entry_of_path(path: Path) -> DumpEntry:
    """Return an entry for *path*, wherever it is and whatever its name.

    A link that a person named is followed here. Raises DumpError for what has
    not a dump's ending.
    """
    path = without_links(path)
    if path.suffix != DUMP_SUFFIX:
        raise DumpError(f"{path}: not a dump; dumps end in {DUMP_SUFFIX}")
    folder, day = str(path.parent), path.parent.name
    entry = entry_of(folder, day, path.stem) if is_day(day) else None
    return entry or DumpEntry(folder, path.stem, "", 0, "", "", "")


def read_dump(path: Path) -> RequestRecord:
    """Return the record in *path* itself, or raise DumpError."""
    return _read(path, bytes_of)


def read_trace(path: Path) -> RequestRecord:
    """Return the same, of a folder that is open.

    *path* leads to it through its descriptor, as by a link.
    """
    return _read(path, _bytes_in_opened)


def read_head(path: Path) -> RequestRecord:
    """Return the record in *path* without its rows, or raise DumpError.

    Rows are most of a dump; without them it is read several times quicker.
    """
    return _read(path, bytes_of, _HEAD)


def _read(
    path: Path,
    read: Callable[[Path], bytes],
    names: frozenset[str] | None = None,
) -> RequestRecord:
    try:
        return record_of_json(read(path), names)
    except (FileError, RecordError) as exc:
        raise DumpError(f"dump {path.name}: {exc}") from exc
    except OSError as exc:
        raise DumpError(f"dump {path.name}: {exc.strerror or exc}") from exc


def bytes_of(path: Path) -> bytes:
    """Return what the dump *path* holds; no link is followed.

    Raises OSError, and FileError for what cannot be a dump.
    """
    return read_itself(path, _EXPECTED)


def _bytes_in_opened(path: Path) -> bytes:
    return read_regular(path, _EXPECTED, flags=os.O_NOFOLLOW)


def read_in_folder(fd: int, name: str) -> bytes:
    """Return what the dump *name* in the folder *fd* holds.

    Raises as bytes_of() does; a link is not followed.
    """
    return read_regular(name, _EXPECTED, None, os.O_NOFOLLOW, fd)


def record_of_json(
    text: str | bytes, names: frozenset[str] | None = None
) -> RequestRecord:
    """Return the record that *text* holds, or raise RecordError.

    With *names* only these of its fields.
    """
    if len(text) < _LARGE:
        return _record_in(text, names)
    with collector_paused():
        return _record_in(text, names)


def _record_in(
    text: str | bytes, names: frozenset[str] | None
) -> RequestRecord:
    try:
        fields = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise RecordError("not a nova-profiler record: too deep") from None
    except ValueError as exc:
        raise RecordError(f"{NOT_JSON}: {exc}") from None
    if names is not None and isinstance(fields, dict):
        fields = {name: fields[name] for name in names if name in fields}
    return RequestRecord.from_dict(fields)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
