# SPDX-License-Identifier: Apache-2.0
"""Finds logs: names, folders and patterns become sources to read."""

from __future__ import annotations

import glob
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from typing import IO, NamedTuple

from nova_profiler.dump_store.names import (
    COMPANION_SUFFIXES,
    DUMP_SUFFIX,
    is_stem,
)
from nova_profiler.reading.logs.files.compression import (
    LONGEST_MAGIC,
    Damaged,
    compression_of,
    opened,
)
from nova_profiler.reading.logs.unread import Unread

STDIN = "-"

# The kind and the year of a file are found in so much of its text.
HEAD_BYTES = 8 * 1024

MISSING = "no such file"
DUMP = "dump; show and calls read it from its --dump-dir"
NOT_READABLE = "file that cannot be read"
TWICE = "file named twice"
BINARY = "binary file"


class Source(NamedTuple):
    """One log: a file, a pipe or standard input.

    ``path`` is None for standard input, ``size`` is the bytes on disk, None
    for a pipe. ``modified`` helps to find the year of lines without one.
    ``local`` is the zone of stamps without one, None for UTC.
    """

    name: str
    path: str | None
    size: int | None
    modified: float
    compression: str | None = None
    local: tzinfo | None = None

    @property
    def is_splittable(self) -> bool:
        """Tell whether the log can be read from any offset."""
        return self.size is not None and self.compression is None


def sources_of(
    paths: Iterable[str], unread: Unread, local: tzinfo | None = None
) -> list[Source]:
    """Return the logs that *paths* name: files, folders, globs and ``-``.

    Folders are searched with all below them, in the order of names.
    *unread* notes a path that leads to nothing, to a file a second time, or
    to a dump, whose request is in the log_file as well. *local* is the zone
    of stamps without one, None for UTC.
    """
    found = []
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for name in _names_of(path):
            source = _source_of(name, seen, unread)
            if source is not None:
                found.append(source._replace(local=local))
    return found


def source_of_file(name: str) -> Source:
    """Return the file *name*; raises OSError where it cannot be read."""
    with open(name, "rb") as file:
        found = os.fstat(file.fileno())
        compression = compression_of(file.read(LONGEST_MAGIC))
    return Source(name, name, found.st_size, found.st_mtime, compression)


@contextmanager
def file_of(source: Source) -> Iterator[IO[bytes]]:
    """Give the open file of *source*, still compressed if it is."""
    if source.path is None:
        yield sys.stdin.buffer
    else:
        with open(source.path, "rb") as file:
            yield file


def head_of(source: Source) -> bytes:
    """Return the first few KiB of a file's text, nothing of a pipe."""
    if source.size is None:
        return b""
    try:
        with file_of(source) as file:
            return opened(file, source.compression).read1(HEAD_BYTES)
    except (Damaged, OSError):
        # The reader of the whole file notes why.
        return b""


def _names_of(path: str) -> Iterator[str]:
    if path == STDIN:
        yield path
    elif os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".")
            )
            for name in sorted(names):
                whole = os.path.join(folder, name)
                # Opening a pipe or socket found by chance could wait for ever.
                if not name.startswith(".") and os.path.isfile(whole):
                    yield whole
    elif not os.path.lexists(path) and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            yield path
        for match in matches:
            yield from _names_of(match)
    else:
        yield path


def _is_dump(name: str) -> bool:
    stem, suffix = os.path.splitext(os.path.basename(name))
    return suffix in (DUMP_SUFFIX, *COMPANION_SUFFIXES) and is_stem(stem)


def _source_of(
    name: str, seen: set[tuple[int, int]], unread: Unread
) -> Source | None:
    if name == STDIN:
        if (0, 0) in seen:
            unread.add(TWICE, "standard input")
            return None
        seen.add((0, 0))
        return Source("standard input", None, None, time.time())
    if _is_dump(name):
        unread.add(DUMP, name)
        return None
    try:
        found = os.stat(name)
        if not stat.S_ISREG(found.st_mode):
            return Source(name, name, None, time.time())
        if (found.st_dev, found.st_ino) in seen:
            unread.add(TWICE, name)
            return None
        seen.add((found.st_dev, found.st_ino))
        return source_of_file(name)
    except FileNotFoundError:
        unread.add(MISSING, name)
        return None
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        unread.add(NOT_READABLE, f"{name}: {reason}")
        return None


def is_binary(head: bytes) -> bool:
    """Tell whether a file that begins with *head* is binary."""
    return b"\0" in head[:HEAD_BYTES]
