# SPDX-License-Identifier: Apache-2.0
"""From what was served to its record, and on to the sinks."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from datetime import datetime, timezone
from time import perf_counter

from nova_profiler.capture.captures import OVER, Capture
from nova_profiler.capture.choosing.choice import is_kept
from nova_profiler.capture.choosing.traced import TraceChoice
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.record_making.dump_details import (
    TracedCalls,
    db_api_calls_of,
    fill_details,
)
from nova_profiler.capture.record_making.lane_calls import NamedLanes
from nova_profiler.capture.record_making.totals import (
    fill_totals,
    fill_unnamed,
)
from nova_profiler.capture.settings.options import Settings
from nova_profiler.capture.sinks import LOG_SINK, AddingSink, Sink
from nova_profiler.record import RequestRecord

LOG = logging.getLogger("nova_profiler")

# Of a request that was killed, in its line.
_NAMED_CALLS = 5


class Recorder:
    """Completes the record of what was served and hands it to the sinks."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        failures: Failures,
        traces: TraceChoice | None = None,
    ) -> None:
        """*traces* chooses what has a trace, if a sink sends any."""
        self._sinks = sinks
        self._traces = traces
        self._adding: list[AddingSink] = [
            sink for sink in sinks if isinstance(sink, AddingSink)
        ]
        # Whether a record goes anywhere but into the log.
        self.has_sinks = any(sink.name != LOG_SINK for sink in sinks)
        self._failures = failures
        self._host = socket.gethostname()
        self._second = (0, "")

    def finish(
        self,
        record: RequestRecord,
        capture: Capture,
        settings: Settings,
        stopped: float,
    ) -> None:
        """Complete *record* from the closed *capture* and deliver it.

        It has its times, its outcome, and what the served side knows;
        *stopped* is when its clock stopped. Never raises but what others
        send into the thread, as a timeout; the other sinks come first.
        """
        try:
            self._fill(record, capture, settings)
        except Exception as exc:
            self._failures.note("record", exc)
            return
        record.self_ms = (perf_counter() - stopped) * 1000
        # Written out, as in _fill: a call costs each request.
        sent: BaseException | None = None
        for sink in self._sinks:
            try:
                sink.emit(record)
            except Exception as exc:
                self._failures.note(sink.name, exc)
            except BaseException as exc:
                self._failures.note(sink.name, exc)
                sent = exc
        if sent is not None:
            raise sent

    def add_up(
        self,
        kind: str,
        route: str,
        capture: Capture,
        ms: float,
        wait_ms: float | None,
    ) -> None:
        """Hand on the figures of a closed *capture* that has no record.

        It is of *kind*, took *ms*, and waited *wait_ms*. Never raises.
        """
        adding = self._adding
        if not adding:
            return
        lanes = NamedLanes(capture)
        for sink in adding:
            try:
                sink.add_up(kind, route, ms, wait_ms, lanes)
            except Exception as exc:
                self._failures.note(sink.name, exc)

    def deliver_killed(
        self, record: RequestRecord, settings: Settings
    ) -> None:
        """Hand the sinks the *record* that a killed worker left behind."""
        if settings.dump_dir and is_kept(
            record, settings.dump_when, settings.slow_ms
        ):
            # Its calls are not known one by one.
            record.timeline = []
        if self._traces is not None and self._traces.is_traced(
            record, settings, False
        ):
            record.traced = TracedCalls(OVER)
        # A worker can be killed while nothing else is logged: first.
        LOG.warning(
            "pid %d ended while it served %s %s, %.1f s after that began%s",
            record.pid,
            record.method,
            record.path,
            record.duration_ms / 1000,
            _open_words(record),
        )
        for sink in self._sinks:
            try:
                sink.emit(record)
            except Exception as exc:
                self._failures.note(sink.name, exc)

    def identify(
        self, record: RequestRecord, capture: Capture, settings: Settings
    ) -> None:
        """Fill in whose record it is and when that began."""
        record.record_id = capture.record_id
        record.service = settings.service_name
        record.host = self._host
        record.pid = os.getpid()
        record.started_at = self.iso(capture.began_at)

    def _fill(
        self, record: RequestRecord, capture: Capture, settings: Settings
    ) -> None:
        record.record_id = capture.record_id
        record.service = settings.service_name
        record.host = self._host
        record.pid = os.getpid()
        record.started_at = self.iso(capture.began_at)
        fill_totals(record, capture, record.duration_ms / 1000)
        split = capture.main.split
        if split is not None:
            fill_unnamed(record, split)
        if capture.watch is not None:
            capture.watch.finish(record)
        if settings.dump_dir and (
            capture.is_kept
            or is_kept(
                record,
                settings.dump_when,
                settings.slow_ms,
                capture.chosen is not None,
            )
        ):
            fill_details(record, capture)
        if self._traces is not None and self._traces.is_traced(
            record, settings, capture.chosen is not None
        ):
            record.traced = TracedCalls(capture)
        if settings.log_calls:
            record.db_api_calls = db_api_calls_of(capture)

    def iso(self, seconds: float) -> str:
        """Return ISO 8601 in UTC with microseconds."""
        second = int(seconds)
        # One pair, so that threads never see a second with another's text.
        cached = self._second
        if cached[0] != second:
            started = datetime.fromtimestamp(second, timezone.utc)
            cached = second, started.strftime("%Y-%m-%dT%H:%M:%S")
            self._second = cached
        # "%" takes 0.2 us less than format(), and cuts what that rounds.
        micros = (seconds - second) * 1e6
        return "%s.%06d+00:00" % (cached[1], micros)  # noqa: UP031


def _open_words(record: RequestRecord) -> str:
    """Return the names of the calls that it was in, outermost first."""
    names = [f"{call.group} {call.name}" for call in record.open_calls or ()]
    return ", in " + ", ".join(names[:_NAMED_CALLS]) if names else ""
