# SPDX-License-Identifier: Apache-2.0
"""Finds the requests whose worker was killed, by the traces they left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nova_profiler.capture.failures import Failures
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.running import (
    Trace,
    forget,
    opened_running,
    remove_leavings,
    service_of,
    taken,
    traces_in,
)
from nova_profiler.record import RequestRecord

# Traces that one request makes records of.
MAX_TAKEN = 20


class KilledWorkers:
    """The traces that killed workers of our service left in *directory*."""

    def __init__(
        self,
        directory: Directory,
        live: LiveSettings,
        deliver: Callable[[RequestRecord], None],
        failures: Failures,
    ) -> None:
        """*deliver* takes the record of a request whose worker was killed."""
        self._directory = directory
        self._live = live
        self._deliver = deliver
        self._failures = failures
        # The services of the traces that were there at the latest look.
        self._services: dict[str, str | None] = {}

    def look(self) -> bool:
        """Return whether there are any; remove what else workers left.

        Raises OSError where the folder is not there, or another user's.
        """
        with opened_running(self._directory) as folder:
            own = self._own_traces(folder)
            remove_leavings(folder, {trace.path.name for trace in own})
        return bool(own)

    def report(self) -> None:
        """Deliver the record of each, some at a time; raises as look()."""
        with opened_running(self._directory) as folder:
            for trace in self._own_traces(folder)[:MAX_TAKEN]:
                self._take(trace)

    def _own_traces(self, folder: Path) -> list[Trace]:
        """Return those of our service: each has its own log and metrics.

        Each file is read once, however long it stays.
        """
        before, now = self._services, {}
        traces = traces_in(folder)
        for trace in traces:
            name = trace.path.name
            found = before[name] if name in before else service_of(trace)
            now[name] = found
        self._services = now
        service = self._live.current.service_name
        return [trace for trace in traces if now[trace.path.name] == service]

    def _take(self, trace: Trace) -> None:
        record = taken(trace)
        if record is not None:
            self._failures.note("killed_requests")
            self._deliver(record)
            forget(trace)
