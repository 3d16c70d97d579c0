# SPDX-License-Identifier: Apache-2.0
"""Hook that times functions and methods which an operator names."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import lane_here
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import patch, undo_all
from nova_profiler.capture.timing import call_timed
from nova_profiler.groups import TIMED

GROUP = TIMED.name


def install(names: Iterable[str]) -> Undo:
    """Time each of *names*: ``module:function``, ``module:Class.method``.

    Returns the function that undoes it. Raises HookError for a name that
    leads nowhere; then none is timed.
    """
    undos: list[Undo] = []
    try:
        for name in names:
            owner, attribute = _place_of(name)
            try:
                undos.append(patch(owner, attribute, _wrap(name)))
            except (TypeError, AttributeError) as exc:
                # Types made in C cannot be changed.
                raise HookError(f"timed_callables: {name!r}: {exc}") from exc
    except BaseException:
        undo_all(undos)()
        raise
    return undo_all(undos)


def _place_of(name: str) -> tuple[Any, str]:
    module_name, colon, path = name.partition(":")
    if not colon or not path:
        raise HookError(
            f"timed_callables: {name!r}: expected module:function or "
            "module:Class.method"
        )
    try:
        owner: Any = importlib.import_module(module_name)
        *classes, attribute = path.split(".")
        for part in classes:
            owner = getattr(owner, part)
        found = getattr(owner, attribute)
    except Exception as exc:
        raise HookError(f"timed_callables: {name!r}: {exc}") from exc
    if not callable(found) or inspect.isclass(found):
        raise HookError(f"timed_callables: {name!r} is no function")
    if inspect.iscoroutinefunction(found) or inspect.isgeneratorfunction(
        found
    ):
        raise HookError(
            f"timed_callables: {name!r} only begins its work when called; "
            "name a function that does it"
        )
    return owner, attribute


def _wrap(name: str) -> Callable[[Any], Any]:
    module, _, path = name.partition(":")
    key = CallKey(GROUP, path, f"{module}.{path}")

    def wrap(function: Any) -> Any:
        # A staticmethod or classmethod is timed inside and stays one.
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(_timed(function.__func__, key))
        return _timed(function, key)

    return wrap


def _timed(function: Callable[..., Any], key: CallKey) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed_call(*args: Any, **kwargs: Any) -> Any:
        lane = lane_here()
        if lane is None:
            return function(*args, **kwargs)
        return call_timed(lane, key, function, args, kwargs)

    return timed_call
