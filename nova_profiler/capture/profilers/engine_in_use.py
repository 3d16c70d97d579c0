# SPDX-License-Identifier: Apache-2.0
"""The engine of this process, and which requests it watches."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.choosing.choice import Choice
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.profilers import Engine, EngineError, Note
from nova_profiler.capture.profilers.guard import GuardedWatch
from nova_profiler.capture.settings.options import Settings
from nova_profiler.dump_store.names import user_of
from nova_profiler.record import RequestRecord

LOG = logging.getLogger("nova_profiler")

# Makes the engine of a name; raises EngineError.
Load = Callable[[str, Note], Engine]


class Watching:
    """The engine of this process, and the requests it is to watch."""

    def __init__(self, load: Load, choice: Choice, failures: Failures) -> None:
        self._load = load
        self._choice = choice
        self._failures = failures
        self._engine: Engine | None = None
        # The name that was asked for last, whether or not it was made.
        self._wanted = "none"
        self._pid = 0
        self._locks: dict[int, threading.Lock] = {}

    def begin(
        self, capture: Capture, settings: Settings
    ) -> GuardedWatch | None:
        """Return the watch of a request that begins, None if it has none."""
        try:
            return self._begin(capture, settings)
        except Exception as exc:
            self._failures.note("profiler", exc)
            return None

    def _begin(
        self, capture: Capture, settings: Settings
    ) -> GuardedWatch | None:
        if self._wanted != settings.profiler or self._pid != os.getpid():
            self.change(settings.profiler)
        engine = self._engine
        if engine is None:
            return None
        rate = settings.profile_rate
        if "rate" not in settings.profile_when:
            rate = 0.0
        # Where possible at the end, by an id that all services know.
        early, late = (0.0, rate) if engine.watches_all else (rate, 0.0)
        keys = settings.profile_keys
        choice = self._choice
        capture.chosen = choice.reason(
            capture.served, settings.profile_when, early, keys
        )
        chosen = capture.chosen is not None
        if not chosen and not engine.watches_all:
            return None
        watch = engine.watch(
            capture, chosen, settings.interval_ms(engine.name)
        )
        if watch is None:
            return None
        capture.watch = guarded = GuardedWatch(
            watch,
            capture,
            self._failures,
            lambda record: choice.is_drawn_late(record, late, keys),
        )
        return guarded

    def ended(
        self,
        capture: Capture,
        record: RequestRecord,
        settings: Settings,
    ) -> None:
        """Arm the engine for requests like this one, if it was slow.

        A request that was watched may have been slow for that reason.
        """
        if (
            record.duration_ms >= settings.slow_ms
            and capture.chosen is None
            and "armed" in settings.profile_when
        ):
            served = capture.served
            try:
                self._choice.arm(served.method, served.path, user_of(record))
            except OSError as exc:
                self._failures.note("armed", exc)

    def change(self, name: str) -> None:
        """Use the engine *name* from now on, if it can be made here.

        In a forked worker the engine is made anew; the parent closes its
        own.
        """
        pid = os.getpid()
        # A lock for each process: a fork may copy one that is held.
        with self._locks.setdefault(pid, threading.Lock()):
            if self._pid != pid:
                self._engine = None
            elif name == self._wanted:
                return
            former = self._engine
            try:
                self._engine = self._made(name)
            except Exception as exc:
                self._refused(former, exc)
                former = None
            # Last, since other threads look at them without the lock.
            self._pid = pid
            self._wanted = name
        if former is not None:
            self._closed(former)

    def _refused(self, former: Engine | None, exc: Exception) -> None:
        # Only the text of our own errors surely has nothing secret in it.
        why = exc if isinstance(exc, EngineError) else type(exc).__name__
        kept = "none" if former is None else former.name
        self._failures.note("profiler")
        LOG.warning("profiler stays %s: %s", kept, why)

    def close(self) -> None:
        """End this process's engine."""
        self.change("none")
        atexit.unregister(self.close)

    def _made(self, name: str) -> Engine | None:
        if name == "none":
            return None
        engine = self._load(name, self._failures.note)
        # Once only: atexit would call it once for each registration.
        atexit.unregister(self.close)
        atexit.register(self.close)
        return engine

    def _closed(self, engine: Engine) -> None:
        try:
            engine.close()
        except Exception as exc:
            self._failures.note("profiler", exc)
