# SPDX-License-Identifier: Apache-2.0
"""Routes of tasks and periodic tasks: names of code, few, without values."""

from __future__ import annotations

import functools
from types import MethodType
from typing import Any

from nova_profiler.capture.call_names import (
    MOST_NAMES,
    OTHER,
    dotted,
    identifier,
)

# More than anything is wrapped in.
_MOST_WRAPS = 20
# Of a name before it is made shorter.
_MOST_LETTERS = 400


def function_of(given: Any) -> str:
    """Return the qualified name of what *given* calls in the end.

    That is ``ComputeManager._do_live_migration`` for the bound method and
    for a partial of it; ``OTHER`` where code gave it a name that is none.
    Arguments are never looked at.
    """
    for _ in range(_MOST_WRAPS):
        if isinstance(given, functools.partial):
            given = given.func
        elif type(given) is MethodType:
            given = given.__func__
        else:
            break
    name = getattr(given, "__qualname__", None)
    if not isinstance(name, str):
        # An object that can be called.
        name = type(given).__qualname__
    if len(name) > _MOST_LETTERS:
        return OTHER
    bare = name.replace("<locals>.", "").replace("<lambda>", "lambda")
    return dotted(bare)


def pool_of(executor: Any) -> str:
    """Return the name of a pool in capitals, as ``LONG_TASK``.

    *executor* is nova's type of it, or the executor itself, which has the
    process in front of its name.
    """
    name = getattr(executor, "name", None)
    if isinstance(name, str) and name:
        return identifier(name.rpartition(".")[2].upper())
    return identifier(type(executor).__name__)


class Routes:
    """The routes of one kind: MOST_NAMES of them, then one more."""

    def __init__(self, word: str, others: int) -> None:
        """*word* is their first; *others* is how many names follow it."""
        self._word = word
        self._other = " ".join((word, *[OTHER] * others))
        self._routes: dict[tuple[str, ...], str] = {}

    def route(self, *names: str) -> str:
        """Return the route of *names*, or that of all further ones."""
        found = self._routes.get(names)
        if found is not None:
            return found
        if len(self._routes) >= MOST_NAMES:
            return self._other
        # Another thread may have been quicker, with the same.
        return self._routes.setdefault(names, " ".join((self._word, *names)))
