# SPDX-License-Identifier: Apache-2.0
"""Frames that name a request, for samplers that look from outside.

A request runs inside a trampoline: a function that only calls on, with a code
object that is called ``np_request_17``. That name is then in every stack
below it, so that a reader of the stacks knows which request each belongs to.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from itertools import count
from types import FunctionType
from typing import Any, TypeVar

PREFIX = "np_request_"
# Names of code are interned, which some versions of Python never undo.
MAX_TAGS = 4096

Result = TypeVar("Result")

# No two pools have a name in common: while one engine ends, another one may
# have begun to look at the same process.
_numbers = count()


class Tag:
    """One name, and the trampoline of that name."""

    __slots__ = ("call", "name")

    def __init__(self, number: int) -> None:
        self.name = f"{PREFIX}{number}"
        self.call: Callable[..., Any] = _trampoline_named(self.name)


class TagPool:
    """The tags of one process: lent to a request, taken back, lent again.

    A tag may only come back when no stack of its request can turn up any
    more. Safe to use from any thread, and never waits.
    """

    def __init__(self, size: int = MAX_TAGS) -> None:
        self._size = size
        self._free: deque[Tag] = deque()
        self._made = 0

    def take(self) -> Tag | None:
        """Return a tag that is free, None if there is none left."""
        try:
            return self._free.pop()
        except IndexError:
            # Two threads may both see room for the last one: a few tags
            # too many, each with a number of its own, are no harm.
            if self._made >= self._size:
                return None
            self._made += 1
            return Tag(next(_numbers))

    def give_back(self, tag: Tag) -> None:
        """Lend *tag* to others from now on."""
        self._free.append(tag)

    @property
    def left(self) -> int:
        """Return how many tags may still be taken."""
        return len(self._free) + max(0, self._size - self._made)

    @property
    def size(self) -> int:
        """Return how many tags there are in all."""
        return self._size


def _trampoline(
    function: Callable[..., Result], /, *args: Any, **kwargs: Any
) -> Result:
    return function(*args, **kwargs)


def _trampoline_named(name: str) -> Callable[..., Any]:
    names = {"co_name": name}
    if sys.version_info >= (3, 11):
        # Samplers show this one where there is one.
        names["co_qualname"] = name
    # The types of replace() know no keywords in a dict.
    code = _trampoline.__code__.replace(**names)  # type: ignore[arg-type]
    return FunctionType(code, {"__name__": __name__}, name)
