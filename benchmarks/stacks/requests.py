# SPDX-License-Identifier: Apache-2.0
"""One request below the engine of stacks, without a server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def served(
    engine: Any, interval_ms: float, attach: Callable[..., None], *call: Any
) -> float | None:
    """Run *call*, a function and its arguments, as a request of *engine*.

    Its profile goes to *attach*. Return how many seconds it took, None if
    the engine has no watch for it now.
    """
    from nova_profiler.capture.captures import Capture
    from nova_profiler.capture.contracts import NothingServed
    from nova_profiler.record import RequestRecord

    capture = Capture(NothingServed(), 0)
    watch = engine.watch(capture, True, interval_ms)
    if watch is None:
        time.sleep(0.01)
        return None
    watch.run(*call)
    record = RequestRecord()
    record.started_at = "2026-11-21T10:00:00.000000+00:00"
    lasted_s = time.perf_counter() - capture.started
    record.duration_ms = 1000 * lasted_s
    watch.finish(record)
    if record.profiled is not None:
        record.profiled.attach(attach)
    return lasted_s
