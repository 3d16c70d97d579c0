# SPDX-License-Identifier: Apache-2.0
"""The state that one process shares: settings, engine, recorder.

A side that serves knows its protocol, the worker does not. It calls begin(),
runs the work with the capture's main lane in place (through ``capture.watch``
where there is one), calls stop(), fills in what its protocol knows, and calls
deliver().
"""

from __future__ import annotations

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
from nova_profiler.capture.lanes import Capture, Served
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import RequestRecord


class Worker:
    """The settings, the engine and the recorder of one process."""

    def __init__(
        self,
        live: LiveSettings,
        recorder: Recorder,
        watching: Watching,
        failures: Failures,
        undo_hooks: Undo = lambda: None,
    ) -> None:
        """*undo_hooks* takes the hooks away that were put in for it."""
        self.live = live
        self.recorder = recorder
        self.watching = watching
        self.failures = failures
        self.undo_hooks = undo_hooks
        # How long the latest request took.
        self.latest_s = 0.0
        # Known at the first request: by then eventlet has patched or not.
        self._has_cpu_clock: bool | None = None

    def check_settings(self, now: float) -> None:
        """Look for changed settings, and let go of an engine not wanted."""
        live = self.live
        try:
            live.check(now)
            if not live.current.enabled or live.current.profiler == "none":
                # No request would ask for the engine any more.
                self.watching.change("none")
            # Libraries may have been loaded since.
            look_again()
        except Exception as exc:
            self.failures.note("settings", exc)

    def begin(self, served: Served, settings: Settings) -> Capture:
        """Return the capture of what begins in this thread now.

        It has a watch if an engine is to see it.
        """
        has_cpu_clock = self._has_cpu_clock
        if has_cpu_clock is None:
            look_again()
            forget_in_children()
            has_cpu_clock = self._has_cpu_clock = not runs_green()
        capture = Capture(served, settings.max_calls, has_cpu_clock)
        # Calls that the ContextVar does not lead to find it there.
        if len(active) >= MAX_ACTIVE:
            forget_oldest()
        active[id(capture)] = capture
        if settings.profiler != "none":
            self.watching.begin(capture, settings)
        return capture

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

    def undo(self) -> None:
        """Take the hooks away and end the engine."""
        self.undo_hooks()
        self.watching.close()
