# SPDX-License-Identifier: Apache-2.0
"""Profilers: each file is one engine that takes the stacks of requests.

An engine module has a function ``engine(note)`` that returns its engine.
It starts nothing: no thread, process or file before the first request,
since servers fork their workers after the load. ``note(what, error=None)``
counts an event, and logs an error the first time, as Failures.note does.
``engine`` raises EngineError where the engine cannot work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nova_profiler.capture.lanes import Capture, Watch
from nova_profiler.errors import NovaProfilerError

__all__ = ["Engine", "EngineError", "Note", "Watch"]

Note = Callable[..., None]


class EngineError(NovaProfilerError):
    """An engine cannot work here: one line that says what to do."""


class Engine(Protocol):
    """One way to take stacks, in one process."""

    name: str
    # Whether every request has a watch, chosen or not. Whether it counts as
    # profiled is then known at the end, when ``capture.chosen`` says so.
    watches_all: bool

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> Watch | None:
        """Return the watch of a request that begins, None if it has none.

        Called in the request's thread, before the application.
        """

    def close(self) -> None:
        """End what was started; watches still at work end quietly.

        Called when another engine is chosen, and when the process ends, in
        the process that started it; maybe more than once.
        """
