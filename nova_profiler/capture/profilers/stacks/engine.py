# SPDX-License-Identifier: Apache-2.0
"""Engine ``stacks``: stacks of every request, read without a stop.

A child process reads this one's memory while it goes on. A request passes
only a trampoline, and a few words in shared memory that name it.
"""

from __future__ import annotations

import atexit
import sys
from time import monotonic
from types import ModuleType

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.greenthreads import (
    greenlet_module,
    lock_of_system,
    start_thread,
)
from nova_profiler.capture.profilers import EngineError, Note
from nova_profiler.capture.profilers.stacks.layouts import (
    LayoutError,
    layout_here,
)
from nova_profiler.capture.profilers.stacks.sampling import Sampling
from nova_profiler.capture.profilers.stacks.slot_words import INTERVAL_US
from nova_profiler.capture.profilers.stacks.watch import StacksWatch
from nova_profiler.profiles import STACKS

# How long the end of the process waits for stacks that were asked for.
EXIT_S = 2.0
# How long after the reader ended it is tried again, at first and at most.
FIRST_RETRY_S = 2.0
LAST_RETRY_S = 600.0


def engine(note: Note, may_be_dumpable: bool = False) -> StacksEngine:
    """Return the engine; raises EngineError where it cannot work.

    *may_be_dumpable*: a worker that changed its user lets processes of that
    user look into it.
    """
    if not sys.platform.startswith("linux"):
        raise EngineError("stacks are read on Linux only")
    try:
        layout_here()
    except LayoutError as exc:
        raise EngineError(
            f"{exc}: its stacks cannot be read from outside; take "
            "profiler = pyinstrument"
        ) from exc
    return StacksEngine(note, may_be_dumpable)


class StacksEngine:
    """The reader of one process, and the requests that it sees."""

    name = STACKS
    watches_all = True

    def __init__(self, note: Note, may_be_dumpable: bool = False) -> None:
        self._note = note
        self._may_be_dumpable = may_be_dumpable
        self._sampling: Sampling | None = None
        self._greenlets: ModuleType | None = None
        self._start_at = 0.0
        self._retry_s = FIRST_RETRY_S
        self._closed = False
        # Why it could not start, until that is noted.
        self._fault: Exception | None = None
        self._lock = lock_of_system()

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> StacksWatch | None:
        """Return the watch of a request, None if there can be none."""
        sampling = self._sampling
        if sampling is None or sampling.is_over:
            # For a moment, and in the first requests of a process only.
            with self._lock:
                sampling = self._started()
                fault, self._fault = self._fault, None
            if fault is not None:
                # Not before: a handler of the log may give way to another
                # greenthread, which would wait for the lock for good.
                self._note("stacks", fault)
            if sampling is None:
                return None
        slots = sampling.slots
        at = slots.take()
        if not at:
            self._note("stacks_slots")
            return None
        interval_us = int(interval_ms * 1000)
        if slots.words[INTERVAL_US] != interval_us:
            slots.words[INTERVAL_US] = interval_us
        return StacksWatch(sampling, at, self._greenlets, capture)

    def close(self) -> None:
        """Have the reader end; stacks that were asked for still come."""
        self._closed = True
        if self._sampling is not None:
            self._sampling.close()

    def wait_closed(self, seconds: float) -> bool:
        """Return whether all is over within *seconds*, after close()."""
        sampling = self._sampling
        return sampling is None or sampling.wait_over(seconds)

    def _started(self) -> Sampling | None:
        """Return a reader's sampling that is not over, None for now."""
        now = monotonic()
        former = self._sampling
        if former is not None and not former.is_over:
            return former
        if self._closed or now < self._start_at:
            return None
        if former is not None and former.is_refused:
            # What this Python or this kernel refuses, it refuses for good.
            self._start_at = float("inf")
            return None
        if former is not None and former.worked_s() > LAST_RETRY_S:
            # Not one that ends again and again.
            self._retry_s = FIRST_RETRY_S
        self._start_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, LAST_RETRY_S)
        sampling = None
        try:
            self._greenlets = greenlet_module()
            sampling = Sampling(
                self._note, self._may_be_dumpable, self._greenlets
            )
            start_thread(sampling.supervise)
        except Exception as exc:
            if sampling is not None:
                sampling.slots.close_file()
            self._fault = exc.with_traceback(None)
            return None
        self._sampling = sampling
        atexit.unregister(self._at_exit)
        atexit.register(self._at_exit)
        return sampling

    def _at_exit(self) -> None:
        self.close()
        self.wait_closed(EXIT_S)
