# SPDX-License-Identifier: Apache-2.0
"""What all that is served in one process shares, and how it begins and ends.

A side that serves knows a protocol, and what it serves is a Served: it calls
begin(), runs the work with the capture's main lane in place, and calls
finish() with the record that has the outcome.
"""

from __future__ import annotations

from typing import Protocol

from nova_profiler.capture.current import (
    MAX_ACTIVE,
    active,
    forget_oldest,
)
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.greenthreads import runs_green
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.lanes import Capture, Served
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.served.wsgi_facts import WsgiFacts
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import RequestRecord


class Live(Protocol):
    """The settings in force."""

    current: Settings
    check_at: float

    def check(self, now: float) -> None:
        """Look for changes; sets when to look again."""


class Worker:
    """The settings, the engine and the recorder of one process."""

    def __init__(
        self,
        live: Live,
        recorder: Recorder,
        watching: Watching,
        failures: Failures,
        wsgi_facts: WsgiFacts,
    ) -> None:
        self.live = live
        self.recorder = recorder
        self.watching = watching
        self.failures = failures
        self.wsgi_facts = wsgi_facts
        self.undo_hooks: Undo = lambda: None
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
        except Exception as exc:
            self.failures.note("settings", exc)

    def begin(self, served: Served, settings: Settings) -> Capture:
        """Return the capture of what begins in this thread now."""
        has_cpu_clock = self._has_cpu_clock
        if has_cpu_clock is None:
            has_cpu_clock = self._has_cpu_clock = not runs_green()
        capture = Capture(served, settings.max_calls, has_cpu_clock)
        # Calls that the ContextVar does not lead to find it there.
        if len(active) >= MAX_ACTIVE:
            forget_oldest()
        active[id(capture)] = capture
        return capture

    def finish(
        self,
        record: RequestRecord,
        capture: Capture,
        settings: Settings,
        stopped: float,
    ) -> None:
        """Complete and deliver the record of what ended at *stopped*.

        The time is the clock's that Capture reads. The capture takes no
        calls from here on, and is let go of.
        """
        record.cpu_ms = capture.cpu_ms(stopped)
        capture.close()
        active.pop(id(capture), None)
        self.latest_s = duration_s = stopped - capture.started
        record.duration_ms = duration_s * 1000
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
