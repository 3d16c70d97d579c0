# SPDX-License-Identifier: Apache-2.0
"""Hook that takes the request along into threads and greenthreads.

nova hands work to executors and helpers that carry oslo.context and nothing
else. Each piece of work that a request hands over gets a lane of its own;
the worker itself gets none, since it goes on to work for other requests.
"""

from __future__ import annotations

import concurrent.futures
import sys
import threading
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.current import LaneCall, current_lane, lane_var
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.attribute_patches import patch, undo_all
from nova_profiler.capture.hooks.pool_waits import note_submit
from nova_profiler.capture.lanes import Capture


def install() -> Undo:
    """Wrap every way to start a thread or greenthread that is here.

    That covers nova's own helpers of every release (``utils.spawn``,
    ``spawn_n``, ``spawn_on``, ``thread_pool_factory.spawn_on``): all end in
    one of these. eventlet is never imported, only found where it is loaded.
    """
    undos = [
        patch(concurrent.futures.ThreadPoolExecutor, "submit", _submit),
        patch(threading.Thread, "start", _start),
    ]
    # Only where it is loaded: importing futurist would import eventlet.
    futurist = sys.modules.get("futurist")
    for name in ("ThreadPoolExecutor", "GreenThreadPoolExecutor"):
        executor = getattr(futurist, name, None)
        if executor is not None:
            undos.append(patch(executor, "submit", _submit))
    undos += _eventlet()
    return undo_all(undos)


def _eventlet() -> list[Undo]:
    undos = []
    for module_name in ("eventlet", "eventlet.greenthread"):
        module = sys.modules.get(module_name)
        for name, wrap in (
            ("spawn", _spawn),
            ("spawn_n", _spawn),
            ("spawn_after", _spawn_after),
            ("spawn_after_local", _spawn_after),
        ):
            if module is not None and hasattr(module, name):
                undos.append(patch(module, name, wrap))
    return undos


def _taken_along(function: Callable[..., Any]) -> LaneCall | None:
    """Return *function* bound to a new lane, None outside any request."""
    lane = current_lane()
    if lane is None or lane.closed:
        return None
    return LaneCall(lane.capture, function)


def _submit(submit: Callable[..., Any]) -> Callable[..., Any]:
    def submit_with_lane(
        self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        call = _taken_along(fn)
        if call is None:
            return submit(self, fn, *args, **kwargs)
        note_submit(call, self)
        # A worker that is started for this work must not inherit the lane.
        token = lane_var.set(None)
        try:
            return submit(self, call, *args, **kwargs)
        finally:
            lane_var.reset(token)

    return submit_with_lane


def _spawn(spawn: Callable[..., Any]) -> Callable[..., Any]:
    def spawn_with_lane(
        func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        return spawn(_taken_along(func) or func, *args, **kwargs)

    return spawn_with_lane


def _spawn_after(spawn: Callable[..., Any]) -> Callable[..., Any]:
    def spawn_after_with_lane(
        seconds: float, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        return spawn(seconds, _taken_along(func) or func, *args, **kwargs)

    return spawn_after_with_lane


def _start(start: Callable[[Any], None]) -> Callable[[Any], None]:
    def start_with_lane(self: threading.Thread) -> None:
        lane = current_lane()
        if lane is not None and not lane.closed:
            _run_in_lane(self, lane.capture)
        start(self)

    return start_with_lane


def _run_in_lane(thread: threading.Thread, capture: Capture) -> None:
    """Have *thread* run in a lane of *capture*."""
    call = LaneCall(capture, thread.run)
    own_run = vars(thread).get("run")

    def run_in_lane() -> None:
        # As it was before: a thread that is over must not hold itself.
        if own_run is None:
            vars(thread).pop("run", None)
        else:
            vars(thread)["run"] = own_run
        call()

    # On the instance, since subclasses override run().
    vars(thread)["run"] = run_in_lane
