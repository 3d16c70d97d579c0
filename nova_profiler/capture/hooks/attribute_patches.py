# SPDX-License-Identifier: Apache-2.0
"""Attributes of other people's modules and classes, replaced and put back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

from nova_profiler.capture.hooks import Undo

Wrap = Callable[[Any], Any]

# Far more wrappers than one function ever has.
_MOST_WRAPS = 100

_lock = threading.Lock()
_patches: dict[tuple[int, str], _Patch] = {}


class _Patch:
    """One replaced attribute and how many installers want it so."""

    def __init__(self, owner: Any, name: str, wrap: Wrap) -> None:
        self.owner = owner
        self.name = name
        # An inherited attribute is deleted again instead of copied.
        self.inherited = name not in vars(owner)
        self.original = _found(owner, name)
        self.replacement = wrap(self.original)
        if isinstance(self.replacement, FunctionType):
            # How this and others find what stands under a wrapper.
            vars(self.replacement)["__wrapped__"] = self.original
        self.users = 0

    def apply(self) -> None:
        setattr(self.owner, self.name, self.replacement)

    def is_in_place(self) -> bool:
        """Return whether the replacement is there, or under others' wraps."""
        found = vars(self.owner).get(self.name)
        for _ in range(_MOST_WRAPS):
            if found is self.replacement:
                return True
            found = getattr(found, "__wrapped__", None)
        return False

    def remove(self) -> bool:
        """Put the attribute back; return False where that cannot be."""
        if vars(self.owner).get(self.name) is not self.replacement:
            # Other code has wrapped ours since: its wrapper stays, and
            # ours under it.
            return False
        if self.inherited:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.original)
        return True


def _found(owner: Any, name: str) -> Any:
    """Return the attribute as it stands in a __dict__.

    There a staticmethod or classmethod still is one.
    """
    for place in owner.__mro__ if isinstance(owner, type) else (owner,):
        if name in vars(place):
            return vars(place)[name]
    return getattr(owner, name)


def patch(owner: Any, name: str, wrap: Wrap) -> Undo:
    """Replace attribute *name* of *owner* by what *wrap* makes of it.

    A second patch of the same attribute joins the first one. Returns the
    function that undoes this call; the attribute is put back by the last.
    """
    key = (id(owner), name)
    with _lock:
        found = _patches.get(key)
        if found is None or (found.users == 0 and not found.is_in_place()):
            found = _Patch(owner, name, wrap)
            found.apply()
            _patches[key] = found
        found.users += 1
    return _undo_once(key, found)


def _undo_once(key: tuple[int, str], patched: _Patch) -> Undo:
    done = False

    def undo() -> None:
        nonlocal done
        with _lock:
            if done:
                return
            done = True
            patched.users -= 1
            # What stays under another wrapper is used again by the next
            # installer: a second one of ours would count each call twice.
            if patched.users == 0 and patched.remove():
                _patches.pop(key, None)

    return undo


def undo_all(undos: list[Undo]) -> Undo:
    """Return one function that runs *undos*, newest first, each of them."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
