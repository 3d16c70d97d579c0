# SPDX-License-Identifier: Apache-2.0
"""The dialects of SQLAlchemy: methods of every class of them, wrapped.

A dialect may have its own of any method, and may be loaded long after the
hook: classes that are there are wrapped at once, others before the first
connection that is made for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import WeakSet

from sqlalchemy.engine import default
from sqlalchemy.pool import base as pool_base

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Shared, Undo
from nova_profiler.capture.hooks.attribute_patches import (
    Wrap,
    patch_method,
    undo_all,
)

_shared = Shared()
_undos: list[Undo] = []
_seen: WeakSet[type] = WeakSet()


def install(wraps: Mapping[str, Wrap]) -> Undo:
    """Wrap each method that *wraps* names by the wrapper beside it.

    Installers share what the first one wrapped. Returns the function that
    undoes this call.
    """

    def begin() -> Undo:
        # Engine.__init__ would be the place, were its arguments not looked
        # up by create_engine.
        _undos.append(
            patch_method(
                pool_base._ConnectionRecord, "__init__", _seeing(wraps)
            )
        )
        for dialect in _family(default.DefaultDialect):
            _wrap_methods(dialect, wraps)
        return _unwrap_all

    return _shared.install(begin)


def _unwrap_all() -> None:
    undo_all(_undos)()
    _undos.clear()
    _seen.clear()


def _seeing(wraps: Mapping[str, Wrap]) -> Wrap:
    """Return what makes a connection wrap the class of its dialect."""

    def wrap(init: Callable[..., None]) -> Callable[..., None]:
        def seeing_init(
            record: Any, pool: Any, *args: Any, **kwargs: Any
        ) -> None:
            try:
                dialect = type(pool._dialect)
                if dialect not in _seen:
                    with _shared.lock.now:
                        if _shared.installers:
                            _wrap_methods(dialect, wraps)
            except Exception as exc:
                # Another kind of pool; its connection is made all the same.
                HOOK_FAILURES.note("sqlalchemy_hook", exc)
            init(record, pool, *args, **kwargs)

        return seeing_init

    return wrap


def _family(dialect: type) -> Iterator[type]:
    """Yield *dialect* and all classes derived from it."""
    yield dialect
    derived: type
    for derived in dialect.__subclasses__():
        yield from _family(derived)


def _wrap_methods(dialect: type, wraps: Mapping[str, Wrap]) -> None:
    """Wrap the methods of *dialect*, and of what it is made of."""
    for owner in dialect.__mro__:
        if owner in _seen:
            continue
        _seen.add(owner)
        for name, wrap in wraps.items():
            if not _is_method(vars(owner).get(name)):
                continue
            try:
                _undos.append(patch_method(owner, name, wrap))
            except (AttributeError, TypeError) as exc:
                # A class that takes no attributes is used as it is.
                HOOK_FAILURES.note("sqlalchemy_hook", exc)


def _is_method(found: Any) -> bool:
    """Return whether *found* is called with the dialect before all else."""
    return hasattr(type(found), "__get__") and not isinstance(
        found, (staticmethod, classmethod)
    )
