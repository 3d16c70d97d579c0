# SPDX-License-Identifier: Apache-2.0
"""Hook that names what logging waits for: a disk, a socket, other threads.

Most messages are out in microseconds: these are counted. At DEBUG there are
hundreds in a request.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from nova_profiler.capture.call_names import NamedKeys, identifier
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane, open_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import MIN_WAIT_S, add_wait, named_s
from nova_profiler.groups import COUNT_PLACES, LOCK, LOG

_RECORDS = COUNT_PLACES["log_records"]
_TURN = CallKey(LOCK.name, "logging")
# eventlet has handlers use the second one.
_RLOCKS = (type(threading.RLock()), threading._PyRLock)  # type: ignore[attr-defined]
_BIT = CallKey(LOG.name, "").bit


def install() -> Undo:
    """Name waits of handlers in the current lane; returns what undoes it."""
    keys = NamedKeys(LOG.name)
    point = Point(
        "log",
        "logging",
        "Handler.handle",
        functools.partial(_timed, keys),
        ("record",),
    )
    return patch_when_loaded([point])


def _timed(
    keys: NamedKeys, handle: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    @functools.wraps(handle)
    def timed_handle(self: logging.Handler, record: Any) -> Any:
        lane = None
        is_held = False
        try:
            if current_lane() is not None:
                lane = open_lane()
            if lane is not None:
                lane.counts[_RECORDS] += 1
                lock: Any = getattr(self, "lock", None)
                # handle() takes it again. A filter runs before that, and may
                # wait for a thread that wants it.
                if _is_reentrant(lock) and not _has_filters(self):
                    if lock.acquire(False):
                        is_held = True
                    else:
                        # Read off the stack while it waits, like the lane.
                        key, start = _TURN, perf_counter()
                        lock.acquire()
                        is_held = True
                        waited = start, perf_counter()
                        del start
                        add_wait(lane, key, *waited)
        except Exception as exc:
            HOOK_FAILURES.note("log_hook", exc)
        try:
            if lane is None:
                return handle(self, record)
            return _handled(lane, keys, handle, self, record)
        finally:
            if is_held:
                try:
                    lock.release()
                except MemoryError:
                    # Others would wait for ever.
                    lock.release()

    return timed_handle


def _has_filters(handler: Any) -> bool:
    """Return whether a filter may run before *handler* takes its lock."""
    return (
        getattr(handler, "filters", True)
        or type(handler).filter is not logging.Filterer.filter
        or "filter" in vars(handler)
    )


def _is_reentrant(lock: Any) -> bool:
    """Return whether *lock* is one that its holder may take again.

    oslo.log's, for eventlet, counts how deep it is held.
    """
    return isinstance(lock, _RLOCKS) or hasattr(lock, "recursion_depth")


def _handled(
    lane: Lane,
    keys: NamedKeys,
    handle: Callable[[Any, Any], Any],
    handler: logging.Handler,
    record: Any,
) -> Any:
    open_groups = lane.open_groups
    key = start = None
    try:
        # Its own name is worked out for a long time alone.
        key = keys.other
        named_before_s = named_s(lane)
        lane.open_groups = open_groups | _BIT
        start = perf_counter()
    except Exception as exc:
        HOOK_FAILURES.note("log_hook", exc)
    try:
        return handle(handler, record)
    finally:
        try:
            end = perf_counter()
            lane.open_groups = open_groups
            if start is not None and end - start > MIN_WAIT_S:
                key = keys.key(identifier(type(handler).__name__))
                if open_groups & _BIT:
                    key = key.nested
                inside_s = named_s(lane) - named_before_s
                add_wait(lane, key, start, end, inside_s)
        except Exception as exc:
            HOOK_FAILURES.note("log_hook", exc)
