# SPDX-License-Identifier: Apache-2.0
"""Looks at one thread that goes on meanwhile: copies its stack, follows it.

A stack that was sure stood so when the pointer to its last frame was read:
both copies of its top are the same. Where they are not, the thread has just
called or returned. Then one of the two is taken if each of its calls has been
seen in sure stacks; else the thread is looked at again; else what both have
in common is taken, from the outermost frame on. To leave unsure stacks out
would be wrong: short functions would be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.layouts import Layout
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.memory import Memory
from nova_profiler.capture.profilers.stacks.reader.stack.copies import Copy
from nova_profiler.capture.profilers.stacks.reader.stack.known_stack import (
    Counts,
    KnownStack,
)
from nova_profiler.capture.profilers.stacks.reader.stack.walks import (
    Torn,
    Unmarked,
    Walk,
    Walker,
    common_part,
    is_alike,
    with_frames,
)

_TRIES = 5
# Calls of the last frames, which may change between two copies.
_CHANGING = 4
# After so many looks it is forgotten how far the stack once reached.
_RENEW = 500
# What is asked right after a copy: which of the marks still hold.
Marks = Collection[int]


class Over(Exception):
    """No request that was to be looked at is there any more."""


class Seen(NamedTuple):
    """What a look found: a call path, and the mark that it begins with.

    It is sure if both copies of the stack's top were the same, and it has a
    place where what is called next will be.
    """

    path: Path
    mark: int
    is_sure: bool


class ThreadLooks:
    """One thread, and where its frames lay last time."""

    def __init__(
        self,
        memory: Memory,
        thread: int,
        layout: Layout,
        names: Names,
        calls: Calls,
        counts: Counts,
        root: Path,
        is_green: bool = False,
    ) -> None:
        """*thread* is the address of its state.

        *is_green*: greenthreads take turns on it.
        """
        self._is_green = is_green
        self._copy = Copy(memory, thread, layout, is_green)
        self._places = self._copy.places
        self._walker = Walker(memory, layout, self._places)
        self._calls = calls
        self._counts = counts
        self._known = KnownStack(self._places, names, calls, counts, root)
        self._age = 0

    def renew(self, root: Path) -> None:
        """Make paths anew below *root*."""
        self._known.renew(root)

    def forget_unsure(self) -> bool:
        """Return whether a function of the stack is another one by now.

        Then the next look reads the whole stack.
        """
        return self._known.forget_unsure()

    def look(
        self, still: Callable[[], Marks], may_be_none: bool = False
    ) -> Seen:
        """Return the call path that the thread has now.

        *still* is asked right after each copy for the marks that hold; the
        stack begins with the frame of one of them. Raises Over where there
        is none, Unmarked where the stack surely has none of them, and Torn
        where all copies were torn.
        """
        for left in range(_TRIES - 1, -1, -1):
            try:
                return self._look(still, bool(left))
            except Torn as exc:
                # Of greenthreads none may be on the thread's stack.
                if may_be_none and isinstance(exc, Unmarked):
                    raise
                if not left:
                    self._counts.torn += 1
                    # What was learnt may be what is wrong.
                    self._copy.forget()
                    self._known.forget()
                    raise
        raise Torn

    def _look(self, still: Callable[[], Marks], may_again: bool) -> Seen:
        copy = self._copy
        self._counts.copies += 1
        copy.find_cframe()
        is_whole = copy.read()
        marks = still()
        if not marks:
            raise Over
        if not is_whole:
            if copy.is_thread_gone:
                raise Over
            raise Torn
        pointer = copy.frame_pointer()
        if pointer is None:
            raise Torn
        frame, is_steady = pointer
        if copy.is_below_top(frame):
            raise Torn
        image = copy.image()
        if self._known.mark not in marks:
            self._known.forget()
        self._walker.begin(
            image, self._known.kept(image), self._known.numbers, marks
        )
        one = self._first_walk(frame, may_again)
        if (
            is_steady
            and one is not None
            and not one.missed
            and self._places.is_twice_the_same(image)
        ):
            return self._take(one, image, True)
        return self._unsure(frame, one, image, is_steady, may_again)

    def _first_walk(self, frame: int, may_again: bool) -> Walk | None:
        """Return the stack by the first copies, None if it is torn."""
        one = None
        walker, places = self._walker, self._places
        try:
            one = walker.walk(frame)
        except Unmarked:
            if places.main is None and not walker.missing:
                raise
            if not walker.missing and places.is_twice_the_same(walker.image):
                raise
        except Torn:
            if places.main is None and not walker.missing:
                raise
        if walker.missing and may_again:
            # Ask for these as well, and look once more.
            stack = self._known.frames
            if one is not None:
                stack = with_frames(one, 0, stack).fresh[::-1]
            self._ask_for([frame[0] for frame in stack], one is not None)
            raise Torn
        return one

    def _ask_for(self, frames: list[int], is_whole: bool) -> None:
        """Have what the copy did not have in the next one."""
        copy, missing = self._copy, self._walker.missing
        if is_whole and copy.give_rooms(missing, frames):
            return
        if not copy.ask_for(missing, frames, is_whole):
            self._known.forget()
        self._known.image = b""

    def _unsure(
        self,
        frame: int,
        one: Walk | None,
        image: bytes,
        is_steady: bool,
        may_again: bool,
    ) -> Seen:
        two = None
        if self._places.main is not None:
            try:
                two = self._walker.walk(frame, again=True)
            except Torn:
                if one is None:
                    raise
        if one is not None and two is not None:
            # Of the second copy less may be kept: all of it is compared.
            whole = with_frames(
                one, min(one.kept, two.kept), self._known.frames
            )
            # Where copies take as long as the thread's loop, both may be
            # wrong alike: what is doubtful is looked at again.
            if (
                is_steady
                and not one.missed
                and is_alike(whole, two)
                and not self._doubtful(whole, is_new=True)
            ):
                return self._take(one, image, True, teaches=False)
            one = whole
        self._counts.unsure += 1
        if self._is_green:
            # Two greenthreads run the same functions: a stack of both would
            # look like one of either.
            raise Torn
        for walk, bytes_of in ((one, image), (two, b"")):
            # What the second walk saw is not what the image has of the first.
            if walk is not None and self._is_known(walk):
                return self._take(walk, bytes_of, False)
        if may_again or one is None or two is None:
            raise Torn
        self._counts.cut += 1
        common = common_part(one, two)
        doubtful = self._doubtful(common)
        return self._take(
            common._replace(fresh=common.fresh[doubtful:]), b"", False
        )

    def _is_known(self, walk: Walk) -> bool:
        """Return whether each call was seen before, in a sure stack."""
        if walk.missed:
            return False
        is_known = self._calls.is_known
        return all(
            is_known(caller, callee)
            for _, caller, callee in self._calls_of(walk)
        )

    def _doubtful(self, walk: Walk, is_new: bool = False) -> int:
        """Return how many of the last frames stand on a doubtful call.

        Only what changes all the time is looked at. *is_new*: it counts as a
        glimpse of its calls.
        """
        last = [*islice(self._calls_of(walk), _CHANGING)]
        if is_new:
            self._calls.glimpse(one[1:] for one in last)
        is_doubtful = self._calls.is_doubtful
        return max(
            (n + 1 for n, *call in last if is_doubtful(*call)), default=0
        )

    def _calls_of(self, walk: Walk) -> Iterator[tuple[int, int, int]]:
        """Yield the fresh calls, the last first: callee's place, codes."""
        codes = [(n, one[1]) for n, one in enumerate(walk.fresh) if one[1]]
        if walk.kept:
            codes.append((-1, self._known.paths[walk.kept - 1].address))
        for (n, callee), (_, caller) in zip(codes, codes[1:], strict=False):
            yield n, caller, callee

    def _take(
        self, walk: Walk, image: bytes, is_sure: bool, teaches: bool = True
    ) -> Seen:
        """Make *walk* the stack, and return what it is.

        Its calls are believed from then on where it *is_sure* and *teaches*:
        both copies were the same to the last byte.
        """
        known, copy = self._known, self._copy
        path = known.take(walk, image, is_sure and teaches)
        stack = known.frames
        copy.reached(stack[-1][0] if stack else 0)
        known.settle(bool(walk.fresh), walk.kept)
        self._age += 1
        if self._age > _RENEW:
            self._age = 0
            copy.renew([frame[0] for frame in stack])
        return Seen(path, known.mark, is_sure and copy.has_room)
