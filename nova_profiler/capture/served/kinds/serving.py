# SPDX-License-Identifier: Apache-2.0
"""What messages and tasks share: whether one is timed, and has a record."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.choosing.kept_kinds import wanted_of
from nova_profiler.capture.choosing.traced import may_be_drawn
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import FAILED, Kind, RequestRecord


class _Limits(NamedTuple):
    """What one snapshot of the settings means for one kind."""

    settings: Settings
    # Whether anything becomes of what is timed.
    is_on: bool
    # Whether all of them are kept; whether all have a record.
    keeps_all: bool
    records_all: bool
    # Whether what belongs to a kept request is kept; whether all is dumped.
    keeps_parts: bool
    dumps_all: bool
    # Whether a share of them has a trace, by their ids.
    draws_traces: bool


def serving_of(worker: Worker, kind: Kind) -> Serving:
    """Return what serves *kind* by *worker*, made if it is not there."""
    found: Serving | None = worker.servings.get(kind.name)
    if found is not None:
        return found
    # Another thread may have been quicker: one for both.
    made = Serving(worker, kind)
    one: Serving = worker.servings.setdefault(kind.name, made)
    return one


class Serving:
    """What is served of one kind in this process."""

    def __init__(self, worker: Worker, kind: Kind) -> None:
        self.worker = worker
        self.kind = kind.name
        self._limits = self._limits_of(worker.live.current)

    def settings(self) -> Settings | None:
        """Return the settings in force; None if nothing is to be timed.

        What a process serves first opens what the worker needs there.
        """
        worker = self.worker
        now = monotonic()
        if now > worker.live.check_at:
            worker.check_settings(now)
        return self.current_settings()

    def current_settings(self) -> Settings | None:
        """Return the same, without a look whether options have changed."""
        settings = self.worker.live.current
        limits = self._limits
        if limits.settings is not settings:
            limits = self._limits = self._limits_of(settings)
        return settings if limits.is_on else None

    def _limits_of(self, settings: Settings) -> _Limits:
        dumped = wanted_of(settings.dump_when, self.kind)
        logged = wanted_of(settings.log_requests, self.kind)
        is_dumping = bool(settings.dump_dir)
        keeps_all = logged.all or (is_dumping and dumped.all)
        is_tracing = bool(settings.otlp_endpoint)
        traced = wanted_of(settings.otlp_traces, self.kind)
        return _Limits(
            settings,
            settings.enabled
            and (
                self.worker.recorder.has_sinks
                or any(logged)
                or settings.log_calls
            ),
            keeps_all,
            keeps_all or settings.log_calls or (is_tracing and traced.all),
            is_dumping and any(dumped),
            is_dumping and dumped.all,
            is_tracing and settings.otlp_trace_rate > 0,
        )

    def takes_part(self) -> bool:
        """Return whether what belongs to a kept record is kept for that.

        Asked once for each; what there is too much of is counted.
        """
        limits = self._limits
        if not limits.keeps_parts:
            return False
        if limits.dumps_all or self.worker.parts.take():
            return True
        self.worker.failures.note("parts_left_out")
        return False

    def ended(
        self,
        capture: Capture,
        settings: Settings,
        stopped: float,
        outcome: str,
        fill: Callable[[RequestRecord], None],
        route: str,
        wait_ms: float | None = None,
    ) -> None:
        """Record what ended at *stopped*, or add up its figures alone.

        *fill* puts into the record what its protocol knows.
        """
        worker = self.worker
        limits = self._limits
        duration_ms = (stopped - capture.started) * 1000
        is_kept = (
            limits.keeps_all
            or capture.is_kept
            # It is dumped for its stacks.
            or (limits.keeps_parts and capture.chosen is not None)
            or outcome == FAILED
            or duration_ms >= settings.slow_ms
        )
        if (
            not is_kept
            and capture.watch is None
            and not limits.records_all
            and not (
                limits.draws_traces
                and may_be_drawn(capture.served.headers, settings)
            )
        ):
            worker.add_up(capture, self.kind, route, stopped, wait_ms)
            return
        record = worker.stop(capture, stopped)
        record.kind = self.kind
        record.is_kept = is_kept
        record.outcome = outcome
        record.app_ms = record.duration_ms
        record.response_bytes = None
        record.route = route
        record.wait_ms = wait_ms
        # What is known by then goes out.
        try:
            fill(record)
        except Exception as exc:
            worker.failures.note("record", exc)
        worker.deliver(record, capture, settings, stopped)
