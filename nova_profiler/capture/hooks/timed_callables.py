# SPDX-License-Identifier: Apache-2.0
"""Hook that times functions and methods which an operator names."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
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

    def wrap(found: Any) -> Any:
        if type(found) is FunctionType:
            return _timed_function(found, key)
        # A staticmethod or classmethod of a function stays one.
        if type(found) in (staticmethod, classmethod) and (
            type(found.__func__) is FunctionType
        ):
            return type(found)(_timed_function(found.__func__, key))
        return TimedCallable(found, key)

    return wrap


class TimedCallable:
    """A callable that is no function, with its calls timed.

    It binds as what it stands for binds, and all else about it is asked of
    that: a decorator gets its instance, a cache can still be cleared, and
    another wrapper sees what kind of method it wraps.
    """

    def __init__(self, function: Any, key: CallKey) -> None:
        self.__wrapped__ = function
        self.__key = key
        self.__call = _timed(function, key)
        self.__doc__ = getattr(function, "__doc__", None)
        self.__module__ = getattr(function, "__module__", None) or ""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__call(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        bind = getattr(type(self.__wrapped__), "__get__", None)
        if bind is None:
            return self
        bound = bind(self.__wrapped__, instance, owner)
        try:
            return TimedCallable(bound, self.__key)
        except Exception as exc:
            HOOK_FAILURES.note("timed_hook", exc)
            return bound

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":
            # Being copied, which asks before there is one.
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> Any:
        return self.__wrapped__.__class__


def _timed_function(function: FunctionType, key: CallKey) -> Any:
    timed = functools.wraps(function)(_timed(function, key))
    for name in [name for name in vars(timed) if name.startswith("__dd_")]:
        # ddtrace keeps there what it would put back, and looks here.
        del vars(timed)[name]
    return timed


def _timed(function: Callable[..., Any], key: CallKey) -> Callable[..., Any]:
    def timed_call(*args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
        except Exception as exc:
            HOOK_FAILURES.note("timed_hook", exc)
        if lane is None:
            return function(*args, **kwargs)
        return call_timed(lane, key, function, args, kwargs)

    return timed_call
