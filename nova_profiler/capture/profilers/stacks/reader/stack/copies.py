# SPDX-License-Identifier: Apache-2.0
"""One copy of a thread's stack, and what is learnt from it for the next.

The top of the stack is copied before and after the pointer to the frame that
runs. Where both copies are the same, it was so when the pointer was read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from time import perf_counter_ns

from nova_profiler.capture.profilers.stacks.layouts import (
    CHUNK_DATA,
    CHUNK_SIZE,
    Layout,
)
from nova_profiler.capture.profilers.stacks.reader.memory import (
    MOST_ADDRESS,
    Memory,
)
from nova_profiler.capture.profilers.stacks.reader.stack.pieces import (
    FAR,
    ROOM_ABOVE,
    Reach,
)
from nova_profiler.capture.profilers.stacks.reader.stack.places import (
    AGAIN,
    CFRAME_SIZE,
    CFRAMES,
    THREAD,
    StackPlaces,
)

# Of a chunk that is not known yet.
_SPAN = 24_576
_SLACK = 2048
# How deep within what is copied twice the last frame must lie.
LEAST_TOP = 1024
# What a copy is taken to cost before the first; so many times of the usual
# mean that the reader itself was interrupted.
_FIRST_NS = 50_000
_INTERRUPTED = 3
# Of a walk that came to no end, so many frames are asked for.
_FEW = 4

_WORD = struct.Struct("<Q").unpack_from


class Copy:
    """What is copied of one thread, again and again."""

    def __init__(
        self, memory: Memory, thread: int, layout: Layout, is_green: bool
    ) -> None:
        """*is_green*: its whole stack may be exchanged for another one."""
        self._memory = memory
        self._thread = thread
        self._layout = layout
        self.places = StackPlaces(memory, thread, layout, is_green)
        # How long a copy takes, and whether the last one took no longer.
        self._usual_ns = _FIRST_NS
        self._is_quick = True
        self.forget()

    def forget(self) -> None:
        """Begin anew, as with a thread that was never seen."""
        self.places.forget()
        self._frames: Sequence[int] = ()
        self._reach = Reach()

    def renew(self, frames: Sequence[int]) -> None:
        """Forget what the stack once reached: it now has *frames*."""
        low = frames[-1] if frames else FAR
        self._reach = Reach(low, self._reach.chunk)
        self._lay_out(frames)

    def _lay_out(self, frames: Sequence[int]) -> bool:
        """Have *frames* and what is known besides copied from now on.

        Returns False where that is too much; then all is forgotten.
        """
        self._frames = frames
        if self.places.lay_out(frames, self._reach):
            return True
        self.forget()
        return False

    # One copy.

    def find_cframe(self) -> None:
        """Ask where the pointer on the C stack is: it moves with each call."""
        if self._layout.frame_in_cframe >= 0:
            at = self._memory.word(self._thread + self._layout.thread_frame)
            self.places.know_cframe(at)

    def read(self) -> bool:
        """Copy all; return False if a place is gone, which is left out."""
        places = self.places.places
        before = perf_counter_ns()
        got = places.read()
        self._time(perf_counter_ns() - before)
        if got == places.total:
            return True
        self._leave_out(places.first_missing(got))
        return False

    def _time(self, took_ns: int) -> None:
        """Note how long a copy took: one that was interrupted is not quick.

        Meanwhile the thread may have come back to where it was.
        """
        usual_ns = self._usual_ns
        self._is_quick = took_ns <= _INTERRUPTED * usual_ns
        # One that was interrupted makes no other one look quick.
        took_ns = min(took_ns, _INTERRUPTED * usual_ns)
        self._usual_ns += (took_ns - usual_ns) // 8

    @property
    def has_room(self) -> bool:
        """Return whether the piece that is in use is the thread's chunk."""
        main, (start, end) = self.places.main, self._reach.chunk
        return self._layout.is_on_heap or (
            main is not None and start <= main.start < end
        )

    @property
    def is_thread_gone(self) -> bool:
        """Return whether not even the thread's state is mapped."""
        return not self._memory.word(self._thread + self._layout.thread_frame)

    def _leave_out(self, start: int) -> None:
        places = self.places
        main = places.main
        if (
            (main is not None and main.start <= start < main.end)
            or start in places.cframes
            or start == self._thread
        ):
            self.forget()
        elif not places.rooms.leave_out(start):
            # The chunk that it was in is gone, and others are with it: the
            # thread has left the frames that lay there.
            at = places.frame_from
            self._lay_out(
                [
                    one
                    for one in self._frames
                    if main is not None and main.start <= one + at < main.end
                ]
            )

    def frame_pointer(self) -> tuple[int, bool] | None:
        """Return the frame that ran, and whether the pointer stood still.

        None where it lies in a place that was not copied.
        """
        layout, view = self._layout, self.places.places.view
        pointer = _WORD(view, THREAD + layout.thread_frame)[0]
        if layout.frame_in_cframe < 0:
            return pointer, self._is_quick
        cframes = self.places.cframes
        if pointer not in cframes:
            # It has moved since it was asked for.
            self.places.know_cframe(pointer)
            return None
        n = cframes.index(pointer)
        # What it points to may have been left before it was copied.
        is_steady = self._is_quick and _WORD(view, AGAIN)[0] == pointer
        at = CFRAMES + CFRAME_SIZE * n + layout.frame_in_cframe
        return _WORD(view, at)[0], is_steady

    def image(self) -> bytes:
        """Return all that was copied, by the places of the pieces."""
        return bytes(self.places.places.view[: self.places.all_end])

    # What was learnt from it.

    def is_below_top(self, frame: int) -> bool:
        """Return whether *frame*, the last one, was not copied twice.

        The next copy will have it twice.
        """
        main, top = self.places.main, self.places.top
        if (
            main is None
            or self._layout.is_on_heap
            or top.start <= main.start
            or not main.start <= frame < top.start + LEAST_TOP
        ):
            return False
        self._reach.low = frame
        self._lay_out(self._frames)
        return True

    def give_rooms(self, missing: Sequence[int], frames: list[int]) -> bool:
        """Have the frames *missing* of a stack copied as well.

        What was copied so far can be compared with the next copy. Returns
        False where that cannot be: they do not lie apart, or are many.
        """
        if self.places.main is None:
            return False
        if not self._layout.is_on_heap:
            start, end = self._reach.chunk
            if start != self._chunk_now() or any(
                start <= frame < end for frame in missing
            ):
                return False
        return self.places.rooms.give(missing, {*frames})

    def ask_for(
        self, missing: Sequence[int], frames: Sequence[int], is_whole: bool
    ) -> bool:
        """Have *missing* frames copied as well, beside *frames*.

        *is_whole* is whether those are a stack, with the missing ones.
        """
        self._find_span()
        main = self.places.main
        if main is not None and not is_whole:
            self.places.rooms.give(
                [
                    frame
                    for frame in missing[:_FEW]
                    # A pointer that was torn may be anything.
                    if 0 < frame < MOST_ADDRESS
                    and not main.start <= frame < main.end + ROOM_ABOVE
                ],
                set(),
            )
        return self._lay_out(frames)

    def _chunk_now(self) -> int:
        view = self.places.places.view
        return int(_WORD(view, THREAD + self._layout.thread_chunk)[0])

    def _find_span(self) -> None:
        """Have the upper part of the chunk that is in use copied."""
        layout, reach = self._layout, self._reach
        if layout.is_on_heap:
            return
        chunk = self._chunk_now()
        view = self.places.places.view
        top = _WORD(view, THREAD + layout.thread_top)[0]
        size = self._memory.word(chunk + CHUNK_SIZE)
        end = chunk + size
        if size and chunk < top <= end:
            start = max(chunk + CHUNK_DATA, top - _SPAN)
            reach.chunk = chunk, end
            reach.span = start, min(end, top + _SLACK)
            reach.high = min(end - _SLACK, top + _SLACK)

    def reached(self, leaf: int) -> None:
        """Note that the last frame was *leaf*."""
        main = self.places.main
        if main is not None and main.start <= leaf < main.end:
            self._reach.high = max(self._reach.high, leaf)
