# SPDX-License-Identifier: Apache-2.0
"""Reads a source as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

from nova_profiler.reading.logs.files.compression import (
    LONGEST_MAGIC,
    Damaged,
    Reader,
    compression_of,
)
from nova_profiler.reading.logs.files.halves import with_joined_halves
from nova_profiler.reading.logs.files.holes import WithoutHoles, is_zeros
from nova_profiler.reading.logs.files.sources import (
    BINARY,
    NOT_READABLE,
    Source,
    file_of,
    is_binary,
)
from nova_profiler.reading.logs.unread import Unread

# A larger block would no longer be in the processor's cache.
BLOCK_BYTES = 256 * 1024
LONGEST_LINE = 1024 * 1024

_READ_BYTES = 256 * 1024

DAMAGED = "damaged archive, read as far as it goes"
LONG_LINE = "line longer than 1 MiB"


def blocks_of(
    source: Source,
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
    start: int = 0,
    end: int | None = None,
) -> Iterator[bytes]:
    """Yield the text of *source* in blocks that end where a line ends.

    A part, from *start* to *end*, has the lines that begin in it: parts that
    touch give each line once. *on_bytes* hears how far the reader got in the
    file on disk. *unread* notes what cannot be read.
    """
    try:
        with file_of(source) as file:
            yield from _blocks_of_file(
                source, file, unread, on_bytes or ignored, start, end
            )
    except Damaged as exc:
        unread.add(DAMAGED, f"{source.name}: {exc}")
    except OSError as exc:
        unread.add(NOT_READABLE, f"{source.name}: {exc.strerror or exc}")


def ignored(count: int) -> None:
    """Take no notice of *count*: what ``on_bytes`` is by default."""


def _blocks_of_file(
    source: Source,
    file: IO[bytes],
    unread: Unread,
    on_bytes: Callable[[int], None],
    start: int,
    end: int | None,
) -> Iterator[bytes]:
    compression = source.compression
    if source.size is None and hasattr(file, "peek"):
        compression = compression_of(file.peek(LONGEST_MAGIC)[:LONGEST_MAGIC])
    is_plain = source.size is not None and not (compression or source.packing)
    reader = source.text_in(file, compression)
    if is_plain:
        reader = WithoutHoles(file)
    if start:
        # The line that holds the byte before belongs to the part before.
        file.seek(start - 1)
        if not _is_line_skipped(reader, file, end):
            return
        start = file.tell()
    chunks = _counted(
        _chunks_of(reader) if end is None else _part_of(reader, file, end),
        None if source.size is None else lambda: file.tell() - start,
        on_bytes,
    )
    for block in _cut_at_lines(source, chunks, unread, is_start=not start):
        yield with_joined_halves(block)


def _is_line_skipped(reader: Reader, file: IO[bytes], end: int | None) -> bool:
    """Return whether another line begins before *end*; go there.

    No more is read for that: a line may be as long as all parts together.
    """
    while end is None or file.tell() < end:
        at = file.tell()
        left = _READ_BYTES if end is None else end - at
        chunk = reader.read1(min(left, _READ_BYTES))
        stop = chunk.find(b"\n") + 1
        if stop:
            file.seek(at + stop)
            return at + stop != end
        if not chunk:
            break
    return False


def _counted(
    chunks: Iterable[bytes],
    position: Callable[[], int] | None,
    on_bytes: Callable[[int], None],
) -> Iterator[bytes]:
    """Yield *chunks*; *on_bytes* hears of each before."""
    seen = heard = 0
    for chunk in chunks:
        seen += len(chunk)
        now = position() if position else seen
        on_bytes(now - heard)
        heard = now
        yield chunk


def _chunks_of(reader: Reader) -> Iterator[bytes]:
    while chunk := reader.read1(_READ_BYTES):
        yield chunk


def _part_of(reader: Reader, file: IO[bytes], end: int) -> Iterator[bytes]:
    """Yield the text of *file* up to *end*, and the rest of the last line."""
    chunk = b""
    while (left := end - file.tell()) > 0 and (
        chunk := reader.read1(min(left, _READ_BYTES))
    ):
        yield chunk
    if chunk and not chunk.endswith(b"\n"):
        yield from _to_line_end(reader)


def _to_line_end(reader: Reader) -> Iterator[bytes]:
    """Yield the rest of a line."""
    stop = 0
    while not stop and (chunk := reader.read1(_READ_BYTES)):
        stop = chunk.find(b"\n") + 1
        yield chunk[:stop] if stop else chunk


def _cut_at_lines(
    source: Source, chunks: Iterable[bytes], unread: Unread, is_start: bool
) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    is_long = is_hole = False
    try:
        for chunk in chunks:
            if is_zeros(chunk):
                is_hole = is_start
                continue
            if is_start and is_binary(chunk):
                unread.add(BINARY, source.name)
                return
            if chunk[:1] == b"\0":
                chunk = chunk.lstrip(b"\0")
            is_start = is_hole = False
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
        # The text before the damage is good.
        yield b"".join(held)
        raise
    if is_hole:
        # Zeros and nothing else.
        unread.add(BINARY, source.name)
    last = b"".join(held)
    if last:
        yield last


def _start_of(source: Source, line: bytes) -> bytes:
    return source.name.encode("utf-8", "replace") + b": " + line[:100]
