# SPDX-License-Identifier: Apache-2.0
"""Periodic tasks of oslo.service: a record each, each time that one is due.

oslo.service runs those that are due one after the other, logs what they
raise, and goes on. It calls them as they stand in a list of their class. So
the object has a list of its own for as long as it goes through that. Its
functions differ from those in the class by their records alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nova_profiler.capture.call_names import identifier
from nova_profiler.capture.current import open_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.served.kinds.own_records import OwnRecord
from nova_profiler.capture.served.kinds.task_names import Routes
from nova_profiler.capture.served.worker import Worker
from nova_profiler.record import PERIODIC

Call = Callable[..., Any]

# What the class has; an object never has it by itself.
_HOOK = "threads"
_TASKS = "_periodic_tasks"

_routes = Routes(PERIODIC.word, 1)
# Those that make records, the newest last.
_workers: list[Worker] = []


class Periodic(OwnRecord):
    """A periodic task that runs."""

    __slots__ = ()

    kind = PERIODIC


def install(worker: Worker) -> Undo:
    """Have records of *worker* from now on; returns what undoes it.

    Not where *worker* is not to know of threads.
    """
    if _HOOK not in worker.live.current.hooks:
        return lambda: None
    undo_patch = patch_when_loaded(
        [
            Point(
                _HOOK,
                "oslo_service.periodic_task",
                "PeriodicTasks.run_periodic_tasks",
                _recorded,
                ("context",),
            )
        ]
    )
    _workers.append(worker)
    done = False

    def undo() -> None:
        nonlocal done
        if not done:
            done = True
            _workers.remove(worker)
            undo_patch()

    return undo


def _recorded(run: Call) -> Call:
    @functools.wraps(run)
    def run_recorded(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        has_own = False
        try:
            if _workers and open_lane() is None and _TASKS not in vars(self):
                vars(self)[_TASKS] = _with_records(self, _workers[-1])
                has_own = True
        except Exception as exc:
            HOOK_FAILURES.note("periodic_hook", exc)
        if not has_own:
            # Part of what goes on, or nothing is wanted.
            return run(self, *args, **kwargs)
        try:
            return run(self, *args, **kwargs)
        finally:
            try:
                del vars(self)[_TASKS]
            except Exception as exc:
                _take_away(self, exc)

    return run_recorded


def _take_away(owner: Any, error: BaseException) -> None:
    """Take the list of *owner* away once more, which failed by *error*."""
    HOOK_FAILURES.note("periodic_hook", error)
    with suppress(Exception):
        vars(owner).pop(_TASKS, None)


def _with_records(owner: Any, worker: Worker) -> list[tuple[str, Call]]:
    """Return the tasks of *owner*, each with a record of *worker*."""
    class_name = identifier(type(owner).__name__)
    return [
        (name, _with_record(task, class_name, name, worker))
        for name, task in getattr(owner, _TASKS)
    ]


def _with_record(
    task: Call, class_name: str, name: object, worker: Worker
) -> Call:
    # With the attributes that oslo.service keeps there.
    @functools.wraps(task)
    def task_with_record(*args: Any, **kwargs: Any) -> Any:
        running = watch = None
        try:
            route = _routes.route(f"{class_name}.{identifier(name)}")
            # Behind the object there is the context of this round.
            context = args[1] if len(args) > 1 else None
            periodic = Periodic(worker, context)
            periodic.take_route(route)
            if periodic.begin():
                running = periodic
                watch = running.watch
        except Exception as exc:
            HOOK_FAILURES.note("periodic_hook", exc)
        error = None
        try:
            if watch is None:
                return task(*args, **kwargs)
            return watch.run(functools.partial(task, *args, **kwargs))
        except BaseException as exc:
            error = type(exc)
            raise
        finally:
            if running is not None:
                try:
                    running.finish(error)
                except Exception as exc:
                    running.give_up(exc)

    return task_with_record
