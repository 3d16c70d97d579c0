# SPDX-License-Identifier: Apache-2.0
"""Hook that times the collector's full runs where they hold a request.

The younger generations are quick, and many.
"""

from __future__ import annotations

import gc

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane, open_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Shared, Undo
from nova_profiler.capture.timing import Timing
from nova_profiler.groups import GC

_OLDEST = 2
_KEY = CallKey(GC.name, "generation_2")

_shared = Shared()
# The run that goes on in a lane; the interpreter has one at a time.
_running: Timing | None = None


def install() -> Undo:
    """Time full collections in the current lane; returns what undoes it."""
    return _shared.install(_follow)


def _follow() -> Undo:
    """Have the collector call us; returns what ends that."""
    gc.callbacks.append(_collecting)

    def undo() -> None:
        if _collecting in gc.callbacks:
            gc.callbacks.remove(_collecting)

    return undo


def _collecting(phase: str, info: dict[str, int]) -> None:
    """Begin or end a call; the collector runs in whatever thread came by."""
    global _running
    try:
        if info["generation"] != _OLDEST:
            return
        if phase == "start":
            lane = None if current_lane() is None else open_lane()
            _running = None if lane is None else Timing(lane, _KEY.bit)
        elif _running is not None:
            running, _running = _running, None
            running.end(_KEY)
    except Exception as exc:
        HOOK_FAILURES.note("gc_hook", exc)
