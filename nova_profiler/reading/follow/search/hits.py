# SPDX-License-Identifier: Apache-2.0
"""Finds the lines of a log that hold a text, with their tracebacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from nova_profiler.reading.logs.entries import AccessEntry

# Of a line; a longer one dumps a whole instance.
LONGEST_TEXT = 16 * 1024
# Of the lines of one traceback.
MOST_JOINED = 400


class LogLine(NamedTuple):
    """One line of a request, and the lines without a prefix after it.

    ``at`` is in seconds since 1970 UTC, None where the line has no time.
    ``entry`` is the request that ends with the line, if one does; ``half`` is
    the begin or the end of one whose time stands in no line. The line begins
    at ``offset`` of the text of ``source``.
    """

    at: float | None
    service: str
    message: str
    host: str | None = None
    level: str = ""
    logger: str = ""
    pid: int | None = None
    request_id: str | None = None
    global_request_id: str | None = None
    entry: AccessEntry | None = None
    more: tuple[str, ...] = ()
    source: str = ""
    offset: int = 0
    half: AccessEntry | None = None


class Hit(NamedTuple):
    """A line that holds a text, and the lines that continue it."""

    offset: int
    line: bytes
    more: list[bytes]


def hits_in(
    blocks: Iterable[bytes],
    needles: Sequence[bytes],
    joins: Callable[[bytes, bytes], bool],
    wanted: Callable[[bytes], object],
) -> Iterator[Hit]:
    """Yield each line of *blocks* that holds one of *needles*, once.

    *joins* is given a line and one after it, and decides whether the second
    continues the first, as a traceback's lines do. *wanted* may refuse a
    line that holds a needle.
    """
    start = 0
    last: Hit | None = None
    for block in blocks:
        at = 0
        if last is not None:
            at = _join(last, block, 0, joins)
        for first, end in _lines_with(block, needles, at):
            # This line continues a hit and is part of it.
            if first < at:
                continue
            line = _clipped(block, first, end)
            if not wanted(line):
                continue
            if last is not None:
                yield last
            last = Hit(start + first, line, [])
            at = _join(last, block, end, joins)
        start += len(block)
        if last is not None and at < len(block):
            yield last
            last = None
    if last is not None:
        yield last


def _lines_with(
    block: bytes, needles: Sequence[bytes], start: int
) -> Iterator[tuple[int, int]]:
    """Yield (first byte, byte after the end) of lines that hold a needle."""
    nearest = {needle: block.find(needle, start) for needle in needles}
    while found := [place for place in nearest.values() if place >= 0]:
        place = min(found)
        first = block.rfind(b"\n", 0, place) + 1
        end = block.find(b"\n", place) + 1 or len(block)
        yield first, end
        for needle, known in nearest.items():
            if 0 <= known < end:
                nearest[needle] = block.find(needle, end)


def _join(
    hit: Hit, block: bytes, at: int, joins: Callable[[bytes, bytes], bool]
) -> int:
    """Add the lines from *at* on that continue *hit*; return where they end.

    At the length of *block* the next block may go on with the hit.
    """
    while at < len(block):
        end = block.find(b"\n", at) + 1 or len(block)
        line = _clipped(block, at, end)
        if not joins(hit.line, line):
            return at
        if len(hit.more) < MOST_JOINED:
            hit.more.append(line)
        at = end
    return at


def _clipped(block: bytes, first: int, end: int) -> bytes:
    line = block[first : min(end, first + LONGEST_TEXT)]
    return line.rstrip(b"\r\n")
