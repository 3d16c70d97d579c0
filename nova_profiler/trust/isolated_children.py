# SPDX-License-Identifier: Apache-2.0
"""Python processes that import nothing from the current folder.

The current folder may be a bundle that a stranger sent. ``python -c`` and
``python -m`` put it first among the places of modules, and so does an empty
word in PYTHONPATH. ``-I`` leaves both out; Python 3.10 has no ``-P``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nova_profiler import OWN_FOLDER

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

_ISOLATED = "-I"


def leave_out_current_folder() -> None:
    """Take the current folder out of this process's places of modules.

    It stays where this package itself was loaded from it.
    """
    sys.path[:] = _places()


def isolated_python(code: str, *arguments: str) -> list[str]:
    """Return the command that has a new Python run *code*.

    It looks for modules where this process does, and for this package where
    it is: of a checkout that is installed as it stands, only a hook of
    imports knows the place.
    """
    home = _home()
    found = _places()
    if home not in map(os.path.realpath, found):
        found.append(home)
    places = f"import sys; sys.path[:] = {found!r}\n"
    return [sys.executable, _ISOLATED, "-c", places + code, *arguments]


@contextmanager
def isolated_spawn() -> Iterator[SpawnContext]:
    """Give multiprocessing's way to spawn, whose processes are isolated.

    Those that it starts before the end of the block; it also starts one
    that tracks semaphores.
    """
    # Only here: most commands start no process.
    import multiprocessing
    import multiprocessing.util

    # Both command lines take their flags from there, and nowhere else.
    util: Any = multiprocessing.util
    flags = util._args_from_interpreter_flags

    def isolated_flags() -> list[str]:
        return [_ISOLATED, *(flag for flag in flags() if flag != _ISOLATED)]

    util._args_from_interpreter_flags = isolated_flags
    before = list(sys.path)
    leave_out_current_folder()
    try:
        yield multiprocessing.get_context("spawn")
    finally:
        sys.path[:] = before
        util._args_from_interpreter_flags = flags


def _home() -> str:
    """Return the folder that this package is in."""
    return os.path.realpath(os.path.dirname(OWN_FOLDER.rstrip(os.sep)))


def _places() -> list[str]:
    """Return the places of modules without the current folder.

    Where this package was loaded from it, it stays, by its whole name.
    """
    home = _home()
    try:
        here = os.path.realpath(os.curdir)
    except OSError:
        # It was removed: no module can be in it.
        here = ""
    places = []
    for place in sys.path:
        real = os.path.realpath(place) if here or os.path.isabs(place) else ""
        if real == home:
            places.append(place if os.path.isabs(place) else home)
        elif os.path.isabs(place) and real != here:
            places.append(place)
    return places
