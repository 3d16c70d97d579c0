# SPDX-License-Identifier: Apache-2.0
"""The capture being filled here and now, and its way into other threads.

Hooks add calls to the *lane* of the running thread or greenthread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from typing import Any

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.lanes import OVER, Capture, Lane

# Captures whose server never closes the body must not pile up.
MAX_ACTIVE = 10_000

lane_var: ContextVar[Lane | None] = ContextVar("nova_profiler", default=None)
current_lane = lane_var.get

# Empty outside requests, which hooks ask before they look any further.
active: dict[int, Capture] = {}


def forget_oldest() -> None:
    """Make room among the active captures for one more."""
    # Another thread may be quicker; the next request tries again.
    with suppress(StopIteration, RuntimeError):
        active.pop(next(iter(active)), None)


@cache
def forget_in_children() -> None:
    """Have processes forked from now on begin outside any request.

    privsep may fork its daemon in the middle of one. Asked for once, since os
    has no way to take it back.
    """
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    lane_var.set(None)
    active.clear()


def open_lane() -> Lane | None:
    """Return the lane that the ContextVar leads to, None if it is closed.

    For what is called very often, and by our own work after a request, too.
    """
    lane = current_lane()
    return None if lane is None or lane.closed else lane


def lane_here() -> Lane | None:
    """Return the lane of the running thread or greenthread, None if none is.

    The quickest hooks have these lines written out.
    """
    lane = current_lane()
    if lane is not None and not lane.closed:
        return lane
    if lane is None and not active:
        return None
    return find_lane(lane)


def find_lane(lane: Lane | None) -> Lane | None:
    """Return the lane for a call that the ContextVar did not lead to.

    *lane* is what the ContextVar held: nothing, or a lane whose request is
    over. nova carries oslo.context into every thread it starts; its request
    id names the request. None when there is no such request.
    """
    if lane is not None:
        # The record has gone out; this count goes out with the metrics. It
        # counts hooks that fired; several may see one call.
        HOOK_FAILURES.note("late_hooks")
    if not active:
        return None
    module = sys.modules.get("oslo_context.context")
    if module is None:
        return None
    context = module.get_current()
    request_id = getattr(context, "request_id", None)
    if request_id is None:
        return None
    for capture in list(active.values()):
        if capture.served.request_id() == request_id:
            return _lane_of_thread(capture)
    return None


def _lane_of_thread(capture: Capture) -> Lane | None:
    if capture.closed:
        return None
    if capture.found is None:
        capture.found = {}
    # Looked up now: under eventlet this is the greenthread's.
    ident = threading.get_ident()
    lane = capture.found.get(ident)
    if lane is None:
        lane = capture.new_lane()
        if lane is not None:
            capture.found[ident] = lane
    return lane


class LaneCall:
    """A callable that runs in a lane of its own of the request it is for."""

    __slots__ = ("begins", "capture", "function", "watched")

    def __init__(self, capture: Capture, function: Callable[..., Any]) -> None:
        self.capture = capture
        # Called in the lane before all else.
        self.begins: Callable[[Lane], None] | None = None
        self.function = function
        # Now, while the spawning function is on the stack.
        watch = capture.watch
        self.watched = function if watch is None else watch.spawned(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.capture.closed:
            return self.function(*args, **kwargs)
        # Beyond the most lanes its calls go nowhere, and it counts once.
        lane = self.capture.new_lane() or Lane(OVER)
        if self.begins is not None:
            self.begins(lane)
        token = lane_var.set(lane)
        try:
            return self.watched(*args, **kwargs)
        finally:
            lane_var.reset(token)
