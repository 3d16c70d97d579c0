# SPDX-License-Identifier: Apache-2.0
"""Threads, naps and queues of the system, whatever has been patched.

eventlet and gevent replace parts of the standard library by greenthreads.
Who looks after a child process must not run on, or wait for, their hub: it
would stand still with the requests that it is to look at. The modules
``posix`` and ``_queue`` are the C parts that nobody patches.
"""

from __future__ import annotations

import _thread
import sys
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from typing import Any, cast


def start_thread(function: Callable[[], None]) -> None:
    """Run *function* in a thread of the system, which ends with it.

    The process may end while it runs. May raise RuntimeError.
    """
    starter()(function, ())


def starter() -> Callable[..., Any]:
    """Return what starts a thread: as it was before anybody patched it."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        original = patcher.original("_thread").start_new_thread
        return cast("Callable[..., Any]", original)
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("_thread"):
        original = monkey.get_original("_thread", "start_new_thread")
        return cast("Callable[..., Any]", original)
    return _thread.start_new_thread


def runs_green() -> bool:
    """Return whether threads are greenthreads, of which one runs at most."""
    return starter() is not _thread.start_new_thread


class Inbox:
    """Wakes the one thread that waits; telling it never waits."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()

    def tell(self) -> None:
        """Have wait() return, now or when it is called next."""
        self._queue.put(None)

    def wait(self, seconds: float | None) -> bool:
        """Return whether there was news within *seconds*."""
        try:
            self._queue.get(timeout=seconds)
        except Empty:
            return False
        return True


def nap(seconds: float) -> None:
    """Sleep: this thread of the system, not a greenthread."""
    Inbox().wait(seconds)
