# SPDX-License-Identifier: Apache-2.0
"""Reads logs on all cores: parts of files to processes, results in order."""

from __future__ import annotations

import itertools
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import NamedTuple, TypeAlias, TypeVar

from nova_profiler.reading.logs.files.blocks import blocks_of, ignored
from nova_profiler.reading.logs.files.holes import hole_end
from nova_profiler.reading.logs.files.sources import (
    BINARY,
    HEAD_BYTES,
    Source,
    file_of,
    head_of,
    is_binary,
)
from nova_profiler.reading.logs.line_parts.stamps import Years, years_of
from nova_profiler.reading.logs.unread import ReadError, Unread
from nova_profiler.reading.process_pools import process_pool, usable_cores
from nova_profiler.trust.isolated_children import isolated_spawn

Result = TypeVar("Result")

_PART_BYTES = 8 * 1024 * 1024
_GROUP_BYTES = 4 * 1024 * 1024
# This process reads less than that before another one has started.
_WORTH_PROCESSES = 24 * 1024 * 1024
_MOST_PROCESSES = 16
# Parts that wait for each process, so that it never waits for one.
_AHEAD = 2


class Lines(NamedTuple):
    """A block of whole lines, and what helps to read them."""

    block: bytes
    file: str
    years: Years
    stated: tuple[str, ...] = ()


# Makes a result of one part's lines; other processes import it by its name.
PartReader: TypeAlias = Callable[[Iterable[Lines], Unread], Result]


class _Part(NamedTuple):
    source: Source
    years: Years
    size: int
    start: int = 0
    end: int | None = None
    # The text itself, of a source that cannot be read from any offset.
    blocks: tuple[bytes, ...] | None = None


def read_in_parts(
    read: PartReader[Result],
    sources: Iterable[Source],
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
    processes: int | None = None,
    part_bytes: int | None = None,
) -> Iterator[Result]:
    """Yield what *read* makes of each part of *sources*, in their order.

    This process reads small logs; one process for each core reads larger
    ones. Memory holds a few parts, of *part_bytes* each, however long a log
    is. *on_bytes* hears how much of the files on disk was read.
    """
    hear = on_bytes or ignored
    parts = _parts_of(sources, unread, hear, part_bytes or _PART_BYTES)
    first: list[_Part] = []
    size = 0
    for part in parts:
        first.append(part)
        size += part.size
        if size > _WORTH_PROCESSES:
            break
    count = processes or min(_MOST_PROCESSES, usable_cores())
    if size <= _WORTH_PROCESSES or count == 1:
        results = _read_here(read, itertools.chain(first, parts))
    else:
        results = _read_by(count, read, itertools.chain(first, parts))
    for done, (result, part_unread) in results:
        unread.merge(part_unread)
        if done.blocks is None:
            hear(done.size)
        yield result


def _parts_of(
    sources: Iterable[Source],
    unread: Unread,
    on_bytes: Callable[[int], None],
    part_bytes: int,
) -> Iterator[_Part]:
    for source in sources:
        if source.is_splittable and source.size is not None:
            yield from _ranges_of(source, source.size, unread, part_bytes)
            continue
        years = None
        for blocks in _grouped(blocks_of(source, unread, on_bytes)):
            # A pipe can be read once: its first block is its head.
            years = years or years_of(
                blocks[0][:HEAD_BYTES], source.modified, source.local
            )
            size = sum(map(len, blocks))
            yield _Part(source, years, size, blocks=blocks)


def _grouped(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Yield *blocks* in groups that are worth handing to a process."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _GROUP_BYTES:
            yield tuple(held)
            held, size = [], 0
    if held:
        yield tuple(held)


def _ranges_of(
    source: Source, size: int, unread: Unread, part_bytes: int
) -> Iterator[_Part]:
    head = head_of(source)
    if is_binary(head):
        unread.add(BINARY, source.name)
        return
    years = years_of(head, source.modified, source.local)
    for start in _starts_of(source, size, part_bytes):
        end = min(size, start + part_bytes)
        yield _Part(source, years, end - start, start, end)


def _starts_of(source: Source, size: int, part_bytes: int) -> Iterator[int]:
    """Yield where parts begin, but those in which no line does.

    These lie in a hole, which may be as large as a thousand disks.
    """
    start = 0
    while start < size:
        yield start
        start += part_bytes
        with suppress(OSError), file_of(source) as file:
            # A line may begin where the hole does.
            text = hole_end(file.fileno(), start - 1)
            if text > start:
                start += (text - start) // part_bytes * part_bytes


def _read_here(
    read: PartReader[Result], parts: Iterable[_Part]
) -> Iterator[tuple[_Part, tuple[Result, Unread]]]:
    for part in parts:
        yield part, _read_part(read, part)


def _read_by(
    count: int, read: PartReader[Result], parts: Iterable[_Part]
) -> Iterator[tuple[_Part, tuple[Result, Unread]]]:
    waiting: deque[tuple[_Part, Future[tuple[Result, Unread]]]] = deque()
    try:
        # A fork would copy the caller's threads, such as a progress bar's.
        with (
            isolated_spawn() as spawn,
            process_pool(count, spawn, _leave_ctrl_c_to_parent) as pool,
        ):
            for part in parts:
                waiting.append((part, pool.submit(_read_part, read, part)))
                if len(waiting) >= count * (1 + _AHEAD):
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
    except BrokenProcessPool as exc:
        raise ReadError(
            "a reading process was killed; is there memory left?"
        ) from exc


def _leave_ctrl_c_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_part(read: PartReader[Result], part: _Part) -> tuple[Result, Unread]:
    unread = Unread()
    return read(_lines_of(part, unread), unread), unread


def _lines_of(part: _Part, unread: Unread) -> Iterator[Lines]:
    blocks = part.blocks or blocks_of(
        part.source, unread, None, part.start, part.end
    )
    for block in blocks:
        source = part.source
        yield Lines(block, source.name, part.years, source.stated)
