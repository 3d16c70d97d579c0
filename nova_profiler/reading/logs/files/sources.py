# SPDX-License-Identifier: Apache-2.0
"""Finds logs: names, folders and patterns become sources to read."""

from __future__ import annotations

import errno
import glob
import os
import re
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
    Damaged,
    Reader,
    compression_of,
    opened,
)
from nova_profiler.reading.logs.files.recoding import (
    PACKING_BYTES,
    packing_of,
    unpacked,
)
from nova_profiler.reading.logs.unread import Unread

STDIN = "-"

# The kind and the year of a file are found in so much of its text.
HEAD_BYTES = 8 * 1024

# No line of text begins with one of these.
_CONTROLS = frozenset(bytes([code]) for code in range(1, 9))
_PACKED_NAME = re.compile(r"\.(?:json|csv)\.\w{2,4}\Z")

MISSING = "no such file"
DUMP = "dump, which show and calls read with --dump-dir"
NOT_READABLE = "file that cannot be read"
TWICE = "file named twice"
LINK_OUT = "link out of its folder; name the file itself to have it read"
NO_FILE = "neither file nor pipe"
BINARY = "binary file"


class Source(NamedTuple):
    """One log: a file, a pipe or standard input.

    ``path`` is None for standard input, ``size`` is the bytes on disk, None
    for a pipe. ``modified`` helps to find the year of lines without one.
    ``local`` is the zone of stamps without one, None for UTC. ``packing`` is
    how records are packed within the text, None for lines. ``stated`` are
    the formats of lines that the user stated.
    """

    name: str
    path: str | None
    size: int | None
    modified: float
    compression: str | None = None
    local: tzinfo | None = None
    packing: str | None = None
    stated: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Return whether the file's bytes are the text itself."""
        return self.compression is None and self.packing is None

    @property
    def is_splittable(self) -> bool:
        """Return whether the log can be read from any offset."""
        return self.size is not None and self.is_plain

    def text_in(self, file: IO[bytes], compression: str | None) -> Reader:
        """Return the text of the open *file*; see ``opened``."""
        return unpacked(opened(file, compression), self.packing)


def sources_of(
    paths: Iterable[str],
    unread: Unread,
    local: tzinfo | None = None,
    stated: tuple[str, ...] = (),
    folder: str | None = None,
) -> list[Source]:
    """Return the logs that *paths* name: files, folders, globs and ``-``.

    Folders are searched with all below them, in the order of names.
    *unread* notes a path that leads to nothing, to a file a second time, or
    to a dump, whose request is in the log_file as well. It notes devices, and
    links in a folder, or of a pattern, that lead out of it: a stranger may
    have put them there. *local* is the zone of stamps without one, None for
    UTC, and *stated* are formats that the user stated. *paths* that were
    found in a *folder* are as its own files are.
    """
    found = []
    seen: set[tuple[int, int]] = set()
    searched = None if folder is None else os.path.realpath(folder)
    for path in paths:
        for name, found_in in _names_of(path):
            within = searched or found_in
            source = _source_of(name, within, seen, unread)
            if source is not None:
                found.append(source._replace(local=local, stated=stated))
    return found


def source_of_file(name: str) -> Source:
    """Return the file *name*; raises OSError where it cannot be read."""
    with _regular(name) as file:
        found = os.fstat(file.fileno())
        head = file.read(PACKING_BYTES)
        compression = compression_of(head)
        if compression is not None and _PACKED_NAME.search(name):
            # Of other archives the packing is not worth opening them twice.
            file.seek(0)
            head = _head_in(file, compression)
    return Source(
        name,
        name,
        found.st_size,
        found.st_mtime,
        compression,
        packing=packing_of(head),
    )


def _head_in(file: IO[bytes], compression: str) -> bytes:
    try:
        return opened(file, compression).read1(PACKING_BYTES)
    except Damaged:
        # The reader of the whole file notes why.
        return b""


@contextmanager
def file_of(source: Source) -> Iterator[IO[bytes]]:
    """Give the open file of *source*, still compressed if it is."""
    if source.path is None:
        yield sys.stdin.buffer
    elif source.size is None:
        with open(source.path, "rb") as file:
            yield file
    else:
        with _regular(source.path) as file:
            yield file


def _regular(path: str) -> IO[bytes]:
    """Return the open file *path*; raises OSError for what is none."""
    file = open(path, "rb", opener=without_waiting)  # noqa: SIM115  # caller's
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no file any more")
    return file


def without_waiting(path: str, flags: int) -> int:
    """Open a file as open() has its opener do; a pipe is at its end."""
    return os.open(path, flags | os.O_NONBLOCK)


def head_of(source: Source, size: int = HEAD_BYTES) -> bytes:
    """Return the first *size* bytes of a file's text, nothing of a pipe."""
    if source.size is None:
        return b""
    try:
        with file_of(source) as file:
            return source.text_in(file, source.compression).read1(size)
    except (Damaged, OSError):
        # The reader of the whole file notes why.
        return b""


def _names_of(path: str) -> Iterator[tuple[str, str | None]]:
    """Yield the files of *path*, each with the folder that it must lie in.

    None for a file that was named itself.
    """
    if path == STDIN:
        yield path, None
    elif os.path.isdir(path):
        yield from _below(path, os.path.realpath(path))
    elif not os.path.lexists(path) and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            yield path, None
        within = _folder_of_pattern(path)
        for match in matches:
            if os.path.isdir(match) and _is_within(match, within):
                yield from _below(match, within)
            else:
                yield match, within
    else:
        yield path, None


def _below(path: str, within: str) -> Iterator[tuple[str, str]]:
    """Yield the files below the folder *path*, in the order of names."""
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".")
        )
        links = [
            name
            for name in folders
            if os.path.islink(os.path.join(folder, name))
        ]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                yield os.path.join(folder, name), within


def _folder_of_pattern(path: str) -> str:
    """Return the folder of *path* up to its first wildcard."""
    while glob.has_magic(path):
        path = os.path.dirname(path)
    return os.path.realpath(path or os.curdir)


def _is_within(path: str, folder: str) -> bool:
    real = os.path.realpath(path)
    return real == folder or real.startswith(os.path.join(folder, ""))


def _is_dump(name: str) -> bool:
    stem, suffix = os.path.splitext(os.path.basename(name))
    return suffix in (DUMP_SUFFIX, *COMPANION_SUFFIXES) and is_stem(stem)


def _is_part_of_dump(name: str) -> bool:
    """Return whether *name* is stacks, beside the dump that counts."""
    stem, suffix = os.path.splitext(name)
    return suffix != DUMP_SUFFIX and os.path.lexists(stem + DUMP_SUFFIX)


def _source_of(
    name: str,
    within: str | None,
    seen: set[tuple[int, int]],
    unread: Unread,
) -> Source | None:
    if name == STDIN and within is None:
        if (0, 0) in seen:
            unread.add(TWICE, "standard input")
            return None
        seen.add((0, 0))
        return Source("standard input", None, None, time.time())
    try:
        if within is not None and not _is_within(name, within):
            unread.add(LINK_OUT, name)
            return None
        if _is_dump(name):
            if within is None or not _is_part_of_dump(name):
                unread.add(DUMP, name)
            return None
        found = os.stat(name)
        if not stat.S_ISREG(found.st_mode):
            return _pipe_of(name, within, found, unread)
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


def _pipe_of(
    name: str, within: str | None, found: os.stat_result, unread: Unread
) -> Source | None:
    """Return the pipe, or terminal, *name*; devices have no end.

    One that was found by chance could have us wait for ever.
    """
    is_pipe = stat.S_ISFIFO(found.st_mode) or _is_standard_input(found)
    if is_pipe and within is None:
        return Source(name, name, None, time.time())
    # A link to a folder within the same one is searched there.
    if not stat.S_ISDIR(found.st_mode):
        unread.add(NO_FILE, name)
    return None


def _is_standard_input(found: os.stat_result) -> bool:
    """Return whether *found* is the terminal of standard input."""
    try:
        return os.isatty(0) and os.path.samestat(found, os.fstat(0))
    except OSError:
        return False


def is_binary(head: bytes) -> bool:
    """Return whether a file that begins with *head* is binary."""
    # Rotation by copying leaves a hole of zeros where the text was.
    text = head[:HEAD_BYTES].lstrip(b"\0")
    return b"\0" in text or (head[:1] == b"\0" and text[:1] in _CONTROLS)
