# SPDX-License-Identifier: Apache-2.0
"""How much a dump directory holds, kept by all its writers in one file."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from nova_profiler.dump_store.locks import FILE, BriefLock, Without

USAGE_FILE = ".usage"
PRUNE_FILE = ".prune"

_FORM = "nova-profiler-usage-1"


class Usage(NamedTuple):
    """What the directory holds at most, and when that was last looked up.

    ``written`` and ``written_bytes`` only grow: a pruner subtracts what
    they were when it began to look from what they are when it is done, and
    so knows what came meanwhile.
    """

    files: int
    bytes: int
    written: int
    written_bytes: int
    scanned_at: int

    def plus(self, files: int, size: int) -> Usage:
        """Return the usage after *files* of together *size* bytes more."""
        return self._replace(
            files=self.files + files,
            bytes=self.bytes + size,
            written=self.written + files,
            written_bytes=self.written_bytes + size,
        )


NEVER_SCANNED = Usage(0, 0, 0, 0, 0)


class UsageFile:
    """The usage of a directory; None where the lock is not had in time.

    Each method gets a descriptor of the directory.

    Where the system grants no lock, workers that count in the same instant
    may lose a count: the next look at the directory makes up for it.
    """

    def __init__(self, without_lock: Without = lambda error: None) -> None:
        """*without_lock* gets the error of a system that grants none."""
        self._lock = BriefLock(USAGE_FILE, without_lock)

    def add(self, directory: int, files: int, size: int) -> Usage | None:
        """Count *files* more and return what there is then."""
        with self._lock.held(directory, FILE | os.O_CREAT) as fd:
            if fd is None:
                return None
            usage = _read(fd).plus(files, size)
            _write(fd, usage)
            return usage

    def read(self, directory: int) -> Usage | None:
        """Return the usage as it stands."""
        with self._lock.held(directory) as fd:
            return None if fd is None else _read(fd)

    def set(
        self, directory: int, files: int, size: int, before: Usage
    ) -> None:
        """Note that a look begun at *before* found *files* of *size*."""
        with self._lock.held(directory) as fd:
            if fd is None:
                return
            now = _read(fd)
            # The file was removed in between: the next writer looks.
            if now.written < before.written:
                return
            _write(
                fd,
                now._replace(
                    files=files + now.written - before.written,
                    bytes=size + now.written_bytes - before.written_bytes,
                    scanned_at=int(time.time()),
                ),
            )


def _read(fd: int) -> Usage:
    line = os.pread(fd, 200, 0).partition(b"\n")[0].decode("ascii", "replace")
    form, *numbers = line.split(" ")
    try:
        return Usage(*map(int, numbers)) if form == _FORM else NEVER_SCANNED
    except (TypeError, ValueError):
        return NEVER_SCANNED


def _write(fd: int, usage: Usage) -> None:
    # Of one length, in one call: a worker killed here leaves it old or new.
    line = " ".join((_FORM, *(f"{number:018d}" for number in usage)))
    os.pwrite(fd, f"{line}\n".encode("ascii"), 0)
