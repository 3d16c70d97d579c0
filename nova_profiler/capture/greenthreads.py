# SPDX-License-Identifier: Apache-2.0
"""Threads, naps and locks of the system, whatever has been patched.

eventlet and gevent replace parts of the standard library by greenthreads.
Who looks after a child process must not run on, or wait for, their hub: it
would stand still with the requests that it is to look at.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast


def start_thread(function: Callable[[], None]) -> None:
    """Run *function* in a thread of the system, which ends with it.

    The process may end while it runs. May raise RuntimeError.
    """
    starter()(function, ())


def starter() -> Callable[..., Any]:
    """Return what starts a thread: as it was before anybody patched it."""
    return _unpatched("start_new_thread")


def runs_green() -> bool:
    """Return whether threads are greenthreads, of which one runs at most."""
    return starter() is not _thread.start_new_thread


def shares_threads() -> bool:
    """Return whether requests share threads as greenthreads.

    Then a thread's CPU clock tells nothing of one request.
    """
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        return True
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _unpatched(name: str) -> Callable[..., Any]:
    """Return a function of ``_thread`` as it was before it was patched."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        original = getattr(patcher.original("_thread"), name)
        return cast("Callable[..., Any]", original)
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("_thread"):
        original = monkey.get_original("_thread", name)
        return cast("Callable[..., Any]", original)
    return cast("Callable[..., Any]", getattr(_thread, name))


class Inbox:
    """Wakes the one thread that waits; telling it never waits.

    A lock that is free while there is news. No SimpleQueue: where a thread
    is off the processor for longer than its timeout, the one of CPython up
    to 3.11 waits for ever. A lock is handed its timeout as it is.
    """

    def __init__(self) -> None:
        self._no_news = _unpatched("allocate_lock")()
        self._no_news.acquire()

    def tell(self) -> None:
        """Have wait() return, now or when it is called next."""
        # There is news that nobody has looked at.
        with suppress(RuntimeError):
            self._no_news.release()

    def wait(self, seconds: float) -> bool:
        """Return whether there was news within *seconds*."""
        # Less than nothing is no limit, or an error.
        return bool(self._no_news.acquire(timeout=max(0.0, seconds)))


def nap(seconds: float) -> None:
    """Sleep: this thread of the system, not a greenthread."""
    Inbox().wait(seconds)
