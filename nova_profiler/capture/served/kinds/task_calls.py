# SPDX-License-Identifier: Apache-2.0
"""A function that was submitted to a pool, as the pool calls it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter, time
from types import FunctionType
from typing import Any

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.lanes import Lane, PieceLane
from nova_profiler.capture.served.kinds.running_task import Task

# An attribute of the functions that are submitted in the place of nova's.
_MARK = "_nova_profiler_task"


class TaskCall:
    """What is known of a task when a parent submits it."""

    __slots__ = (
        "by",
        "context",
        "delay_s",
        "function",
        "is_kept",
        "lane_id",
        "parent",
        "pool",
        "sent",
        "since",
        "trace_id",
    )

    def __init__(
        self,
        function: Any,
        lane: Lane,
        executor: Any,
        context: object = None,
        delay_s: float = 0.0,
    ) -> None:
        """*lane* submits it; it is not to be begun within *delay_s*."""
        self.function = function
        self.parent = parent = lane.capture
        self.is_kept = parent.will_be_kept()
        # Known as long as the parent is on.
        self.trace_id = parent.served.trace_id
        # What submits it may be such a task itself, and its parent.
        self.by = lane.task
        self.lane_id = id(lane)
        self.pool = executor
        self.context = context
        self.delay_s = delay_s
        self.sent = time()
        self.since = perf_counter()


def as_task(call: TaskCall) -> Callable[..., Any]:
    """Return what a pool is given for the function of *call*.

    It looks like that function: nova takes names and a description from it.
    """
    function = call.function

    # A plain function: nothing of ours runs where names are asked for.
    @wraps(function, updated=())
    def run_task(*args: Any, **kwargs: Any) -> Any:
        task = watch = None
        try:
            task = begun(call)
            if task is not None:
                # What looks at the stack finds the task by its lane.
                lane = task.lane  # noqa: F841
                watch = task.watch
        except Exception as exc:
            HOOK_FAILURES.note("task_hook", exc)
        error = None
        try:
            if watch is None:
                return function(*args, **kwargs)
            return watch.run(partial(function, *args, **kwargs))
        except BaseException as exc:
            error = type(exc)
            raise
        finally:
            if task is not None:
                try:
                    task.end(error)
                except Exception as exc:
                    task.give_up(exc)

    vars(run_task)[_MARK] = True
    return run_task


def is_task(function: object) -> bool:
    """Return whether *function* is what as_task() has made."""
    return type(function) is FunctionType and _MARK in vars(function)


def begun(call: TaskCall) -> Task | None:
    """Return the task that *call* begins in this thread.

    None if it is no task: called in the place where it was submitted, or
    beyond the number of lanes that its parent can have.
    """
    task = Task(call)
    try:
        return task if _has_begun(task, call) else None
    except Exception as exc:
        task.give_up(exc)
        return None


def _has_begun(task: Task, call: TaskCall) -> bool:
    lane = current_lane()
    parent = call.parent
    if lane is None or lane.closed:
        if not parent.closed and task.enter(parent):
            return True
        # While it is on, its parent has all lanes that it can have.
        return parent.closed and task.begin()
    if (
        type(lane) is not PieceLane
        or lane.task is not None
        or lane.capture is not parent
        or id(lane) == call.lane_id
    ):
        return False
    task.take(lane)
    if parent.closed and task.claim():
        # It was closed a moment ago, and has not seen this task.
        lane.task = None
        return task.begin()
    return True
