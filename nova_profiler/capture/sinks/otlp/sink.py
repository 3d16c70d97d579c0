# SPDX-License-Identifier: Apache-2.0
"""Sink that has a thread send times and traces to a Collector."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from nova_profiler.capture.sinks import Named
from nova_profiler.capture.sinks.otlp.process import Process
from nova_profiler.capture.sinks.otlp.sender import (
    TRACES_LOST,
    Posts,
    Sender,
)
from nova_profiler.record import RequestRecord


class OtlpSink:
    """Add up all times, keep traces for a moment, and never wait."""

    name = "otlp"

    def __init__(
        self,
        make_collector: Callable[[], Posts],
        origin: tuple[str, str],
        note: Callable[[str, Any, int], None],
        counts: Callable[[], dict[str, int]] = lambda: {},
    ) -> None:
        """Each process has a Collector of its own by *make_collector*.

        *origin* is service and host. *note* counts and logs a fault;
        *counts* returns all faults of ours so far.
        """
        self._make_collector = make_collector
        self._origin = origin
        self._note = note
        self._counts = counts
        self._processes: dict[int, Process] = {}
        self._process: Process | None = None

    def emit(self, record: RequestRecord) -> None:
        """Add the time of *record*; have its trace sent if it is wanted."""
        sender = self._here()
        sender.histograms.add_record(record)
        traced = record.traced
        if traced is not None and not sender.traces.put(record, traced):
            self._note(TRACES_LOST, None, 1)

    def add_up(
        self,
        kind: str,
        route: str,
        ms: float,
        wait_ms: float | None,
        lanes: Iterable[list[Named]],
    ) -> None:
        """Add the times of what has no record."""
        self._here().histograms.add(kind, route, ms, wait_ms)

    def close(self, wait_s: float) -> None:
        """End the thread of this process, *wait_s* after now at most."""
        process = self._process
        if process is not None:
            process.close(wait_s)

    def _here(self) -> Sender:
        """Return what this process has to send; its thread runs."""
        process = self._process
        pid = os.getpid()
        if process is None or process.pid != pid:
            # A fork takes no thread along, and what the parent added up is
            # the parent's. No lock, which a fork might copy: the first wins.
            made = Process(
                self._make_collector(), self._origin, self._counts, pid
            )
            process = self._processes.setdefault(pid, made)
            self._process = process
            for former in set(self._processes) - {pid}:
                self._processes.pop(former, None)
        if not process.is_started:
            process.start()
        sender = process.sender
        if sender.notes:
            sender.report(self._note)
        return sender
