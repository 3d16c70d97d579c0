# SPDX-License-Identifier: Apache-2.0
"""Attributes of other people's modules and classes, replaced and put back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nova_profiler.hooks import Undo

Wrap = Callable[[Any], Any]

_lock = threading.Lock()
_patches: dict[tuple[int, str], _Patch] = {}


class _Patch:
    """One replaced attribute and how many installers want it so."""

    def __init__(self, owner: Any, name: str, wrap: Wrap) -> None:
        self.owner = owner
        self.name = name
        # From __dict__, so that a staticmethod or classmethod stays one,
        # and an inherited attribute is deleted again instead of copied.
        self.inherited = name not in vars(owner)
        self.original = (
            getattr(owner, name) if self.inherited else vars(owner)[name]
        )
        self.replacement = wrap(self.original)
        self.users = 0

    def apply(self) -> None:
        setattr(self.owner, self.name, self.replacement)

    def remove(self) -> None:
        if vars(self.owner).get(self.name) is not self.replacement:
            # Somebody wrapped ours since: theirs stays, and ours under it.
            return
        if self.inherited:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.original)


def patch(owner: Any, name: str, wrap: Wrap) -> Undo:
    """Replace attribute *name* of *owner* by what *wrap* makes of it.

    A second patch of the same attribute joins the first one. Returns the
    function that undoes this call; the attribute is put back by the last.
    """
    key = (id(owner), name)
    with _lock:
        found = _patches.get(key)
        if found is None:
            found = _patches[key] = _Patch(owner, name, wrap)
            found.apply()
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
            if patched.users == 0:
                _patches.pop(key, None)
                patched.remove()

    return undo


def undo_all(undos: list[Undo]) -> Undo:
    """Return one function that runs *undos*, newest first, each of them."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
