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
from contextvars import ContextVar, Token
from functools import cache
from typing import Any

from nova_profiler.capture import run_queue
from nova_profiler.capture.captures import CLAIMS, OVER, Capture, handing_of
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.lanes import Lane, PieceLane

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
    run_queue.forget()


def leave(token: Token[Lane | None] | None, error: BaseException) -> None:
    """Leave a lane once more, which failed by *error*. Never raises.

    Without a *token* it was not entered.
    """
    HOOK_FAILURES.note("lane", error)
    with suppress(Exception):
        if token is not None:
            lane_var.reset(token)


def open_lane() -> Lane | None:
    """Return the lane that the ContextVar leads to, None if it is closed.

    For what is called very often, and by our own work after a request, too.
    """
    lane = current_lane()
    if lane is None or lane.closed:
        return None
    return find_lane(lane) if lane.unsure else lane


def lane_here() -> Lane | None:
    """Return the lane of the running thread or greenthread, None if none is.

    The quickest hooks have these lines written out.
    """
    lane = current_lane()
    if lane is not None and not lane.unsure:
        return lane
    if lane is None and not active:
        return None
    return find_lane(lane)


def find_lane(lane: Lane | None) -> Lane | None:
    """Return the lane for a call that the ContextVar does not decide.

    *lane* is what the ContextVar held: nothing, a lane whose request is
    over, or one that a copied context may have taken to another thread. nova
    carries oslo.context into every thread it starts; its request id names
    the request. None when there is no such request.
    """
    if lane is not None:
        if not lane.closed:
            handing = lane.capture.handing
            home = None if handing is None else handing.homes.get(lane)
            if home is None or home == threading.get_ident():
                return lane
            return _lane_of_thread(lane.capture)
        # The record has gone out; this count goes out with the metrics. The
        # thread may live on for ever: what it does next is not this request's.
        HOOK_FAILURES.note("late_hooks")
        lane_var.set(None)
    if not active:
        return None
    module = sys.modules.get("oslo_context.context")
    context = None if module is None else module.get_current()
    request_id = getattr(context, "request_id", None)
    if request_id is not None:
        for capture in list(active.values()):
            if capture.served.request_id() == request_id:
                return _lane_of_thread(capture)
    elif lane is None:
        CLAIMS.unclaimed += 1
    return None


def _lane_of_thread(capture: Capture) -> Lane | None:
    if capture.closed:
        return None
    found = handing_of(capture).found
    # Looked up now: under eventlet this is the greenthread's.
    ident = threading.get_ident()
    lane = found.get(ident)
    if lane is None:
        lane = capture.new_lane()
        if lane is not None:
            found[ident] = lane
    return lane


def taken_along(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* bound to a new lane; itself outside any request."""
    lane = current_lane()
    if lane is None or lane.closed or not callable(function):
        return function
    capture = lane.capture
    handing = handing_of(capture)
    next(handing.handed)
    if not lane.unsure:
        # From now on a copy of this context may be in use elsewhere.
        handing.homes[lane] = threading.get_ident()
        lane.unsure = True
    return LaneCall(capture, function)


def taken_back(lane: Lane) -> None:
    """Note that what was taken along from *lane* will not be called."""
    handing = lane.capture.handing
    if handing is not None:
        next(handing.taken_back)


class LaneCall:
    """A callable that runs in a lane of its own of the request it is for.

    It looks like the function that it calls: agents ask for names.
    """

    def __init__(self, capture: Capture, function: Callable[..., Any]) -> None:
        self.capture = capture
        # Called with the lane before all else.
        self.begins: Callable[[Lane], None] | None = None
        self.__wrapped__ = function
        self.__module__ = getattr(function, "__module__", __name__)
        # Now, while the spawning function is on the stack; for one call.
        self.watched = [self._watched()]

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":
            # Being copied, which asks before there is one.
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> Any:
        return self.__wrapped__.__class__

    def _watched(self) -> Callable[..., Any]:
        watch = self.capture.watch
        if watch is None:
            return self.__wrapped__
        return watch.spawned(self.__wrapped__)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            if not self.capture.closed:
                # Beyond the most lanes its calls go nowhere, and it counts
                # once.
                lane = PieceLane(self.capture)
                if not self.capture.has_added(lane):
                    lane = PieceLane(OVER)
                try:
                    watched = self.watched.pop()
                except IndexError:
                    # A pool calls it once for each item of many, at the same
                    # time.
                    watched = self._watched()
                    lane.is_first = False
                if self.begins is not None:
                    self.begins(lane)
                token = lane_var.set(lane)
        except Exception as exc:
            HOOK_FAILURES.note("spawn_hook", exc)
        if token is None:
            return self.__wrapped__(*args, **kwargs)
        lane.running = True
        try:
            return watched(*args, **kwargs)
        finally:
            lane.running = False
            lane.ended = True
            try:
                lane_var.reset(token)
            except Exception as exc:
                leave(token, exc)
