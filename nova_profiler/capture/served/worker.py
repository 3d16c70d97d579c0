# SPDX-License-Identifier: Apache-2.0
"""The state that one process shares: settings, engine, recorder.

A side that serves knows its protocol, the worker does not. It calls begin(),
runs the work with the capture's main lane in place (through ``capture.watch``
where there is one), calls stop(), fills in what its protocol knows, and calls
deliver().
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.choosing.kept_kinds import wanted_of
from nova_profiler.capture.choosing.part_allowance import PartAllowance
from nova_profiler.capture.contracts import Served
from nova_profiler.capture.current import (
    MAX_ACTIVE,
    active,
    forget_in_children,
    forget_oldest,
)
from nova_profiler.capture.failures import HOOK_FAILURES, Failures
from nova_profiler.capture.garbage_collector import watch_collector
from nova_profiler.capture.greenthreads import runs_green
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import look_again
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.run_queue import LONG_S
from nova_profiler.capture.running.lookout import Lookout
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import REQUEST, RequestRecord

# Records that may wait until the garbage collector is done; how many of them
# one request completes.
MAX_LATER = 1_000
MAX_COMPLETED = 10


def keep_as_wanted(capture: Capture, settings: Settings, kind: str) -> None:
    """Have *capture* know what of it, and whether it, is to be kept."""
    capture.slow_call_s = settings.slow_call_ms / 1000
    wanted = wanted_of(settings.dump_when, kind)
    capture.is_kept = wanted.all
    if wanted.slow:
        capture.slow_s = settings.slow_ms / 1000


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
        # What serves each kind beside requests, by its name.
        self.servings: dict[str, Any] = {}
        # Of all these kinds together.
        self.parts = PartAllowance()
        # How long the latest request took.
        self.latest_s = 0.0
        # What ended inside the garbage collector, as deliver() takes it.
        self._later: deque[Callable[[], None]] = deque(maxlen=MAX_LATER)
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
            self.failures.log_waiting()
            HOOK_FAILURES.log_waiting()
        except Exception as exc:
            self.failures.note("settings", exc)
        for _ in range(min(MAX_COMPLETED, len(self._later))):
            try:
                complete = self._later.popleft()
            except IndexError:
                # Another thread was quicker.
                return
            try:
                complete()
            except Exception as exc:
                self.failures.note("record", exc)
        if self._later:
            live.check_at = 0.0

    def begin(
        self, served: Served, settings: Settings, kind: str = REQUEST.name
    ) -> Capture:
        """Return the capture of what begins in this thread now.

        It has a watch if an engine is to see it.
        """
        has_cpu_clock = self._has_cpu_clock
        if has_cpu_clock is None:
            look_again()
            forget_in_children()
            watch_collector()
            has_cpu_clock = self._has_cpu_clock = not runs_green()
            self._hook_again()
        capture = Capture(served, settings.max_calls, has_cpu_clock)
        capture.worker = self
        # Of other kinds there may be too many to read that for each.
        if has_cpu_clock and self.latest_s >= LONG_S and kind == REQUEST.name:
            capture.main.split_from(capture.started)
        if settings.dump_dir:
            keep_as_wanted(capture, settings, kind)
        # Calls that the ContextVar does not lead to find it there.
        if len(active) >= MAX_ACTIVE:
            forget_oldest()
        active[id(capture)] = capture
        try:
            if settings.profiler != "none":
                self.watching.begin(capture, settings)
        except Exception as exc:
            self.failures.note("profiler", exc)
        return capture

    def forget(self, capture: Capture) -> None:
        """Let go of what will have no record. Never raises."""
        with suppress(Exception):
            active.pop(id(capture), None)
            if not capture.closed:
                capture.close()
            if capture.watch is not None:
                capture.watch.finish(RequestRecord())
            capture.release()
            if capture.trace is not None and self.lookout is not None:
                self.lookout.remove(capture.trace)

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
                self.watching.ended(capture, record, settings)
            self.recorder.finish(record, capture, settings, stopped)
        finally:
            capture.release()
            if capture.trace is not None:
                self._remove_trace(capture)

    def add_up(
        self,
        capture: Capture,
        kind: str,
        route: str,
        stopped: float,
        wait_ms: float | None = None,
    ) -> None:
        """Take the figures of what needs no record; let the capture go.

        In the place of stop() and deliver(), for a fraction of their price.
        """
        try:
            capture.close()
            active.pop(id(capture), None)
            self.latest_s = duration_s = stopped - capture.started
            self.recorder.add_up(
                kind, route, capture, duration_s * 1000, wait_ms
            )
        finally:
            capture.release()
            self._remove_trace(capture)

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

    def do_later(self, complete: Callable[[], None], capture: Capture) -> None:
        """Call *complete* in a later request, which looks for settings.

        Inside the garbage collector nothing is safe that takes a lock. It
        delivers what *capture*, which is over, was of.
        """
        # There may be no later request: it was not killed.
        self._remove_trace(capture)
        if len(self._later) == MAX_LATER:
            # The oldest goes.
            self.failures.note("late_records")
        self._later.append(complete)
        self.live.check_at = 0.0

    def _remove_trace(self, capture: Capture) -> None:
        """Remove what would show that the worker was killed meanwhile."""
        if capture.trace is not None and self.lookout is not None:
            self.lookout.remove(capture.trace)

    def undo(self) -> None:
        """Take the hooks away, end the engine and look out no more."""
        self.undo_hooks()
        if self.lookout is not None:
            self.lookout.close()
        self.watching.close()
