# SPDX-License-Identifier: Apache-2.0
"""Places of a copy for frames that lie anywhere, such as a generator's.

A frame that is new gets one of them: not all places are put in order anew for
it, and the rest can be compared with the last copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nova_profiler.capture.profilers.stacks.reader.memory import Places
from nova_profiler.capture.profilers.stacks.reader.stack.pieces import (
    FAR,
    Piece,
)

_ROOMS = 8


class Rooms:
    """The rooms of one thread's copies, each copied twice."""

    def __init__(
        self, places: Places, thread: int, frame_from: int, frame_until: int
    ) -> None:
        """*frame_from* and *frame_until* are what is wanted of a frame."""
        self._places = places
        # An empty room is copied from there, where something surely is.
        self._thread = thread
        self._shift = frame_from
        self._size = frame_until - frame_from
        self.forget()

    def forget(self) -> None:
        """Empty all, and compare nothing with the last copy."""
        self.all = [Piece(0, 0) for _ in range(_ROOMS)]
        self._of: dict[int, Piece] = {}
        self._turn = 0
        # From this frame on nothing can be compared with the last copy.
        self.stale = FAR

    def add_first(self, at: int) -> tuple[int, bool]:
        """Add the first copies, which begin *at*; return where they end.

        And whether there was room for them.
        """
        self._at, self._first = at, self._places.count
        return self._added(at)

    def add_again(self, at: int) -> tuple[int, bool]:
        """Do the same with the second copies."""
        self._again_at, self._again = at, self._places.count
        return self._added(at)

    def _added(self, at: int) -> tuple[int, bool]:
        ok = True
        for _ in range(_ROOMS):
            ok &= self._places.add(self._thread, self._size, at)
            at += self._size
        return at, ok

    def place_all(self) -> None:
        """Have all copied from where they are, after they were added."""
        for number, one in enumerate(self.all):
            self._place(number, one.start)

    def _place(self, number: int, start: int) -> None:
        one = self.all[number]
        one.start, one.end = start, start + self._size if start else 0
        one.at = self._at + number * self._size - start
        one.again = self._again_at + number * self._size - start
        place = start or self._thread
        self._places.move(self._first + number, place)
        self._places.move(self._again + number, place)

    def of(self, frame: int) -> Piece | None:
        """Return the room of *frame*, None if it has none."""
        return self._of.get(frame)

    def used(self) -> Iterator[Piece]:
        """Return the rooms that are not empty."""
        return iter(self._of.values())

    def give(self, missing: Sequence[int], frames: Collection[int]) -> bool:
        """Have the frames *missing* copied as well.

        Those of *frames*, the stack as it is, keep their rooms. Returns
        False where there are too few.
        """
        free = [
            number % _ROOMS
            for number in range(self._turn, self._turn + _ROOMS)
            if self.all[number % _ROOMS].start - self._shift not in frames
        ]
        wanted = dict.fromkeys(missing)
        if len(free) < len(wanted):
            return False
        for frame, number in zip(wanted, free, strict=False):
            self._empty(number)
            self._of[frame] = self.all[number]
            self._place(number, frame + self._shift)
            # It is the last one to be given again.
            self._turn = number + 1
        return True

    def _empty(self, number: int) -> None:
        one = self.all[number]
        self._of.pop(one.start - self._shift, None)
        self.stale = min(self.stale, one.first)
        one.first = FAR
        self._place(number, 0)

    def leave_out(self, start: int) -> bool:
        """Empty the rooms of what is at *start*; return if there is any."""
        found = [n for n, one in enumerate(self.all) if one.start == start]
        for number in found:
            self._empty(number)
        return bool(found)
