# SPDX-License-Identifier: Apache-2.0
"""What takes the request along with a function that is handed over.

Arguments go on as they came: what was wrong about them is for the original
to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_profiler.capture.current import (
    current_lane,
    lane_var,
    leave,
    taken_along,
)
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.pool_waits import note_submit

Call = Callable[..., Any]


def handing_over(place: int, name: str) -> Callable[[Call], Call]:
    """Return what wraps a callable that is given a function to hand over.

    That is argument number *place*, or the keyword *name*.
    """

    def wrap(call: Call) -> Call:
        def call_with_lane(*args: Any, **kwargs: Any) -> Any:
            try:
                if current_lane() is not None:
                    args, kwargs = _with_lane(args, kwargs, place, name)
            except Exception as exc:
                HOOK_FAILURES.note("spawn_hook", exc)
            return call(*args, **kwargs)

        return call_with_lane

    return wrap


def handing_to_workers(place: int, name: str) -> Callable[[Call], Call]:
    """Return the same for what may start workers, which get no lane.

    They go on to work for other requests.
    """

    def wrap(call: Call) -> Call:
        def call_with_lane(*args: Any, **kwargs: Any) -> Any:
            token = None
            try:
                if current_lane() is not None:
                    executor = args[0] if place and args else None
                    args, kwargs = _with_lane(
                        args, kwargs, place, name, executor
                    )
                    token = lane_var.set(None)
            except Exception as exc:
                HOOK_FAILURES.note("spawn_hook", exc)
            if token is None:
                return call(*args, **kwargs)
            try:
                return call(*args, **kwargs)
            finally:
                try:
                    lane_var.reset(token)
                except Exception as exc:
                    leave(token, exc)

        return call_with_lane

    return wrap


def starting_workers(call: Call) -> Call:
    """Return *call*, whose threads belong to no request."""

    def call_without_lane(*args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            if current_lane() is not None:
                token = lane_var.set(None)
        except Exception as exc:
            HOOK_FAILURES.note("spawn_hook", exc)
        if token is None:
            return call(*args, **kwargs)
        try:
            return call(*args, **kwargs)
        finally:
            try:
                lane_var.reset(token)
            except Exception as exc:
                leave(token, exc)

    return call_without_lane


def _with_lane(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    place: int,
    name: str,
    executor: object = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments, the function among them taken along.

    It may wait for a worker of *executor*, if there is one.
    """
    if len(args) > place:
        given = args[place]
    elif name in kwargs:
        given = kwargs[name]
    else:
        return args, kwargs
    function = taken_along(given)
    if executor is not None and function is not given:
        note_submit(function, executor)
    if len(args) > place:
        return (*args[:place], function, *args[place + 1 :]), kwargs
    return args, {**kwargs, name: function}
