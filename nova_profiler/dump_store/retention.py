# SPDX-License-Identifier: Apache-2.0
"""Keeps a dump directory within its limits, however many write to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from nova_profiler.dump_store.locks import FILE, BriefLock, Without
from nova_profiler.dump_store.names import (
    COMPANION_SUFFIXES,
    DUMP_SUFFIX,
    is_aside,
    is_day,
    is_stem,
    name_of_moment,
    newest_credible,
)
from nova_profiler.dump_store.opened import ASIDE_FOLDER, Opened
from nova_profiler.dump_store.shares import Shares, StoredDump
from nova_profiler.dump_store.usage import PRUNE_FILE, Usage, UsageFile

# What was put there or taken away by hand is noticed after this long, and
# so is a file that a dead worker left half written.
_STALE_S = 600
_AUTOMATIC_FILL = 0.95
_SUFFIXES = {DUMP_SUFFIX, *COMPANION_SUFFIXES}


class Limits(NamedTuple):
    """What a dump directory may hold; 0 is no limit."""

    files: int = 0
    bytes: int = 0
    age_s: float = 0.0

    def hold(self, files: int, size: int) -> bool:
        """Return whether *files* of together *size* bytes are within."""
        return not (0 < self.files < files or 0 < self.bytes < size)


class Pruned(NamedTuple):
    """What was removed, or would be: dumps, and files left half written."""

    dumps: list[StoredDump]
    halves: list[StoredDump]


# After so long a holder of the lock is taken for stopped.
_PRUNING_S = 60
_MARK = b"pruning\n"


class Retention:
    """Makes room in a dump directory for what is written next."""

    def __init__(
        self, limits: Limits, without_lock: Without = lambda error: None
    ) -> None:
        """*without_lock* gets the error of a system that grants no lock."""
        self._limits = limits
        self._usage = UsageFile(without_lock)
        self._pruner = BriefLock(PRUNE_FILE, without_lock)

    def make_room(self, directory: Opened, size: int, files: int = 1) -> None:
        """Count *files* of *size* bytes, set aside so far, and make room.

        Asked before the file is published, so that a worker which dies in
        between has never put one too many there.
        """
        if self._is_fine(self._usage.add(directory.fd, files, size)):
            return
        with self._pruner.held(directory.fd, FILE | os.O_CREAT) as fd:
            if fd is None and _is_recent(directory):
                # The process that holds the lock makes room for us too: what
                # is set aside counts. To look at all files as well would
                # only slow both down.
                return
            if fd is not None:
                os.pwrite(fd, _MARK, 0)
            usage = self._usage.read(directory.fd)
            if fd is None or not self._is_fine(usage):
                self.prune(directory, _AUTOMATIC_FILL)

    def prune(
        self, directory: Opened, fill: float = 1.0, *, dry_run: bool = False
    ) -> Pruned:
        """Remove what is too old or too much, and return it.

        Before all others go dumps dated in the future: a clock was wrong. Of
        the rest goes what exceeds its share, then the oldest.
        Down to *fill* of a limit that is exceeded. Needs no lock: two that
        do it at once remove the same dumps.
        """
        before = self._usage.read(directory.fd)
        # First what is aside, then the dumps: what moves from there to here
        # in the meantime is counted at least once.
        aside, stale = _set_aside(directory)
        dumps = stored_dumps(directory)
        now = time.time()
        if not dry_run:
            dumps = [_dated(directory, dump, now) for dump in dumps]
        kept = [*dumps, *aside]
        files = sum(len(one.files) for one in kept)
        size = sum(one.bytes for one in kept)
        doomed = _doomed(dumps, files, size, self._limits, fill, now)
        if dry_run:
            return Pruned(doomed, stale)
        removed = Pruned(
            [dump for dump in doomed if _remove(directory, dump)],
            [half for half in stale if _remove(directory, half)],
        )
        _remove_empty_days(directory, {dump.day for dump in doomed})
        files -= sum(len(dump.files) for dump in doomed)
        size -= sum(dump.bytes for dump in doomed)
        if before is not None:
            self._usage.set(directory.fd, files, size, before)
        return removed

    def _is_fine(self, usage: Usage | None) -> bool:
        return (
            usage is not None
            and abs(time.time() - usage.scanned_at) <= _STALE_S
            and self._limits.hold(usage.files, usage.bytes)
        )


def _is_recent(directory: Opened) -> bool:
    """Return whether a pruning that holds the lock may be under way.

    Without a mark none has ever begun: the system refuses the lock as if
    another had it.
    """
    try:
        found = os.stat(PRUNE_FILE, dir_fd=directory.fd, follow_symlinks=False)
    except OSError:
        return False
    age_s = abs(time.time() - found.st_mtime)
    return found.st_size > 0 and age_s < _PRUNING_S


def stored_dumps(directory: Opened) -> list[StoredDump]:
    """Return what *directory* holds, oldest first, foreign files left out."""
    dumps: list[StoredDump] = []
    for day in sorted(_scanned(directory.fd), key=_name_of):
        if is_day(day.name) and day.is_dir(follow_symlinks=False):
            dumps.extend(_dumps_of_day(directory, day.name))
    return dumps


def _dumps_of_day(directory: Opened, day: str) -> Iterator[StoredDump]:
    stems: dict[str, list[os.DirEntry[str]]] = {}
    for file in _scanned_folder(directory, day):
        stem, dot, suffix = file.name.rpartition(".")
        if dot + suffix in _SUFFIXES and is_stem(stem):
            stems.setdefault(stem, []).append(file)
    for stem in sorted(stems):
        # The dump before its companions: without it they are no dump.
        files = stems[stem]
        files.sort(key=_dump_first)
        found = [_status_of(file) for file in files]
        yield StoredDump(
            day,
            stem,
            tuple(file.name for file in files),
            sum(size for size, _ in found),
            max(written_at for _, written_at in found),
        )


def _doomed(
    dumps: list[StoredDump],
    files: int,
    size: int,
    limits: Limits,
    fill: float,
    now: float,
) -> list[StoredDump]:
    most_files, most_bytes = limits.files, limits.bytes
    if not limits.hold(files, 0):
        most_files = max(1, int(limits.files * fill))
    if not limits.hold(0, size):
        most_bytes = max(1, int(limits.bytes * fill))
    aim = Limits(most_files, most_bytes)
    newest = newest_credible(now)
    oldest = name_of_moment(now - limits.age_s) if limits.age_s > 0 else None
    doomed, others = [], []
    for dump in sorted(dumps, key=lambda dump: not dump[:2] > newest):
        if dump[:2] > newest:
            # Its name has no age; the file has one.
            goes = 0 < limits.age_s < now - dump.written_at
            goes |= not aim.hold(files, size)
        else:
            goes = oldest is not None and dump[:2] < oldest
        if not goes:
            others.append(dump)
            continue
        doomed.append(dump)
        files -= len(dump.files)
        size -= dump.bytes
    if aim.hold(files, size):
        return doomed
    shares = Shares(others)
    while not aim.hold(files, size):
        next_one = shares.take(by_bytes=aim.hold(files, 0))
        if next_one is None:
            break
        doomed.append(next_one)
        files -= len(next_one.files)
        size -= next_one.bytes
    return doomed


def _dated(directory: Opened, dump: StoredDump, now: float) -> StoredDump:
    """Return *dump*; what a clock that was ahead has written ages from now.

    Otherwise the age limit would never reach it.
    """
    newest = newest_credible(now)
    if dump[:2] <= newest or name_of_moment(dump.written_at) <= newest:
        return dump
    for file in dump.files:
        with suppress(OSError):
            folder = directory.folder(dump.day)
            os.utime(file, (now, now), dir_fd=folder, follow_symlinks=False)
    return dump._replace(written_at=now)


def _set_aside(
    directory: Opened,
) -> tuple[list[StoredDump], list[StoredDump]]:
    """Return the files that are being written, and those that were left."""
    young: list[StoredDump] = []
    stale: list[StoredDump] = []
    for file in _scanned_folder(directory, ASIDE_FOLDER):
        if not is_aside(file.name):
            continue
        try:
            status = file.stat(follow_symlinks=False)
        except OSError:
            continue
        is_stale = abs(time.time() - status.st_mtime) > _STALE_S
        (stale if is_stale else young).append(
            StoredDump(
                ASIDE_FOLDER,
                file.name,
                (file.name,),
                status.st_size,
                status.st_mtime,
            )
        )
    return young, stale


def _scanned_folder(
    directory: Opened, name: str
) -> Iterator[os.DirEntry[str]]:
    """Yield the files in a folder of ours; nothing of another one."""
    try:
        fd = directory.folder(name)
    except OSError:
        # Gone, a link, or another user's: nothing here that we wrote.
        return
    for file in _scanned(fd):
        if file.is_file(follow_symlinks=False):
            yield file


def _scanned(fd: int) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(fd) as entries:
            return list(entries)
    except OSError:
        return []


def _status_of(file: os.DirEntry[str]) -> tuple[int, float]:
    """Return the size of *file* and when it was written."""
    try:
        status = file.stat(follow_symlinks=False)
    except OSError:
        return 0, 0.0
    return status.st_size, status.st_mtime


def _name_of(file: os.DirEntry[str]) -> str:
    return file.name


def _dump_first(file: os.DirEntry[str]) -> tuple[bool, str]:
    return not file.name.endswith(DUMP_SUFFIX), file.name


def _remove(directory: Opened, dump: StoredDump) -> bool:
    """Remove the files of *dump*; return whether any was still there."""
    ours = False
    for file in dump.files:
        ours |= directory.remove(dump.day, file)
    return ours


def _remove_empty_days(directory: Opened, days: Iterable[str]) -> None:
    for day in days:
        # Not empty, or another process was quicker.
        with suppress(OSError):
            os.rmdir(day, dir_fd=directory.fd)
