# SPDX-License-Identifier: Apache-2.0
"""What takes the request along with a function that is handed over.

Arguments go on as they came: what was wrong about them is for the original
to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_profiler.capture.current import current_lane, lane_var, taken_along
from nova_profiler.capture.hooks.pool_waits import note_submit

Call = Callable[..., Any]


def handing_over(place: int, name: str) -> Callable[[Call], Call]:
    """Return what wraps a callable that is given a function to hand over.

    That is argument number *place*, or the keyword *name*.
    """

    def wrap(call: Call) -> Call:
        def call_with_lane(*args: Any, **kwargs: Any) -> Any:
            if current_lane() is not None:
                args, kwargs = _with_lane(args, kwargs, place, name)
            return call(*args, **kwargs)

        return call_with_lane

    return wrap


def handing_to_workers(place: int, name: str) -> Callable[[Call], Call]:
    """Return the same for what may start workers, which get no lane.

    They go on to work for other requests.
    """

    def wrap(call: Call) -> Call:
        def call_with_lane(*args: Any, **kwargs: Any) -> Any:
            if current_lane() is None:
                return call(*args, **kwargs)
            args, kwargs = _with_lane(args, kwargs, place, name)
            token = lane_var.set(None)
            try:
                return call(*args, **kwargs)
            finally:
                lane_var.reset(token)

        return call_with_lane

    return wrap


def starting_workers(call: Call) -> Call:
    """Return *call*, whose threads belong to no request."""

    def call_without_lane(*args: Any, **kwargs: Any) -> Any:
        if current_lane() is None:
            return call(*args, **kwargs)
        token = lane_var.set(None)
        try:
            return call(*args, **kwargs)
        finally:
            lane_var.reset(token)

    return call_without_lane


def _with_lane(
    args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments, the function among them taken along."""
    if len(args) > place:
        function = taken_along(args[place])
        if place and function is not args[place]:
            # Behind the instance: an executor, whose worker may take time.
            note_submit(function, args[0])
        return (*args[:place], function, *args[place + 1 :]), kwargs
    if name in kwargs:
        kwargs[name] = taken_along(kwargs[name])
    return args, kwargs
