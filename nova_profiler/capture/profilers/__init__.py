# SPDX-License-Identifier: Apache-2.0
"""Profilers: each folder is one engine that takes the stacks of requests.

Its module ``engine`` has a function ``engine(note, *taken)`` that returns its
engine, and raises EngineError where that cannot work; *taken* are the values
of the options that its row of ENGINES takes. It starts nothing: no thread,
process or file before the first request, since servers fork their workers
after the load. ``note(what, error=None)`` counts an event, and logs an error
the first time, as Failures.note does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from nova_profiler.errors import NovaProfilerError

if TYPE_CHECKING:
    # A reader of stacks has this package too, and is to be small.
    from nova_profiler.capture.captures import Capture
    from nova_profiler.capture.contracts import Watch

__all__ = ["Engine", "EngineError", "Note"]

Note = Callable[..., None]


class EngineError(NovaProfilerError):
    """An engine cannot work here: one line with what to do."""


class Engine(Protocol):
    """One way to take stacks, in one process."""

    name: str
    # Whether every request has a watch, chosen or not. Then it counts as
    # profiled if ``capture.chosen`` is set at its end.
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
