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
from multiprocessing import pool as process_pool
from types import MethodType
from typing import Any

from nova_profiler.capture.current import (
    current_lane,
    lane_var,
    leave,
    taken_along,
    taken_back,
)
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.attribute_patches import (
    patch_family,
    patch_method,
    undo_all,
)
from nova_profiler.capture.hooks.spawns import greenlet_spawns
from nova_profiler.capture.hooks.spawns.handing_over import (
    handing_to_workers,
    starting_workers,
)

# Behind the instance.
_SUBMIT = handing_to_workers(1, "fn")
_POOL = handing_to_workers(1, "func")
# A method of RPCDispatcher.
_WATCHDOG = "_watchdog"


def install() -> Undo:
    """Wrap every way to start a thread or greenthread that is here.

    That covers nova's own helpers of every release (``utils.spawn``,
    ``spawn_n``, ``spawn_on``, ``thread_pool_factory.spawn_on``): all end in
    one of these. eventlet is never imported, only found where it is loaded.
    """
    undos = [
        patch_family(concurrent.futures.ThreadPoolExecutor, "submit", _SUBMIT),
        patch_family(threading.Thread, "start", _start),
        *_thread_pools(),
    ]
    # Only where they are loaded: importing futurist would import eventlet.
    futurist = sys.modules.get("futurist")
    for name in ("ThreadPoolExecutor", "GreenThreadPoolExecutor"):
        executor = getattr(futurist, name, None)
        if executor is not None:
            undos.append(patch_method(executor, "submit", _SUBMIT))
    processes = sys.modules.get("concurrent.futures.process")
    if processes is not None:
        # What it is given goes to another process; its own threads stay.
        undos.append(
            patch_method(
                processes.ProcessPoolExecutor, "submit", starting_workers
            )
        )
    undos.append(greenlet_spawns.install())
    return undo_all(undos)


def _thread_pools() -> list[Undo]:
    """Wrap multiprocessing's pool of threads, which lives as long as it may.

    Most methods are those of its pool of processes, which it inherits.
    """
    threads = process_pool.ThreadPool
    return [
        patch_method(process_pool.Pool, "__init__", starting_workers),
        *(
            patch_method(threads, name, _POOL)
            for name in ("apply_async", "_map_async", "imap", "imap_unordered")
            if hasattr(threads, name)
        ),
    ]


def _start(start: Callable[..., None]) -> Callable[..., None]:
    def start_with_lane(self: Any, /, *args: Any, **kwargs: Any) -> None:
        lane = restore = token = None
        try:
            lane = current_lane()
            if lane is not None and not lane.closed:
                if _works(self):
                    restore = _run_in_lane(self)
                # Greenthreads start by a spawn, which has nothing to take
                # along.
                token = lane_var.set(None)
        except Exception as exc:
            HOOK_FAILURES.note("spawn_hook", exc)
        if lane is None or token is None:
            return start(self, *args, **kwargs)
        try:
            return start(self, *args, **kwargs)
        except BaseException:
            try:
                # It was started before, or no thread can be had.
                if restore is not None:
                    restore(self)
                    taken_back(lane)
            except Exception as exc:
                HOOK_FAILURES.note("spawn_hook", exc)
            raise
        finally:
            try:
                lane_var.reset(token)
            except Exception as exc:
                leave(token, exc)

    return start_with_lane


def _works(thread: threading.Thread) -> bool:
    """Return whether *thread* works for what starts it.

    oslo.messaging's watchdog of a long call only sends heartbeats meanwhile.
    """
    target = getattr(thread, "_target", None)
    return getattr(target, "__name__", None) != _WATCHDOG


def _run_in_lane(thread: threading.Thread) -> Callable[[Any], None]:
    """Have *thread* run in a lane; return what puts its run() back."""
    calls = [taken_along(thread.run)]
    own_run = vars(thread).get("run")

    def restore(thread: Any) -> None:
        # As it was before: a thread that is over must not hold itself. What
        # has been put over ours since stays.
        calls.clear()
        here = vars(thread).get("run")
        if getattr(here, "__func__", None) is run:
            if own_run is None:
                del vars(thread)["run"]
            else:
                vars(thread)["run"] = own_run

    def run(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        call = None
        try:
            if calls:
                call = calls[0]
                restore(self)
        except Exception as exc:
            HOOK_FAILURES.note("spawn_hook", exc)
        if call is None:
            # Called once more, by hand.
            call = own_run or MethodType(type(self).run, self)
        return call(*args, **kwargs)

    # A method, as it was, on the instance, since subclasses override run().
    vars(thread)["run"] = MethodType(run, thread)
    return restore
