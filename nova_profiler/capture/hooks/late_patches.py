# SPDX-License-Identifier: Apache-2.0
"""Attributes of libraries that are replaced once something has loaded them.

A hook imports no library, and many are loaded after the filter: what is not
there when a hook is installed is looked for again at the process's first
request, and whenever the settings are looked at. A library that is never
loaded is no fault; one that is loaded without what the hook knows has it
named once in the log, and by ``nova-profiler check``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from nova_profiler.capture.failures import LOG
from nova_profiler.capture.hooks import HookLock, Undo
from nova_profiler.capture.hooks.attribute_patches import (
    Wrap,
    patch,
    patch_method,
    patch_objects,
    undo_all,
)
from nova_profiler.capture.hooks.quick_fronts import with_front


class Point(NamedTuple):
    """A function or method to replace, as its library is known here."""

    # The hook's value of the option ``hooks``.
    hook: str
    module: str
    # Below the module: ``function``, ``Class.method``.
    path: str
    wrap: Wrap
    # Names of its parameters on which the wrapper relies.
    takes: tuple[str, ...] = ()
    # Only some releases have it: no line where it is missing.
    is_optional: bool = False
    # The class's objects have it, the class has not: ``wrap`` gets its name.
    is_of_objects: bool = False
    # Callers name its arguments, or it is called outside requests, too.
    has_front: bool = False

    def __str__(self) -> str:
        return f"{self.module}:{self.path}({', '.join(self.takes)})"


_lock = HookLock()


class _Look:
    """Which lock a thread has that looks again; a fork makes another lock."""

    under: Any = None


_look = _Look()
# Those that are installed; and the lines that the log has.
_installed: list[_Patches] = []
_logged: set[str] = set()


def patch_when_loaded(points: Iterable[Point]) -> Undo:
    """Replace each of *points* whose module is loaded, the others later.

    Returns the function that undoes it, and the wish for the others. Never
    raises.
    """
    patches = _Patches(points)
    with _lock.now:
        patches.look()
        _installed.append(patches)
    return patches.undo


def look_again() -> None:
    """Replace what has been loaded since; never raises.

    One thread does that; others do not wait for it.
    """
    if not any(patches.waiting for patches in _installed):
        return
    lock = _lock.now
    if _look.under is lock:
        return
    # Not acquire() and release(): what a host throws into this thread could
    # come in between, and the lock would stay held.
    with lock:
        _look.under = lock
        try:
            for patches in [*_installed]:
                patches.look()
        finally:
            _look.under = None


def waiting_modules() -> set[str]:
    """Return the modules that installed hooks would hook once loaded."""
    return {
        point.module for patches in _installed for point in patches.waiting
    }


def missing_points() -> list[str]:
    """Return a line for each point that a loaded library does not have."""
    return sorted({line for one in _installed for line in one.missing})


class _Patches:
    """The points of one installer."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.waiting = list(points)
        self.missing: list[str] = []
        self._undos: list[Undo] = []

    def look(self) -> None:
        """Replace what is loaded by now."""
        for point in self.waiting[:]:
            module = sys.modules.get(point.module)
            try:
                # In another thread it may still be running its first lines.
                if module is None or _is_initializing(module):
                    continue
                if not self._has_taken(point):
                    continue
                self._undos.append(_patched(module, point))
            except Exception as exc:
                self._note_missing(point, exc)

    def _has_taken(self, point: Point) -> bool:
        """Return whether *point* is this call's to replace.

        The garbage collector may call for the same in this very thread.
        """
        try:
            self.waiting.remove(point)
        except ValueError:
            return False
        return True

    def _note_missing(self, point: Point, error: Exception) -> None:
        if point.is_optional:
            return
        line = f"hook {point.hook}: no {point}: {error}"
        self.missing.append(line)
        if line in _logged:
            return
        _logged.add(line)
        # The host's logging may be broken.
        with suppress(Exception):
            LOG.warning("%s; what it does has no name in records", line)

    def undo(self) -> None:
        """Put back what was replaced, and forget what was not."""
        with _lock.now:
            if self in _installed:
                _installed.remove(self)
            self.waiting.clear()
            undo = undo_all(self._undos)
        undo()


def _is_initializing(module: Any) -> bool:
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _patched(module: Any, point: Point) -> Undo:
    """Replace *point* of *module*; raises if it is not as it is known."""
    owner = module
    *classes, name = point.path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    if point.is_of_objects:
        return patch_objects(owner, name, point.wrap)
    found = getattr(owner, name)
    parameters = inspect.signature(found).parameters
    kinds = {one.kind for one in parameters.values()}
    # Another tool's wrapper may take all that comes.
    takes_all = {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    } <= kinds
    wrap = with_front(point.wrap) if point.has_front else point.wrap
    unknown = [one for one in point.takes if one not in parameters]
    if unknown and not takes_all:
        raise TypeError(f"it has no parameter {', '.join(unknown)}")
    if isinstance(owner, type) and not isinstance(
        inspect.getattr_static(owner, name), (staticmethod, classmethod)
    ):
        return patch_method(owner, name, wrap)
    return patch(owner, name, wrap)
