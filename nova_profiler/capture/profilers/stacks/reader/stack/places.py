# SPDX-License-Identifier: Apache-2.0
"""Which places a copy of one thread's stack has, and in which order.

What changes most is copied twice: before and after the pointer to the frame
that runs. That is the top of the stack, wherever its frames lie.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from nova_profiler.capture.profilers.stacks.layouts import Layout
from nova_profiler.capture.profilers.stacks.reader.memory import (
    Memory,
    Places,
)
from nova_profiler.capture.profilers.stacks.reader.stack.pieces import (
    Piece,
    Reach,
    joined,
    main_of,
    make_room,
)
from nova_profiler.capture.profilers.stacks.reader.stack.rooms import Rooms

# Where things lie in the local buffer.
THREAD, CFRAMES, AGAIN, _IMAGE = 0, 1024, 1536, 2048
_MOST_PLACES = 600
# Pointers to the frame that were seen on the C stack, each with its room.
MOST_CFRAMES = 4
CFRAME_SIZE = 16
# Frames from the last on that are copied twice wherever they lie.
_NEAR = 6


class StackPlaces:
    """The places of one thread's stack, as they are copied."""

    def __init__(
        self, memory: Memory, thread: int, layout: Layout, is_green: bool
    ) -> None:
        """*is_green*: its whole stack may be exchanged for another one."""
        self._is_green = is_green
        self._thread = thread
        self._layout = layout
        self.places = Places(
            memory.pid, len(memory.buffer), _MOST_PLACES, memory.buffer
        )
        parts = [
            layout.frame_code,
            layout.frame_previous,
            layout.frame_instruction,
            layout.frame_owner,
        ]
        # What is wanted of a frame lies between these two.
        self.frame_from = min(part for part in parts if part >= 0)
        self.frame_until = (max(parts) + 8) & -8
        if max(parts) == layout.frame_instruction:
            self.frame_until = layout.frame_instruction + 8
        self._thread_size = 8 + max(
            layout.thread_frame, layout.thread_chunk, layout.thread_top
        )
        # Which order of the places this is.
        self.version = 0
        self.rooms = Rooms(
            self.places, thread, self.frame_from, self.frame_until
        )
        self.forget()

    def forget(self) -> None:
        """Begin anew, as with a thread that was never seen."""
        self.cframes: list[int] = []
        self._turn = 0
        self.rooms.forget()
        self.lay_out((), Reach())

    def lay_out(self, frames: Sequence[int], reach: Reach) -> bool:
        """Have *frames* and what is in *reach* copied from now on.

        Returns False where that is too much; then all is forgotten.
        """
        self.version += 1
        pieces = self._pieces(frames, reach)
        main = main_of(pieces, reach.chunk)
        top_at = 0
        if main is not None:
            top_at = make_room(main, reach)
            if self._is_green:
                top_at = main.start
            pieces = [
                one
                for one in pieces
                if one is main
                or one.end <= main.start
                or one.start >= main.end
            ]
        self.pieces, self.main = pieces, main
        self._starts = [one.start for one in pieces]
        if self._order(frames, top_at):
            return True
        self.forget()
        return False

    def _pieces(self, frames: Iterable[int], reach: Reach) -> list[Piece]:
        start, end = self.frame_from, self.frame_until
        wanted = [(frame + start, frame + end) for frame in {*frames}]
        if reach.span is not None:
            wanted.append(reach.span)
        return joined(wanted)

    def _order(self, frames: Sequence[int], top_at: int) -> bool:
        """Put the places in order; return whether there is room for all."""
        main, at = self.main, _IMAGE
        rest = [one for one in self.pieces if one is not main]
        for one in rest:
            one.at = one.again = at - one.start
            at += one.end - one.start
        top = self.top = Piece(0, 0)
        if main is not None:
            main.at = main.again = top.again = at - main.start
            at += main.end - main.start
            top.start, top.end = top_at, main.end
        self.near = self._near_of(frames, rest)
        self.others = [*rest, *self.rooms.all]
        places = self.places
        places.clear()
        ok = True
        for one in rest:
            if one not in self.near:
                ok &= places.add(
                    one.start, one.end - one.start, one.at + one.start
                )
        if main is not None and top.start > main.start:
            ok &= places.add(
                main.start, top.start - main.start, main.at + main.start
            )
        return self._order_twice(at) and ok

    def _near_of(
        self, frames: Sequence[int], rest: Sequence[Piece]
    ) -> list[Piece]:
        """Return what is copied twice of the pieces outside the chunk."""
        if self._is_green:
            return [*rest]
        last = [frame + self.frame_from for frame in frames[-_NEAR:]]
        return [
            one
            for one in rest
            if any(one.start <= it < one.end for it in last)
        ]

    def _order_twice(self, at: int) -> bool:
        """Add what is copied twice, and the pointer in between."""
        places, ok = self.places, True
        # What is small is next to the pointer: it has least time to change.
        twice = list(self.near)
        if self.main is not None:
            # The top's first copy completes the main piece's.
            self.top.at = self.main.at
            twice.insert(0, self.top)
        for one in twice:
            ok &= places.add(
                one.start, one.end - one.start, one.at + one.start
            )
        at, fits = self.rooms.add_first(at)
        ok &= fits & self._add_pointer()
        at, fits = self.rooms.add_again(at)
        ok &= fits
        for one in reversed(twice):
            one.again = at - one.start
            ok &= places.add(one.start, one.end - one.start, at)
            at += one.end - one.start
        self.all_end = at
        self.rooms.place_all()
        return ok

    def _add_pointer(self) -> bool:
        places, layout = self.places, self._layout
        self._first_cframe = places.count + 1
        ok = places.add(self._thread, self._thread_size, THREAD)
        if layout.frame_in_cframe >= 0:
            for n in range(MOST_CFRAMES):
                # One that is not in use is of something that is there.
                cframe = self.cframes[n] if n < len(self.cframes) else 0
                ok &= places.add(
                    cframe or self._thread,
                    CFRAME_SIZE,
                    CFRAMES + CFRAME_SIZE * n,
                )
            ok &= places.add(self._thread + layout.thread_frame, 8, AGAIN)
        return ok

    def know_cframe(self, address: int) -> None:
        """Have the pointer that lies at *address* copied from now on."""
        cframes = self.cframes
        if address in cframes:
            return
        if len(cframes) < MOST_CFRAMES:
            n = len(cframes)
            cframes.append(address)
        else:
            n = self._turn = (self._turn + 1) % MOST_CFRAMES
            cframes[n] = address
        self.places.move(self._first_cframe + n, address)

    # What a copy has.

    def piece_of(self, address: int) -> Piece | None:
        """Return the piece that has *address*, where a frame begins."""
        n = bisect_right(self._starts, address) - 1
        if n >= 0 and address < self.pieces[n].end:
            return self.pieces[n]
        return self.rooms.of(address - self.frame_from)

    def is_doubled(self, frame: int) -> bool:
        """Return whether *frame* was copied twice."""
        place = frame + self.frame_from
        return (
            self.top.start <= place < self.top.end
            or self.rooms.of(frame) is not None
            or any(one.start <= place < one.end for one in self.near)
        )

    def is_twice_the_same(self, image: bytes) -> bool:
        """Return whether both copies of all that has two are the same."""
        if self.main is None:
            return False
        return all(
            image[one.at + one.start : one.at + one.end]
            == image[one.again + one.start : one.again + one.end]
            for one in (self.top, *self.near, *self.rooms.used())
        )
