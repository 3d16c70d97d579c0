# SPDX-License-Identifier: Apache-2.0
"""Tasks: what requests, messages and tasks hand to nova's pools.

One that ends before its parent, which is what submitted it, is a lane of the
parent. One that goes on after that has a record of its own. nova's modules
call the functions that submit as attributes of theirs, so that replacing
these catches all callers. Releases up to 2025.2 have them in ``nova.utils``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeGuard

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.served.kinds.own_records import OwnRecord
from nova_profiler.capture.served.kinds.task_calls import (
    TaskCall,
    as_task,
    is_task,
)
from nova_profiler.capture.served.worker import Worker

Call = Callable[..., Any]

_HOOK = "threads"
_FACTORY = "nova.thread_pool_factory"


class _Default:
    """Stands for the pool of functions that are given none."""

    name = "DEFAULT"


def install(worker: Worker) -> Undo:
    """Follow what is submitted from now on; returns what undoes it.

    Not where *worker* is not to know of threads.
    """
    if _HOOK not in worker.live.current.hooks:
        return lambda: None
    return follow()


def follow() -> Undo:
    """Follow what is submitted; returns what undoes it.

    The record of a task is made by the worker that serves its parent.
    """
    return patch_when_loaded(
        [
            Point(
                _HOOK,
                _FACTORY,
                "spawn_on",
                _on_pool,
                ("executor_type", "func"),
            ),
            Point(
                _HOOK,
                _FACTORY,
                "StaticallyDelayingCancellableTaskExecutorWrapper"
                ".submit_with_delay",
                _later,
                ("fn",),
                is_optional=True,
            ),
            Point(
                _HOOK,
                "nova.utils",
                "spawn_on",
                _on_pool,
                ("executor", "func"),
                is_optional=True,
            ),
            *(
                Point(
                    _HOOK,
                    "nova.utils",
                    name,
                    _on_default_pool,
                    ("func",),
                    is_optional=True,
                )
                for name in ("spawn", "spawn_n")
            ),
        ]
    )


def _on_pool(call: Call) -> Call:
    return _submitting(call, 1, "func", lambda args: args[0])


def _on_default_pool(call: Call) -> Call:
    return _submitting(call, 0, "func", lambda args: _Default)


def _later(call: Call) -> Call:
    return _submitting(
        call,
        1,
        "fn",
        lambda args: getattr(args[0], "_executor", None),
        lambda args: float(getattr(args[0], "_delay", 0.0)),
    )


def _submitting(
    call: Call,
    place: int,
    name: str,
    pool: Callable[[Any], Any],
    delay_s: Callable[[Any], float] = lambda args: 0.0,
) -> Call:
    """Return *call*, whose function to submit is argument number *place*.

    Arguments go on as they came: what was wrong about them is for the
    original to say.
    """

    @functools.wraps(call)
    def submitting(*args: Any, **kwargs: Any) -> Any:
        try:
            lane = current_lane()
            if _is_parent(lane) and len(args) > place:
                function = args[place]
                # spawn() of older releases ends in spawn_on().
                if callable(function) and not is_task(function):
                    context = _context_of(lane)
                    known = TaskCall(
                        function, lane, pool(args), context, delay_s(args)
                    )
                    task = as_task(known)
                    args = (*args[:place], task, *args[place + 1 :])
        except Exception as exc:
            HOOK_FAILURES.note("task_hook", exc)
        return call(*args, **kwargs)

    return submitting


def _is_parent(lane: Lane | None) -> TypeGuard[Lane]:
    """Return whether what runs in *lane* submits tasks of its own."""
    return (
        lane is not None
        and not lane.closed
        and lane.capture.worker is not None
    )


def _context_of(lane: Lane) -> object:
    """Return the oslo.context of what works in *lane*, None without one.

    nova hands on that of the thread. A timer's thread, where periodic tasks
    run, keeps that of its first round.
    """
    served = lane.capture.served
    if isinstance(served, OwnRecord) and served.context is not None:
        return served.context
    module = sys.modules.get("oslo_context.context")
    return None if module is None else module.get_current()
