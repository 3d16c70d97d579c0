# SPDX-License-Identifier: Apache-2.0
"""A filter in nova's pipeline that is slow on purpose, in known ways."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

PYTHON_S, LOCK_S, SLEEP_S = 0.3, 0.25, 0.2

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def slow_in_python() -> None:
    """Compute for so long by the thread's own clock."""
    until = time.thread_time() + PYTHON_S
    while time.thread_time() < until:
        sum(range(1000))


def slow_in_a_lock() -> None:
    """Wait for a lock that is never free."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=LOCK_S)


def slow_in_a_sleep() -> None:
    """Sleep."""
    time.sleep(SLEEP_S)


def factory(global_conf: dict[str, str], **local_conf: str) -> Any:
    """Return the filter, as paste asks for it."""

    def with_slowness(app: App) -> App:
        def slowed(
            environ: dict[str, Any], start_response: Callable[..., Any]
        ) -> Iterable[bytes]:
            slow_in_python()
            slow_in_a_lock()
            slow_in_a_sleep()
            return app(environ, start_response)

        return slowed

    return with_slowness
