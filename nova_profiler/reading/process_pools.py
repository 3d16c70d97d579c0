# SPDX-License-Identifier: Apache-2.0
"""A pool of processes that ends even if a signal killed them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

_LOOK_S = 0.05


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def end_processes() -> None:
    """Kill the processes of all pools, and let go of what they share.

    For a process that ends by ``os._exit()`` beside threads that read: its
    pools would wait for work for ever.
    """
    for one in multiprocessing.active_children():
        one.kill()
    # As multiprocessing does at the end of an interpreter; its tracker would
    # tell of semaphores that were left.
    util: Any = multiprocessing.util
    util._exit_function()


@contextmanager
def process_pool(*args: Any) -> Iterator[ProcessPoolExecutor]:
    """Give ``ProcessPoolExecutor(*args)``; at its end cancel what is left.

    Up to Python 3.11 a pool hangs at its end if its processes were killed,
    by a signal to the group or for want of memory, while its thread was
    writing to them. The pipe is closed here then, as later versions do
    (python/cpython#94777).
    """
    pool = ProcessPoolExecutor(*args)
    try:
        yield pool
    finally:
        # Before shutdown(), which forgets both.
        manager = getattr(pool, "_executor_manager_thread", None)
        work: Any = getattr(pool, "_call_queue", None)
        pool.shutdown(wait=False, cancel_futures=True)
        while manager is not None and manager.is_alive():
            manager.join(_LOOK_S)
            if getattr(pool, "_broken", False):
                with suppress(AttributeError, OSError):
                    work._reader.close()
