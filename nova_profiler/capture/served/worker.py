# SPDX-License-Identifier: Apache-2.0
"""The state that one process shares: settings, engine, recorder.

A side that serves knows its protocol, the worker does not. It calls begin(),
runs the work with the capture's main lane in place (through ``capture.watch``
where there is one), calls stop(), fills in what its protocol knows, and calls
deliver().
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from nova_profiler.capture.contracts import Served
from nova_profiler.capture.current import (
    MAX_ACTIVE,
    active,
    forget_in_children,
    forget_oldest,
)
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.greenthreads import runs_green
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import look_again
from nova_profiler.capture.lanes import Capture
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.running.lookout import Lookout
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import RequestRecord

# Records that may wait until the garbage collector is done.
MAX_LATER = 1_000


class Worker:
    """The settings, the engine and the recorder of one process."""

    def __init__(
        self,
        live: LiveSettings,
        recorder: Recorder,
        watching: Watching,
        failures: Failures,
        install_hooks: Callable[[], Undo] = lambda: lambda: None,
    ) -> None:
        """*install_hooks* puts the hooks in, and returns what undoes that.

        Raises what it raises.
        """
        self.live = live
        self.recorder = recorder
        self.watching = watching
        self.failures = failures
        # Once more at the first request, by whichever thread has it.
        self._install_hooks = [install_hooks]
        self.undo_hooks = install_hooks()
        directory = live.current.dump_dir
        # What is on is found in the directory of the dumps.
        self.lookout: Lookout | None = None
        if directory:
            self.lookout = Lookout(
                directory, live, self.describe, self._killed, failures
            )
        # How long the latest request took.
        self.latest_s = 0.0
        # What ended inside the garbage collector, as deliver() takes it.
        self._later: deque[tuple[RequestRecord, Capture, Settings, float]] = (
            deque(maxlen=MAX_LATER)
        )
        # Known at the first request: by then eventlet has patched or not.
        self._has_cpu_clock: bool | None = None

    def check_settings(self, now: float) -> None:
        """Look for changed settings, and let go of an engine not wanted.

        The first request of a process does so, too, and has it look out.
        """
        live = self.live
        try:
            live.check(now)
            if self.lookout is not None and live.current.enabled:
                self.lookout.start()
                self.lookout.report()
            if not live.current.enabled or live.current.profiler == "none":
                # No request would ask for the engine any more.
                self.watching.change("none")
            # Libraries may have been loaded since.
            look_again()
        except Exception as exc:
            self.failures.note("settings", exc)
        while self._later:
            try:
                ended = self._later.popleft()
            except IndexError:
                # Another thread was quicker.
                return
            self.deliver(*ended)

    def begin(self, served: Served, settings: Settings) -> Capture:
        """Return the capture of what begins in this thread now.

        It has a watch if an engine is to see it.
        """
        has_cpu_clock = self._has_cpu_clock
        if has_cpu_clock is None:
            look_again()
            forget_in_children()
            has_cpu_clock = self._has_cpu_clock = not runs_green()
            self._hook_again()
        capture = Capture(served, settings.max_calls, has_cpu_clock)
        # Calls that the ContextVar does not lead to find it there.
        if len(active) >= MAX_ACTIVE:
            forget_oldest()
        active[id(capture)] = capture
        if settings.profiler != "none":
            self.watching.begin(capture, settings)
        return capture

    def _hook_again(self) -> None:
        """Hook what has been loaded since, as servers load gevent late."""
        try:
            install_hooks = self._install_hooks.pop()
        except IndexError:
            return
        try:
            again = install_hooks()
            before, self.undo_hooks = self.undo_hooks, again
            before()
        except Exception as exc:
            self.failures.note("hooks", exc)

    def stop(self, capture: Capture, stopped: float) -> RequestRecord:
        """Return the record, with its times, of what ended at *stopped*.

        *stopped* is a perf_counter() value. The capture takes no calls from
        here on.
        """
        record = RequestRecord()
        record.cpu_ms = capture.cpu_ms(stopped)
        capture.close()
        active.pop(id(capture), None)
        self.latest_s = duration_s = stopped - capture.started
        record.duration_ms = duration_s * 1000
        return record

    def deliver(
        self,
        record: RequestRecord,
        capture: Capture,
        settings: Settings,
        stopped: float,
    ) -> None:
        """Complete *record* and hand it to the sinks; let the capture go."""
        try:
            if settings.profiler != "none":
                self.watching.ended(capture, record.duration_ms, settings)
            self.recorder.finish(record, capture, settings, stopped)
        finally:
            capture.release()
            if capture.trace is not None:
                with suppress(OSError):
                    os.unlink(capture.trace)

    def describe(self, capture: Capture, now: float) -> RequestRecord:
        """Return the record, as far as it is known *now*, of what is on.

        Called in another thread than the one that serves it.
        """
        record = RequestRecord()
        record.duration_ms = record.app_ms = (now - capture.started) * 1000
        self.recorder.identify(record, capture, self.live.current)
        try:
            capture.served.describe(record)
        except Exception as exc:
            self.failures.note("record", exc)
        return record

    def _killed(self, record: RequestRecord) -> None:
        self.recorder.deliver_killed(record, self.live.current)

    def deliver_later(
        self,
        record: RequestRecord,
        capture: Capture,
        settings: Settings,
        stopped: float,
    ) -> None:
        """Deliver with the next request, which then looks for settings.

        Inside the garbage collector nothing else is safe.
        """
        if len(self._later) == MAX_LATER:
            # The oldest goes.
            self.failures.note("late_records")
        self._later.append((record, capture, settings, stopped))
        self.live.check_at = 0.0

    def undo(self) -> None:
        """Take the hooks away, end the engine and look out no more."""
        self.undo_hooks()
        if self.lookout is not None:
            self.lookout.close()
        self.watching.close()
