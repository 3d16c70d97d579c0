# SPDX-License-Identifier: Apache-2.0
"""Follows the frames of one copy from the last one out to a mark."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.layouts import Layout
from nova_profiler.capture.profilers.stacks.reader.memory import Memory
from nova_profiler.capture.profilers.stacks.reader.stack.places import (
    StackPlaces,
)

# Frames of one stack.
MOST_FRAMES = 10_000
# Frames read by themselves in one walk, a page at a time.
_MOST_PAGES = 400
_PAGE = 4096
# Owners from here on: frames of the interpreter's own, which have no code.
_NO_CODE = 3

# Address, code and instruction of a frame; code 0: none of its own.
Frame = tuple[int, int, int]


class Torn(Exception):
    """What was copied is no stack."""


class Unmarked(Torn):
    """The stack goes on to its end without any of the marks."""


class Walk(NamedTuple):
    """A stack: its last frames, the last first, and how many are kept.

    *mark* is the code that it begins with, if none is kept. Those *missed*
    were read later than the copy.
    """

    fresh: list[Frame]
    kept: int
    missed: int
    mark: int


class Walker:
    """Walks of one thread's copies."""

    def __init__(
        self, memory: Memory, layout: Layout, places: StackPlaces
    ) -> None:
        self._memory = memory
        self._places = places
        form, self._order = frame_struct(layout)
        self._unpack = form.unpack_from
        self.image = b""
        # Frames that the copy did not have.
        self.missing: list[int] = []

    def begin(
        self,
        image: bytes,
        kept: int,
        numbers: Mapping[int, int],
        marks: Collection[int],
    ) -> None:
        """Have the next walks follow *image*.

        The first *kept* frames, whose *numbers* are by address, are as they
        were; a walk ends there, or at one of *marks*.
        """
        self.image = image
        self._kept, self._numbers = kept, numbers
        self._marks = marks
        self.missing = []
        self._pages: dict[int, bytes] = {}

    def walk(self, frame: int, again: bool = False) -> Walk:
        """Return the stack whose last frame is *frame*.

        Frames of the top are taken from its first copy, or from the second.
        """
        places, unpack, image = self._places, self._unpack, self.image
        code_at, previous_at, instruction_at, *owner_at = self._order
        owner = owner_at[0] if owner_at else -1
        numbers, kept, marks = self._numbers, self._kept, self._marks
        size = places.frame_until - places.frame_from
        main, shift = places.main, places.frame_from
        start, end, at, top = 0, -1, 0, 0
        if main is not None:
            start, end = main.start - shift, main.end - places.frame_until
            at, top = main.at + shift, places.top.start - shift
            again_at = places.top.again + shift
        fresh: list[Frame] = []
        missed = 0
        while frame:
            number = numbers.get(frame, kept)
            # That a frame is as it was is known of the first copies.
            if number < kept and not (again and places.is_doubled(frame)):
                return Walk(fresh, number + 1, missed, 0)
            if start <= frame <= end:
                place = again_at if again and frame >= top else at
                found = unpack(image, place + frame)
            else:
                raw, place = self._elsewhere(frame + shift, size, again)
                missed += raw is not image
                found = unpack(raw, place)
            code = found[code_at]
            if owner >= 0 and found[owner] >= _NO_CODE:
                code = 0
            fresh.append((frame, code, found[instruction_at]))
            if code in marks:
                return Walk(fresh, 0, missed, code)
            frame = found[previous_at]
            if len(fresh) > MOST_FRAMES:
                raise Torn
        raise Unmarked

    def _elsewhere(
        self, place: int, size: int, again: bool
    ) -> tuple[bytes, int]:
        """Return bytes, and where in them what is at *place* begins."""
        piece = self._places.piece_of(place)
        if piece is not None and place + size <= piece.end:
            return self.image, (piece.again if again else piece.at) + place
        self.missing.append(place - self._places.frame_from)
        page = place & -_PAGE
        raw = self._pages.get(page)
        if raw is None:
            if len(self._pages) >= _MOST_PAGES:
                raise Torn
            raw = self._pages[page] = self._memory.content(page, _PAGE)
        if place - page + size <= len(raw):
            return raw, place - page
        # It lies across the border of two.
        raw = self._memory.content(place, size)
        if len(raw) < size:
            raise Torn
        return raw, 0


def frame_struct(layout: Layout) -> tuple[struct.Struct, list[int]]:
    """Return what unpacks a frame, from its first wanted byte on.

    With where in what it returns code, caller, instruction and owner are; a
    frame without an owner has the number of its instruction there again.
    """
    parts = {
        layout.frame_code: "Q",
        layout.frame_previous: "Q",
        layout.frame_instruction: "Q" if layout.code_start else "i",
    }
    if layout.frame_owner >= 0:
        parts[layout.frame_owner] = "B"
    form, at = "<", min(parts)
    for offset in sorted(parts):
        form += f"{offset - at}x" * (offset > at) + parts[offset]
        at = offset + struct.calcsize(parts[offset])
    order = sorted(parts)
    wanted = [
        layout.frame_code,
        layout.frame_previous,
        layout.frame_instruction,
    ]
    if layout.frame_owner >= 0:
        wanted.append(layout.frame_owner)
    return struct.Struct(form), [order.index(one) for one in wanted]


def with_frames(walk: Walk, kept: int, frames: Sequence[Frame]) -> Walk:
    """Return *walk* with only the first *kept* of *frames* kept."""
    fresh = walk.fresh + list(reversed(frames[kept : walk.kept]))
    # The outermost frame is the mark's.
    mark = fresh[-1][1] if fresh and not kept else 0
    return Walk(fresh, kept, walk.missed, mark)


def is_alike(one: Walk, two: Walk) -> bool:
    """Return whether two walks may be one stack, whose last frame goes on.

    Its callers stand where they were: a generator's memory may meanwhile
    have been another's and be the same function's again.
    """
    if one.kept != two.kept or len(one.fresh) != len(two.fresh):
        return False
    if not one.fresh:
        return True
    return one.fresh[0][:2] == two.fresh[0][:2] and (
        one.fresh[1:] == two.fresh[1:]
    )


def common_part(one: Walk, two: Walk) -> Walk:
    """Return what two walks have in common, from the outermost frame on.

    Raises Torn where that is nothing.
    """
    kept = min(one.kept, two.kept)
    n = 0
    if one.kept == two.kept:
        for a, b in zip(
            reversed(one.fresh), reversed(two.fresh), strict=False
        ):
            if a[:2] != b[:2]:
                break
            n += 1
    if not n and not kept:
        raise Torn
    return one._replace(fresh=one.fresh[len(one.fresh) - n :], kept=kept)
