# SPDX-License-Identifier: Apache-2.0
"""Pieces of memory that frames lie in, and how far a stack reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Frames nearer to each other than this are copied as one.
_GAP = 1024
# Above where the stack ended lately.
ROOM_ABOVE = 32_768
_SLACK = 2048
# So much of the top is copied twice, at least.
_TOP = 2048
# What has no place yet, or no limit.
FAR = 1 << 62


class Piece:
    """A piece of the other process: start, end, and where its copies are.

    A byte at an address is at ``at + address`` in the buffer, the second
    copy of it at ``again + address``.
    """

    __slots__ = ("again", "at", "end", "first", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.at = self.again = 0
        # The outermost frame in it, by its number in the stack.
        self.first = FAR


class Reach:
    """How far a stack reached lately, in the chunk that is in use."""

    __slots__ = ("chunk", "high", "low", "span")

    def __init__(
        self, low: int = FAR, chunk: tuple[int, int] = (0, 0)
    ) -> None:
        # Start and end of what is copied of the chunk whatever lies there.
        self.span: tuple[int, int] | None = None
        self.chunk = chunk
        # How far up it went, and the lowest place of a last frame.
        self.high, self.low = 0, low


def joined(wanted: Iterable[tuple[int, int]]) -> list[Piece]:
    """Return the pieces that have all places *wanted*, in order."""
    pieces: list[Piece] = []
    last = None
    for start, end in sorted(wanted):
        if last is not None and start - last.end < _GAP:
            last.end = max(end, last.end)
        else:
            last = Piece(start, end)
            pieces.append(last)
    return pieces


def main_of(pieces: Sequence[Piece], chunk: tuple[int, int]) -> Piece | None:
    """Return the largest piece, of those in the chunk if any is."""
    start, end = chunk
    return max(
        pieces,
        key=lambda one: (start <= one.start < end, one.end - one.start),
        default=None,
    )


def make_room(main: Piece, reach: Reach) -> int:
    """Have room for what is called next; return where the top begins."""
    start, end = reach.chunk
    # The last frame seen lately that lay lowest is in the top as well.
    lowest = min(main.end, reach.low) - _TOP
    if start <= main.start < end:
        reach.high = max(main.end, min(reach.high, main.end + ROOM_ABOVE))
        # What is above the chunk may not be mapped: never beyond its end.
        main.end = max(main.end, min(reach.high + _SLACK, end))
    return max(main.start, min(lowest, main.end - _TOP))
