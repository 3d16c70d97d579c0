# SPDX-License-Identifier: Apache-2.0
"""Whether the garbage collector has interrupted this thread.

It ends generators, files and greenlets in the middle of whatever a thread is
about, which may hold any lock: the host's, a handler's, ours. What it calls
then must take none.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import cache

from nova_profiler.capture.greenthreads import ident_function

# The thread that it has interrupted, 0: none. A process has one run at a
# time. What ends each request looks here before it asks is_collecting().
interrupted = 0
_ident: Callable[[], int] = ident_function()


@cache
def watch_collector() -> None:
    """Have is_collecting() know, from now on, in this and forked processes.

    Called once eventlet and gevent have patched threads, or have not.
    """
    global _ident
    # A greenlet that the collector ends runs as itself, in the same thread.
    _ident = ident_function()
    gc.callbacks.append(_collecting)
    os.register_at_fork(after_in_child=_forget)


def is_collecting() -> bool:
    """Return whether the collector has called what runs in this thread."""
    return interrupted != 0 and interrupted == _ident()


def _collecting(phase: str, info: object) -> None:
    global interrupted
    # The interpreter would print what is raised here.
    try:
        interrupted = _ident() if phase == "start" else 0
    except Exception:
        interrupted = 0


def _forget() -> None:
    # Another thread's run did not come along.
    global interrupted
    if not is_collecting():
        interrupted = 0
