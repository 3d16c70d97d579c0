# SPDX-License-Identifier: Apache-2.0
"""The stack as the last look found it: what of it need not be read again."""

from __future__ import annotations

from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.stack.pieces import FAR
from nova_profiler.capture.profilers.stacks.reader.stack.places import (
    StackPlaces,
)
from nova_profiler.capture.profilers.stacks.reader.stack.walks import (
    Frame,
    Torn,
    Walk,
)


class Counts:
    """How looks went, of all threads together."""

    def __init__(self) -> None:
        self.copies = self.unsure = self.cut = self.torn = 0
        # Call paths made since the tree was begun.
        self.paths = 0


class KnownStack:
    """The frames of one thread from its mark on, and the path up to each."""

    def __init__(
        self,
        places: StackPlaces,
        names: Names,
        calls: Calls,
        counts: Counts,
        root: Path,
    ) -> None:
        self._places = places
        self._names = names
        self._calls = calls
        self._counts = counts
        self._root = root
        self.forget()

    def forget(self) -> None:
        """Know no stack any more."""
        # The frames from the mark on, the path up to each, and the number of
        # each by its address.
        self.frames: list[Frame] = []
        self.paths: list[Path] = []
        self.numbers: dict[int, int] = {}
        self.mark = 0
        # The bytes of the last look, and which places they were of.
        self.image = b""
        self._version = -1

    def renew(self, root: Path) -> None:
        """Make paths anew below *root*."""
        self._root = root
        self.forget()

    def forget_unsure(self) -> bool:
        """Return whether a function of the stack is another one by now.

        Then the next look reads the whole stack.
        """
        codes = (path.code for path in self.paths)
        if all(code is None or code.is_sure for code in codes):
            return False
        self.forget()
        return True

    def kept(self, image: bytes) -> int:
        """Return how many frames from the mark on are as they were."""
        before, places = self.image, self._places
        main = places.main
        if (
            self._version != places.version
            or len(before) != len(image)
            or main is None
        ):
            return 0
        kept = min(len(self.frames), places.rooms.stale)
        for one in places.others:
            if one.first < kept:
                a, b = one.at + one.start, one.at + one.end
                if before[a:b] != image[a:b]:
                    kept = one.first
        return self._kept_of_main(image, kept)

    def _kept_of_main(self, image: bytes, kept: int) -> int:
        """Return the same of the main piece: its frames rise in order."""
        main = self._places.main
        if main is None:
            return 0
        before, stack, at = self.image, self.frames, main.at
        until = self._places.frame_until
        start, end = main.start - until, main.end - until
        low, high, done = 0, kept, at + main.start
        while low < high:
            n = middle = (low + high + 1) >> 1
            # Of one that lies elsewhere the next one outside decides.
            while n > low and not start <= stack[n - 1][0] <= end:
                n -= 1
            if n == low:
                low = middle
                continue
            upto = at + stack[n - 1][0] + until
            if upto <= done or before[done:upto] == image[done:upto]:
                low, done = middle, max(done, upto)
            else:
                high = n - 1
        return low

    def take(self, walk: Walk, image: bytes, teaches: bool) -> Path:
        """Make *walk*, which was read off *image*, the stack; return its path.

        Its calls are believed from then on where it *teaches*. Raises Torn.
        """
        stack, paths, numbers = self.frames, self.paths, self.numbers
        for frame in stack[walk.kept :]:
            numbers.pop(frame[0], None)
        del stack[walk.kept :], paths[walk.kept :]
        path = paths[-1] if paths else self._root
        pairs = []
        try:
            for frame in reversed(walk.fresh):
                address, code, instruction = frame
                if code:
                    all_below, below = path.below, None
                    if all_below is not None:
                        below = all_below.get((code, instruction))
                    about = None if below is None else below.code
                    if below is None or about is None or not about.is_sure:
                        below = self._new_path(path, code, instruction)
                    pairs.append((path.address, code))
                    path = below
                numbers[address] = len(stack)
                stack.append(frame)
                paths.append(path)
        except Torn:
            # An address that is no function's: nothing of it is kept.
            self.forget()
            raise
        if teaches:
            self._calls.note(pairs)
        if not walk.kept:
            self.mark = walk.mark
        self.image = image
        return path

    def _new_path(self, path: Path, code: int, instruction: int) -> Path:
        about = self._names.of(code)
        if about is None:
            raise Torn
        made = Path(path, code, instruction, about)
        if path.below is None:
            path.below = {}
        key = code, instruction
        former = path.below.get(key)
        if former is not None:
            former.cut()
        path.below[key] = made
        self._counts.paths += 1
        return made

    def settle(self, has_new: bool, kept: int) -> None:
        """Note where the frames lie, of which the first *kept* did before."""
        places = self._places
        if self._version != places.version:
            self._version = places.version
            self._place(0)
        elif has_new:
            self._place(kept)
        places.rooms.stale = FAR

    def _place(self, kept: int) -> None:
        """Note in the pieces which frame is the outermost of each."""
        places, stack = self._places, self.frames
        main = places.main
        for one in places.others:
            if one.first >= kept:
                one.first = len(stack)
        if main is None:
            return
        start, end, shift = main.start, main.end, places.frame_from
        for n in range(kept, len(stack)):
            place = stack[n][0] + shift
            if not start <= place < end:
                found = places.piece_of(place)
                if found is not None and n < found.first:
                    found.first = n
