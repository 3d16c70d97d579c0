# SPDX-License-Identifier: Apache-2.0
"""Libraries of nothing but the functions that a hook replaces.

What a hook adds is microseconds; the real functions take up to seconds, and
vary by more than that.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put *value* in the place of what *owner* has, for a while."""
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def library(
    module: str, functions: dict[str, Callable[..., Any]], **members: Any
) -> Iterator[types.ModuleType]:
    """Have a *module* with *functions* by their path, for a while."""
    made: Any = types.ModuleType(module)
    for path, function in functions.items():
        *classes, name = path.split(".")
        owner = made
        for part in classes:
            if not hasattr(owner, part):
                setattr(owner, part, type(part, (), {}))
            owner = getattr(owner, part)
        setattr(owner, name, function)
    for name, value in members.items():
        setattr(made, name, value)
    before = sys.modules.get(module)
    sys.modules[module] = made
    try:
        yield made
    finally:
        if before is None:
            del sys.modules[module]
        else:
            sys.modules[module] = before


@contextmanager
def libraries(
    *stubs: tuple[str, dict[str, Callable[..., Any]]],
) -> Iterator[list[types.ModuleType]]:
    """Have several at once: module and functions of each."""
    with ExitStack() as stack:
        yield [stack.enter_context(library(*stub)) for stub in stubs]
