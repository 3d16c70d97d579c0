# SPDX-License-Identifier: Apache-2.0
"""Stacks as a tree of call paths, and which calls have been seen for sure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nova_profiler.capture.profilers.stacks.reader.code.code_names import Code

# Pairs of functions; past this all are forgotten and learnt anew.
_MOST_PAIRS = 20_000
# A call that was seen seldom beside others of the same function may be one
# that never was.
_LEAST_SEEN = 3
_LEAST_SHARE = 0.01
# The same of stacks that may be wrong: such are a few in a hundred.
_LEAST_GLIMPSED = 0.2


class Path:
    """A frame, by function and instruction, below its callers."""

    __slots__ = ("address", "below", "code", "instruction", "line", "parent")

    def __init__(
        self,
        parent: Path | None,
        address: int = 0,
        instruction: int = 0,
        code: Code | None = None,
    ) -> None:
        self.parent = parent
        # Of its code object, and what that was when the path was new.
        self.address = address
        self.instruction = instruction
        self.code = code
        # Of the instruction, once it was asked for: requests share their
        # outer frames.
        self.line: int | None = None
        # Most have none below them, and there are thousands.
        self.below: dict[tuple[int, int], Path] | None = None

    def frames(self) -> list[Path]:
        """Return the paths up to this one, from the outermost frame on."""
        found = []
        path: Path | None = self
        while path is not None and path.code is not None:
            found.append(path)
            path = path.parent
        found.reverse()
        return found

    def cut(self) -> None:
        """Let go of all paths below this one.

        Each knows its caller and its caller knows it: they would stay until
        the collector of garbage comes to the oldest objects. A request that
        has one of them keeps it, and its callers.
        """
        left = [self]
        while left:
            path = left.pop()
            if path.below is not None:
                left += path.below.values()
                path.below = None


class Calls:
    """How often a function was seen to call another, in sure stacks."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], int] = {}
        self._called: dict[int, int] = {}
        # The same of stacks that may be wrong.
        self._glimpses: dict[tuple[int, int], int] = {}
        self._glimpsed: dict[int, int] = {}

    def note(self, found: Iterable[tuple[int, int]]) -> None:
        """Count calls, by the addresses of both code objects of each."""
        _count(found, self._pairs, self._called)
        if len(self._pairs) > _MOST_PAIRS:
            self.forget()

    def glimpse(self, found: Iterable[tuple[int, int]]) -> None:
        """Count calls of a stack that may be wrong."""
        _count(found, self._glimpses, self._glimpsed)
        if len(self._glimpses) > _MOST_PAIRS:
            self.forget()

    def is_known(self, caller: int, callee: int) -> bool:
        """Return whether that call was seen often enough to be believed."""
        seen = self._pairs.get((caller, callee), 0)
        return seen >= _LEAST_SEEN and (
            seen >= _LEAST_SHARE * self._called.get(callee, 0)
        )

    def is_doubtful(self, caller: int, callee: int) -> bool:
        """Return whether the callee was seen, but below others.

        A function that was never seen for sure is doubtful below a caller of
        which there are far fewer glimpses than of others.
        """
        pair = caller, callee
        if pair in self._pairs:
            return False
        return callee in self._called or (
            self._glimpses.get(pair, 0)
            < _LEAST_GLIMPSED * self._glimpsed.get(callee, 0)
        )

    def forget(self) -> None:
        """Begin anew."""
        for table in (
            self._pairs,
            self._called,
            self._glimpses,
            self._glimpsed,
        ):
            table.clear()

    def forget_of(self, codes: Collection[int]) -> None:
        """Forget what is known of *codes*: each is another function's now."""
        self._pairs = _without(self._pairs, codes)
        self._glimpses = _without(self._glimpses, codes)
        for table in (self._called, self._glimpsed):
            for code in table.keys() & set(codes):
                del table[code]


def _count(
    found: Iterable[tuple[int, int]],
    pairs: dict[tuple[int, int], int],
    called: dict[int, int],
) -> None:
    for pair in found:
        pairs[pair] = pairs.get(pair, 0) + 1
        callee = pair[1]
        called[callee] = called.get(callee, 0) + 1


def _without(
    pairs: dict[tuple[int, int], int], codes: Collection[int]
) -> dict[tuple[int, int], int]:
    return {
        pair: times
        for pair, times in pairs.items()
        if pair[0] not in codes and pair[1] not in codes
    }
