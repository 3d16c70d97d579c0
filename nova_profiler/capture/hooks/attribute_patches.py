# SPDX-License-Identifier: Apache-2.0
"""Attributes of other people's modules and classes, replaced and put back.

What stands in a class may be anything that binds: a function, or what another
agent has put there. A replacement calls it as Python would have, so that it
gets the instance and the arguments that it had before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType, MethodDescriptorType, WrapperDescriptorType
from typing import Any

from nova_profiler.capture.hooks import HookLock, Undo

Wrap = Callable[[Any], Any]

# Far more wrappers than one function ever has.
_MOST_WRAPS = 100

# Called with the instance first they do what they do when bound.
_PLAIN = (FunctionType, MethodDescriptorType, WrapperDescriptorType)

_lock = HookLock()
_patches: dict[tuple[int, str], _Patch] = {}


class _Patch:
    """One replaced attribute and how many installers want it so."""

    def __init__(
        self, owner: Any, name: str, wrap: Wrap, is_new: bool
    ) -> None:
        self.owner = owner
        self.name = name
        # An inherited attribute is deleted again instead of copied.
        self.inherited = name not in vars(owner)
        self.original = name if is_new else _found(owner, name)
        self.replacement = wrap(self.original)
        if isinstance(self.replacement, FunctionType):
            _look_like(self.replacement, self.original)
        self.users = 0

    def apply(self) -> None:
        setattr(self.owner, self.name, self.replacement)

    def is_in_place(self) -> bool:
        """Return whether the replacement is there, or under others' wraps."""
        return self.is_under(vars(self.owner).get(self.name))

    def is_under(self, wrapper: Any) -> bool:
        """Return whether the replacement is *wrapper*, or is wrapped by it."""
        found = [wrapper]
        for _ in range(_MOST_WRAPS):
            if not found:
                return False
            one = found.pop()
            if one is self.replacement:
                return True
            found += _under(one)
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


def _look_like(replacement: FunctionType, original: Any) -> None:
    """Let *replacement* have the names of *original*, and lead to it.

    Not all that is in its ``__dict__``: there some wrappers keep where they
    have put the original.
    """
    for name in functools.WRAPPER_ASSIGNMENTS:
        with suppress(Exception):
            setattr(replacement, name, getattr(original, name))
    vars(replacement)["__wrapped__"] = original


def _under(wrapper: Any) -> list[Any]:
    """Return what *wrapper* may have wrapped, the likeliest last."""
    under: list[Any] = []
    if isinstance(wrapper, FunctionType):
        for cell in wrapper.__closure__ or ():
            # It may be empty.
            with suppress(ValueError):
                under.append(cell.cell_contents)
    for name in ("func", "__func__", "__wrapped__"):
        with suppress(Exception):
            under.append(getattr(wrapper, name))
    return under


def as_function(found: Any) -> Callable[..., Any]:
    """Return a function that calls *found*, its instance first.

    *found* is what stands in the ``__dict__`` of a class. Whatever it is
    gets bound as looking it up on the instance binds it.
    """
    if type(found) in _PLAIN:
        function: Callable[..., Any] = found
        return function
    bind = getattr(type(found), "__get__", None)

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if bind is None:
            return found(*args, **kwargs)
        return bind(found, self, type(self))(*args, **kwargs)

    _look_like(call, found)  # type: ignore[arg-type]  # may be no function
    return call


def patch_method(
    owner: type, name: str, wrap: Callable[[Callable[..., Any]], Any]
) -> Undo:
    """Replace method *name* of *owner* as `patch` does.

    *wrap* gets a function that takes the instance first.
    """
    return patch(owner, name, lambda found: wrap(as_function(found)))


def patch_family(
    owner: type, name: str, wrap: Callable[[Callable[..., Any]], Any]
) -> Undo:
    """Replace method *name* of *owner*, and of classes derived from it.

    That is of those which have wrapped it for themselves, as agents do, and
    hold the method as it was before.
    """
    undos = [patch_method(owner, name, wrap)]
    ours = _patches[id(owner), name]
    derived: list[type] = list(owner.__subclasses__())
    while derived:
        one = derived.pop()
        derived += one.__subclasses__()
        theirs = vars(one).get(name)
        if hasattr(theirs, "__wrapped__") and not ours.is_under(theirs):
            undos.append(patch_method(one, name, wrap))
    return undo_all(undos)


def patch_objects(owner: type, name: str, wrap: Wrap) -> Undo:
    """Have attribute *name* of *owner*'s objects found by a descriptor.

    They have it since they were made, the class has none. *wrap* gets the
    name, and returns the descriptor. Raises AttributeError for a class
    whose objects have no such attribute, as far as that can be seen.
    """
    code = getattr(vars(owner).get("__init__"), "__code__", None)
    if code is not None and name not in code.co_names:
        raise AttributeError(f"objects have no {name}")
    return patch(owner, name, wrap, is_new=True)


def patch(owner: Any, name: str, wrap: Wrap, is_new: bool = False) -> Undo:
    """Replace attribute *name* of *owner* by what *wrap* makes of it.

    One that *is_new* is not there yet; *wrap* gets its name. A second patch
    of the same attribute joins the first one. Returns the function that
    undoes this call; the attribute is put back by the last.
    """
    key = (id(owner), name)
    with _lock.now:
        found = _patches.get(key)
        if found is None or (found.users == 0 and not found.is_in_place()):
            found = _Patch(owner, name, wrap, is_new)
            found.apply()
            _patches[key] = found
        found.users += 1
    return _undo_once(key, found)


def _undo_once(key: tuple[int, str], patched: _Patch) -> Undo:
    done = False

    def undo() -> None:
        nonlocal done
        with _lock.now:
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
