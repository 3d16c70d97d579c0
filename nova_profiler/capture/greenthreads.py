# SPDX-License-Identifier: Apache-2.0
"""Whether threads are greenthreads, and real threads where they are.

eventlet and gevent replace parts of the standard library by greenthreads.
This module asks them, where they are loaded, and imports neither. A thread
that looks after a child process must not run on their hub: the hub stands
still with the requests that the child is to look at.
"""

from __future__ import annotations

import _thread
import os
import select
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any


def runs_green() -> bool:
    """Return whether requests share threads as greenthreads.

    Then the CPU clock and the profile function of a thread belong to no
    single request. Asked in a greenthread it knows that also where neither
    library has patched threads.
    """
    if _patching_eventlet() is not None:
        return True
    if _has_gevent_patched():
        return True
    # A thread's first greenlet has no parent; any other may be switched.
    module = sys.modules.get("greenlet")
    return module is not None and module.getcurrent().parent is not None


def _has_gevent_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def greenlet_module() -> ModuleType | None:
    """Return greenlet where requests may be greenlets, None elsewhere."""
    module = sys.modules.get("greenlet")
    return module if module is not None and runs_green() else None


def first_greenlet(module: ModuleType) -> Any:
    """Return the first greenlet of this thread, which stands for it."""
    found = module.getcurrent()
    while found.parent is not None:
        found = found.parent
    return found


def reference_to_greenlet() -> Callable[[], Any]:
    """Return what returns the greenlet that runs now, as long as it lives."""
    module = sys.modules.get("greenlet")
    return _nothing if module is None else weakref.ref(module.getcurrent())


def _nothing() -> None:
    """Stand for a greenlet where there are none."""


def uses_thread_pool() -> bool:
    """Return whether eventlet's pool of threads of the system was used."""
    pool = sys.modules.get("eventlet.tpool")
    return bool(getattr(pool, "_setup_already", False))


def thread_local() -> Any:
    """Return an object whose attributes belong to a thread of the system.

    Greenthreads share them, as they share their thread's profile function.
    """
    return _unpatched("_local")()


def thread_ident() -> int:
    """Return the number of this thread of the system."""
    return ident_function()()


def ident_function() -> Callable[[], int]:
    """Return what returns the number of the thread that calls it.

    Right as long as eventlet and gevent patch no more threads.
    """
    found: Callable[[], int] = _unpatched("get_ident")
    return found


def start_thread(function: Callable[[], None]) -> None:
    """Run *function* in a thread of the system, which ends with it.

    The process may end while it runs. May raise RuntimeError.
    """
    if _patching_eventlet() is None and not _has_gevent_patched():
        _thread.start_new_thread(function, ())
        return
    _forget_in_children()
    _unpatched("start_new_thread")(_run_apart, (function, ident_function()))


# Threads of ours beside greenthreads, by their numbers.
_apart: set[int] = set()


def _run_apart(function: Callable[[], None], ident: Callable[[], int]) -> None:
    number = ident()
    _apart.add(number)
    try:
        function()
    finally:
        _apart.discard(number)


@cache
def _forget_in_children() -> None:
    os.register_at_fork(after_in_child=_apart.clear)


def is_apart() -> bool:
    """Return whether this is a thread of ours beside greenthreads.

    It must wait for no lock of the host's, as that of a handler of logs: a
    greenthread may have it, and what waits for that would never be woken.
    """
    return bool(_apart) and thread_ident() in _apart


def lock_of_system() -> Any:
    """Return a lock between threads of the system, to be held for moments."""
    return _unpatched("allocate_lock")()


def poll_of_system() -> select.poll:
    """Return an object that polls files in this thread of the system."""
    poll: select.poll = _unpatched("poll", select)()
    return poll


def _unpatched(name: str, module: ModuleType = _thread) -> Any:
    """Return *name* of *module* as it was before patching."""
    patcher = _patching_eventlet()
    if patcher is not None:
        return getattr(patcher.original(module.__name__), name)
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        # Also right where gevent is loaded and has patched nothing.
        return monkey.get_original(module.__name__, name)
    return getattr(module, name)


def _patching_eventlet() -> ModuleType | None:
    """Return eventlet's patcher if it has patched threads."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is None or not patcher.is_monkey_patched("thread"):
        return None
    return patcher


class Wakeup:
    """Wakes the one thread that waits; wake() itself never waits.

    It is a lock, free from wake() until the next wait(). SimpleQueue would
    not do: its get(timeout) can hang on Python 3.11 and older where the
    thread is off the processor for longer than the timeout; a lock cannot.
    """

    def __init__(self) -> None:
        self._lock = lock_of_system()
        self._lock.acquire()

    def wake(self) -> None:
        """Make wait() return, now or when it is called next."""
        # RuntimeError: the lock is free since an earlier wake().
        with suppress(RuntimeError):
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Return whether wake() was called, waiting *seconds* at most."""
        # For a lock -1 means no limit; any other negative is an error.
        return bool(self._lock.acquire(timeout=max(0.0, seconds)))


def nap(seconds: float) -> None:
    """Sleep: this thread of the system, not a greenthread."""
    Wakeup().wait(seconds)
