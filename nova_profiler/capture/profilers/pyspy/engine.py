# SPDX-License-Identifier: Apache-2.0
"""Engine ``pyspy``: stacks of every request, taken from outside.

py-spy, a child of the worker, reads the worker's memory and stops it for a
moment per sample. A request passes only a trampoline that names it; see
request_tags.py and schedule.py.
"""

from __future__ import annotations

import atexit
import sys
from time import monotonic

from nova_profiler.capture.greenthreads import Wakeup, start_thread
from nova_profiler.capture.lanes import Capture
from nova_profiler.capture.profilers import EngineError, Note
from nova_profiler.capture.profilers.pyspy.pace import running_rate_of
from nova_profiler.capture.profilers.pyspy.permission import (
    PyspyError,
    allow_tracer,
    be_dumpable,
    find_pyspy,
    has_changed_user,
)
from nova_profiler.capture.profilers.pyspy.recording import Recording
from nova_profiler.capture.profilers.pyspy.request_tags import TagPool
from nova_profiler.capture.profilers.pyspy.schedule import ALLOWED_S, Schedule
from nova_profiler.capture.profilers.pyspy.watch import PyspyWatch, Watches
from nova_profiler.profiles import PYSPY

# How long the end of the process waits for the last stacks.
_EXIT_S = 3.0
# Without requests, look this often whether there are any: a waking call that
# got lost would cost their first minute, not all stacks from then on.
REST_S = 60.0
# How long after a thread could not be started it is tried again.
RETRY_S = 1.0


def engine(note: Note, may_be_dumpable: bool = False) -> PyspyEngine:
    """Return the engine; raises EngineError where py-spy is not there.

    *may_be_dumpable*: a worker that changed its user lets processes of that
    user look into it while py-spy records.
    """
    if not sys.platform.startswith("linux"):
        raise EngineError("py-spy is used on Linux only")
    program = find_pyspy()
    if program is None:
        raise EngineError(
            "there is no py-spy beside this Python nor on "
            "PATH; install nova-profiler[pyspy]"
        )
    return PyspyEngine(program, note, may_be_dumpable)


class PyspyEngine:
    """py-spy for all requests of one process."""

    name = PYSPY
    watches_all = True

    def __init__(
        self, program: str, note: Note, may_be_dumpable: bool = False
    ) -> None:
        self._program = program
        self._may_be_dumpable = may_be_dumpable
        self._is_made_dumpable = False
        self._note = note
        self._watches = Watches(TagPool())
        self._schedule = Schedule(self._recording, self._watches, note)
        self._wakeup = Wakeup()
        self._over = Wakeup()
        self._started = False
        # Where no thread could be started, not before this time again.
        self._start_at = 0.0
        self._asleep = False
        self._closing = False
        self._failed = False

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> PyspyWatch | None:
        """Return the watch of a request, None if there can be none."""
        if self._failed or not (self._started or self._start()):
            return None
        watch = self._watches.begin(chosen)
        if watch is None:
            self._note("pyspy_tags")
        if self._asleep:
            self._wakeup.wake()
        self._schedule.pace.interval_ms = interval_ms
        return watch

    def close(self) -> None:
        """Have py-spy stop soon; its last stacks are still handed over."""
        self._closing = True
        self._wakeup.wake()

    def wait_closed(self, seconds: float) -> bool:
        """Return whether all is over within *seconds*, after close()."""
        return not self._started or self._over.wait(seconds)

    def _start(self) -> bool:
        """Start the thread, unless there can be no more of them now.

        A later request tries again. None has a tag yet: only the thread
        takes tags back.
        """
        now = monotonic()
        if now < self._start_at:
            return False
        self._started = True
        try:
            start_thread(self.supervise_pyspy)
        except Exception as exc:
            self._started = False
            self._start_at = now + RETRY_S
            self._note("pyspy_thread", exc)
            return False
        atexit.register(self._at_exit)
        return True

    def _at_exit(self) -> None:
        self.close()
        self.wait_closed(_EXIT_S)

    def supervise_pyspy(self) -> None:
        """Look after py-spy until close().

        Its name in the stacks counts py-spy's looks: see Attribution.end().
        """
        try:
            while not self._closing:
                seconds = self._schedule.tick()
                self._asleep = seconds is None
                if self._asleep and self._watches.live:
                    # A request began while we fell asleep.
                    continue
                if self._asleep:
                    self._forbid()
                self._wakeup.wait(REST_S if seconds is None else seconds)
                self._asleep = False
            # A request that ends from here on waits for no stacks.
            self._watches.is_closed = True
            self._schedule.end()
            self._forbid()
        except Exception as exc:
            # Without this thread no tag is freed: no more of them are lent.
            self._failed = self._watches.is_closed = True
            self._note("pyspy_supervisor", exc)
            self._schedule.abandon()
        finally:
            atexit.unregister(self._at_exit)
            self._over.wake()

    def _forbid(self) -> None:
        """Let no process look in while nothing is recorded."""
        allow_tracer(0)
        if self._is_made_dumpable:
            self._is_made_dumpable = False
            be_dumpable(False)

    def _recording(self, rate: int) -> Recording:
        if self._may_be_dumpable and has_changed_user():
            self._is_made_dumpable = True
            be_dumpable(True)
        running_rate = running_rate_of(rate)
        try:
            return Recording(self._program, rate, running_rate, ALLOWED_S)
        except PyspyError:
            # Two py-spy that begin can be in each other's way: once more.
            return Recording(self._program, rate, running_rate, ALLOWED_S)
