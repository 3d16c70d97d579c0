# SPDX-License-Identifier: Apache-2.0
"""The guard round an engine's watch: an engine cannot touch a response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import Watch
from nova_profiler.capture.failures import Failures
from nova_profiler.record import RequestRecord


class Step:
    """A call of the application's, and how it ended.

    It keeps an engine's failure apart from the application's.
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

    __slots__ = ("_capture", "_failures", "_finished", "_is_drawn", "_watch")

    def __init__(
        self,
        watch: Watch,
        capture: Capture,
        failures: Failures,
        is_drawn: Callable[[RequestRecord], bool],
    ) -> None:
        self._watch = watch
        # A cycle, which capture.release() undoes.
        self._capture = capture
        self._failures = failures
        # Whether a request is to be chosen at its end.
        self._is_drawn = is_drawn
        self._finished = False

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Return ``function(*args)``, watched if the engine can."""
        step = None
        try:
            step = Step(function)
            self._watch.run(step, *args)
        except Exception as exc:
            if step is None or exc is not step.error:
                self._failures.note("profiler", exc)
        except BaseException:
            if step is not None:
                step.error = None
            raise
        # Whatever the engine made of it.
        if step is None or not step.began:
            return function(*args)
        error, step.error = step.error, None
        if error is not None:
            try:
                raise error
            finally:
                # Its traceback leads here: a cycle would keep what the
                # application's functions held until the collector runs.
                del error
        return step.result

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function*, watched in the thread that calls it."""
        try:
            step = Step(function)
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
            except BaseException:
                step.error = None
                raise
            if not step.began:
                return function(*args, **kwargs)
            error, step.error = step.error, None  # type: ignore[unreachable]  # *watched* sets it
            if error is not None:
                try:
                    raise error
                finally:
                    # As in run().
                    del error
            return step.result

        return run_spawned

    def finish(self, record: RequestRecord) -> None:
        """Have the watch fill in the profile of *record*, once."""
        if self._finished:
            return
        self._finished = True
        capture = self._capture
        try:
            if capture.chosen is None and self._is_drawn(record):
                capture.chosen = "rate"
            self._watch.finish(record)
            if record.profile is not None and capture.chosen is not None:
                record.profile["chosen_by"] = capture.chosen
        except Exception as exc:
            self._failures.note("profiler", exc)
            record.profile = record.profiled = None
