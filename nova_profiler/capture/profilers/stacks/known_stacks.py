# SPDX-License-Identifier: Apache-2.0
"""A stack that we know, and what this interpreter itself states of it.

It is deep, goes through a generator, and has names of each kind of text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from nova_profiler.capture.profilers.stacks.slots import Slots

# More than one chunk of the interpreter's stack.
DEEP = 250

# Of each frame the function's name, its file, its first line and its line.
Shown = list[tuple[str, str, int, int]]


def deep(depth: int, stand: Callable[[], Any]) -> Any:
    """Return what *stand* returns, called *depth* calls down."""
    if depth > 0:
        return deep(depth - 1, stand)
    return next(_named(stand))


def _through(stand: Callable[[], Any]) -> Iterator[Any]:
    asks = _Asks(stand)
    one = stand
    two = one
    # An instruction each before and after this one: its line is none of
    # theirs.
    del asks.answer
    one = two
    two = one
    yield asks.kept


class _Asks:
    """Asks when its attribute is deleted."""

    def __init__(self, stand: Callable[[], Any]) -> None:
        self._stand = stand
        # What is deleted, and what came of it.
        self.answer: Any = None
        self.kept: Any = None

    def __delattr__(self, name: str) -> None:
        self.kept = self._stand()


def _renamed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return *function* with a code that is called *name*."""
    names = {"co_name": name}
    if sys.version_info >= (3, 11):
        names["co_qualname"] = name
    # The types of replace() know no keywords in a dict.
    code = function.__code__.replace(**names)  # type: ignore[arg-type]
    return FunctionType(code, function.__globals__, name)


def _pass_on(stand: Callable[[], Any]) -> Any:
    return _wide(stand)


# The interpreter keeps each kind of text in a way of its own.
_named = _renamed(_pass_on, "na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve")
_wide: Callable[..., Any] = _renamed(_through, "\u03bb")


def stack_here(slots: Slots, at: int) -> Shown:
    """Return the stack of the caller, from its slot's trampoline on."""
    mark = slots.call_of(at).__code__
    frames: Shown = []
    frame = sys._getframe(1)
    while True:
        code = frame.f_code
        frames.append(
            (
                _name_of(code),
                code.co_filename,
                code.co_firstlineno,
                frame.f_lineno or 0,
            )
        )
        if code is mark or frame.f_back is None:
            break
        frame = frame.f_back
    frames.reverse()
    return frames


def _name_of(code: CodeType) -> str:
    name: str = getattr(code, "co_qualname", code.co_name)
    return name
