# SPDX-License-Identifier: Apache-2.0
"""Finds logs and reads them as blocks of whole lines."""

from __future__ import annotations

import glob
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from typing import IO, NamedTuple

from nova_profiler.access_logs.compression import (
    LONGEST_MAGIC,
    Damaged,
    Reader,
    compression_of,
    opened,
)
from nova_profiler.access_logs.unread import Unread
from nova_profiler.dump_store.names import (
    COMPANION_SUFFIXES,
    DUMP_SUFFIX,
    is_stem,
)

STDIN = "-"
# What is made of a larger one is no longer in the processor's cache.
BLOCK_BYTES = 256 * 1024
LONGEST_LINE = 1024 * 1024

# What is looked at to tell the kind and the year of a file.
HEAD_BYTES = 8 * 1024

_READ_BYTES = 256 * 1024

MISSING = "no such file"
DUMP = "dump; show and calls read it from its --dump-dir"
NOT_READABLE = "file that cannot be read"
TWICE = "file named twice"
BINARY = "binary file"
DAMAGED = "damaged archive, read as far as it goes"
LONG_LINE = "line longer than 1 MiB"


class Source(NamedTuple):
    """One log: a file, a pipe or standard input.

    ``path`` is None for standard input; ``size`` is what it takes on disk,
    None where only reading tells; ``modified`` helps to find the year of
    lines that have none. ``local`` is the zone of stamps that name none.
    """

    name: str
    path: str | None
    size: int | None
    modified: float
    compression: str | None = None
    local: tzinfo | None = None

    @property
    def is_splittable(self) -> bool:
        """Tell whether it can be read from any offset."""
        return self.size is not None and self.compression is None


def sources_of(
    paths: Iterable[str], unread: Unread, local: tzinfo | None = None
) -> list[Source]:
    """Return the logs that *paths* name: files, folders, globs and ``-``.

    Folders are searched to their end, in the order of names. A path that
    leads to nothing, to a file a second time, or to a dump, whose request
    the log_file tells of, is noted in *unread*.
    *local* is the zone of stamps that name none; without it they are UTC.
    """
    found = []
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for name in _names_of(path):
            source = _source_of(name, seen, unread)
            if source is not None:
                found.append(source._replace(local=local))
    return found


def blocks_of(
    source: Source,
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
    start: int = 0,
    end: int | None = None,
) -> Iterator[bytes]:
    """Yield the text of *source* in blocks that end where a line ends.

    From *start* to *end* are the lines that begin there: parts of a file
    that touch give each line once. *on_bytes* hears how far the reader got
    in the file on disk. What cannot be read is noted in *unread*.
    """
    try:
        with file_of(source) as file:
            yield from _blocks_of_file(
                source, file, unread, on_bytes or _unheard, start, end
            )
    except Damaged as exc:
        unread.add(DAMAGED, f"{source.name}: {exc}")
    except OSError as exc:
        unread.add(NOT_READABLE, f"{source.name}: {exc.strerror or exc}")


def source_of_file(name: str) -> Source:
    """Return the file *name*; raises OSError where it cannot be read."""
    with open(name, "rb") as file:
        found = os.fstat(file.fileno())
        compression = compression_of(file.read(LONGEST_MAGIC))
    return Source(name, name, found.st_size, found.st_mtime, compression)


@contextmanager
def file_of(source: Source) -> Iterator[IO[bytes]]:
    """Give what *source* is read from, as it is on disk or in a pipe."""
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
        # Whoever reads it as a whole will say so.
        return b""


def _unheard(count: int) -> None:
    """Nobody wants to know."""


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
                # A pipe or socket found by chance would be waited for.
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


def _blocks_of_file(
    source: Source,
    file: IO[bytes],
    unread: Unread,
    on_bytes: Callable[[int], None],
    start: int,
    end: int | None,
) -> Iterator[bytes]:
    if start:
        # The line that holds the byte before belongs to the part before.
        file.seek(start - 1)
        start += _skip_line(file) - 1
        on_bytes(0)
    compression = source.compression
    if source.size is None and hasattr(file, "peek"):
        compression = compression_of(file.peek(LONGEST_MAGIC)[:LONGEST_MAGIC])
    chunks = _chunks_of(
        opened(file, compression),
        None if end is None else end - start,
        _position_of(file, source, compression),
        on_bytes,
    )
    yield from _cut_at_lines(source, chunks, unread, is_start=not start)


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while part := file.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _position_of(
    file: IO[bytes], source: Source, compression: str | None
) -> Callable[[], int] | None:
    """Return what tells how far a compressed file was read, if it does."""
    if compression is None or source.size is None:
        return None
    return file.tell


def _chunks_of(
    reader: Reader,
    length: int | None,
    position: Callable[[], int] | None,
    on_bytes: Callable[[int], None],
) -> Iterator[bytes]:
    """Yield the text as it comes; up to the first line end past *length*."""
    seen = told = 0
    while length is None or seen < length:
        chunk = reader.read1(_READ_BYTES)
        if not chunk:
            return
        seen += len(chunk)
        if length is not None and seen >= length:
            break
        now = position() if position else seen
        on_bytes(now - told)
        told = now
        yield chunk
    else:
        return
    # The last line of this part is the one that holds its last byte.
    cut = len(chunk) - (seen - (length or 0))
    while (stop := chunk.find(b"\n", max(0, cut - 1))) < 0:
        on_bytes(len(chunk))
        yield chunk
        chunk, cut = reader.read1(_READ_BYTES), 0
        if not chunk:
            return
    on_bytes(min(cut, len(chunk)))
    yield chunk[: stop + 1]


def _cut_at_lines(
    source: Source, chunks: Iterable[bytes], unread: Unread, is_start: bool
) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    is_long = False
    try:
        for chunk in chunks:
            if is_start and is_binary(chunk):
                unread.add(BINARY, source.name)
                return
            is_start = False
            if is_long:
                stop = chunk.find(b"\n") + 1
                if not stop:
                    continue
                chunk, is_long = chunk[stop:], False
            held.append(chunk)
            size += len(chunk)
            if size < BLOCK_BYTES:
                continue
            block = b"".join(held)
            stop = block.rfind(b"\n") + 1
            rest = block[stop:]
            if stop:
                yield block[:stop]
            if len(rest) > LONGEST_LINE:
                unread.add(LONG_LINE, _start_of(source, rest))
                rest, is_long = b"", True
            held, size = [rest], len(rest)
    except Damaged:
        # What was read until here is as good as ever.
        yield b"".join(held)
        raise
    last = b"".join(held)
    if last:
        yield last


def is_binary(head: bytes) -> bool:
    """Tell whether a file that begins with *head* is no text."""
    return b"\0" in head[:HEAD_BYTES]


def _start_of(source: Source, line: bytes) -> bytes:
    return source.name.encode("utf-8", "replace") + b": " + line[:100]
