# SPDX-License-Identifier: Apache-2.0
"""Which engine watches which request; its failures stay away from both."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.choosing.choice import Choice, is_drawn
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.lanes import Capture
from nova_profiler.capture.profilers import Engine, EngineError, Note, Watch
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import RequestRecord

LOG = logging.getLogger("nova_profiler")

# Makes the engine of a name; raises EngineError.
Load = Callable[[str, Note], Engine]


class Step:
    """A call of the application's, and how it ended.

    So that an engine's failure is never taken for the application's, nor
    the other way round.
    """

    __slots__ = ("began", "error", "function", "result")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.began = False
        self.error: BaseException | None = None
        self.result: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.began = True
        try:
            self.result = self.function(*args, **kwargs)
        except BaseException as exc:
            self.error = exc
            raise
        return self.result


class GuardedWatch:
    """An engine's watch that cannot fail."""

    __slots__ = ("_capture", "_failures", "_finished", "_late_rate", "_watch")

    def __init__(
        self,
        watch: Watch,
        capture: Capture,
        failures: Failures,
        late_rate: float,
    ) -> None:
        self._watch = watch
        # A cycle, which capture.release() undoes.
        self._capture = capture
        self._failures = failures
        # What share of requests is yet to be chosen, at their end.
        self._late_rate = late_rate
        self._finished = False

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Return ``function(*args)``, watched as long as that works."""
        step = Step(function)
        try:
            self._watch.run(step, *args)
        except Exception as exc:
            if exc is not step.error:
                self._failures.note("profiler", exc)
        return _ended(step, args, {})

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function*, watched in the thread that calls it."""
        step = Step(function)
        try:
            watched = self._watch.spawned(step)
        except Exception as exc:
            self._failures.note("profiler", exc)
            return function

        def run_spawned(*args: Any, **kwargs: Any) -> Any:
            if step.began:
                return function(*args, **kwargs)
            try:
                watched(*args, **kwargs)
            except Exception as exc:
                if exc is not step.error:
                    self._failures.note("profiler", exc)
            return _ended(step, args, kwargs)

        return run_spawned

    def finish(self, record: RequestRecord) -> None:
        """Have the watch say in *record* what it has, once."""
        if self._finished:
            return
        self._finished = True
        capture = self._capture
        if capture.chosen is None and is_drawn(
            record.global_request_id or record.request_id, self._late_rate
        ):
            capture.chosen = "rate"
        try:
            self._watch.finish(record)
        except Exception as exc:
            self._failures.note("profiler", exc)
            record.profile = record.profiled = None
        if record.profile is not None and capture.chosen is not None:
            record.profile["chosen_by"] = capture.chosen


def _ended(step: Step, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return or raise what *step* did, whatever the engine made of it."""
    if step.error is not None:
        raise step.error
    if not step.began:
        return step.function(*args, **kwargs)
    return step.result


class Watching:
    """The engine of this process, and the requests it is to watch."""

    def __init__(self, load: Load, choice: Choice, failures: Failures) -> None:
        self._load = load
        self._choice = choice
        self._failures = failures
        self._engine: Engine | None = None
        # What was asked for last, whether or not it could be had.
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
        # Better decided at the end, by an id that all services know.
        early, late = (0.0, rate) if engine.watches_all else (rate, 0.0)
        capture.chosen = self._choice.reason(
            capture.served,
            settings.profile_when,
            early,
            settings.profile_keys,
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
            watch, capture, self._failures, late
        )
        return guarded

    def ended(
        self,
        capture: Capture,
        duration_ms: float,
        settings: Settings,
    ) -> None:
        """Arm the engine for requests like this one, if it was slow.

        One that was watched may have been slow for that reason.
        """
        if (
            duration_ms >= settings.slow_ms
            and capture.chosen is None
            and "armed" in settings.profile_when
        ):
            served = capture.served
            try:
                self._choice.arm(served.method, served.path)
            except OSError as exc:
                self._failures.note("armed", exc)

    def change(self, name: str) -> None:
        """Have the engine *name* from now on, if it can be had here.

        In a forked worker the engine is made anew; the parent's is the
        parent's to close.
        """
        pid = os.getpid()
        # By process: a fork may copy a lock that somebody holds.
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
            # Last, since others look at them without the lock.
            self._pid = pid
            self._wanted = name
        if former is not None:
            self._closed(former)

    def _refused(self, former: Engine | None, exc: Exception) -> None:
        # Only our own errors are sure to hold nothing secret.
        told = exc if isinstance(exc, EngineError) else type(exc).__name__
        kept = "none" if former is None else former.name
        self._failures.note("profiler")
        LOG.warning("profiler stays %s: %s", kept, told)

    def close(self) -> None:
        """End this process's engine."""
        self.change("none")
        atexit.unregister(self.close)

    def _made(self, name: str) -> Engine | None:
        if name == "none":
            return None
        engine = self._load(name, self._failures.note)
        # Known once only, however often that is said.
        atexit.unregister(self.close)
        atexit.register(self.close)
        return engine

    def _closed(self, engine: Engine) -> None:
        try:
            engine.close()
        except Exception as exc:
            self._failures.note("profiler", exc)
