# SPDX-License-Identifier: Apache-2.0
"""Whether a process grows in an hour without a Collector, by our own clock.

The sender's waits and the timeouts of its messages pass on that clock, and
requests come on it, also while a message hangs. No thread sends: between two
requests stands what a thread would do by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from benchmarks.otlp.away import WARM_UP, settled_mb
from benchmarks.otlp.served import Served
from benchmarks.running.figures import Figure
from nova_profiler.capture.sinks.otlp.collector import (
    DELIVERED,
    LATER,
    METRICS,
    TIMEOUT_S,
    Answer,
)
from nova_profiler.capture.sinks.otlp.process import Process

A_SECOND = 100
# How long a message takes until it has failed.
_WAYS = {"refuses": 0.0, "hangs": TIMEOUT_S}


class Hour(NamedTuple):
    """Memory after the warm-up and at the end, and what was tried."""

    how: str
    requests: int
    seconds: float
    tries: int
    before_mb: float
    after_mb: float
    # In histograms, once the Collector was back.
    times: int

    @property
    def mb(self) -> float:
        """Return by how much the process grew."""
        return self.after_mb - self.before_mb


class _Threadless(Process):
    """Starts no thread."""

    def start(self) -> None:
        self.is_started = True


class _Clock:
    """Serves requests as its time passes; is the Collector, too."""

    def __init__(self, served: Served, fails_after_s: float) -> None:
        sink = served.sink
        assert sink is not None
        pid = os.getpid()
        self.process = _Threadless(self, sink._origin, sink._counts, pid)
        sink._processes[pid] = sink._process = self.process
        self.now = 0.0
        self.tries = self.requests = self.times = 0
        self.is_away = True
        self._served = served
        self._fails_after_s = fails_after_s
        self._due_at = 0.0

    def run(self, requests: int) -> None:
        """Serve until these are *requests*, and send when that is due."""
        while self.requests < requests:
            self._pass(1 / A_SECOND)
            if self.process._wakeup.wait(0) or self.now >= self._due_at:
                self.step()

    def step(self) -> None:
        """Send what is due."""
        wait_s = self.process.sender.step(self.now)
        self._due_at = self.now + wait_s

    def _pass(self, seconds: float) -> None:
        number = round(seconds * A_SECOND)
        self._served.serve(number)
        self.requests += number
        self.now += seconds

    def post(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer:
        """Take a message, as a Collector that is away or is back."""
        if self.is_away:
            self.tries += 1
            self._pass(self._fails_after_s)
            return Answer(LATER, TimeoutError("away"))
        if path == METRICS:
            self.times += _times_in(body)
        return Answer(DELIVERED)

    def close(self) -> None:
        """Close nothing."""


def _times_in(body: bytes) -> int:
    message = ExportMetricsServiceRequest.FromString(body)
    return sum(
        point.count
        for metric in message.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.exponential_histogram.data_points
    )


def measure(requests: int, progress: Callable[[str], None]) -> list[Hour]:
    """Serve *requests* that all have a trace, for each way to be away."""
    return [_hour(how, requests, progress) for how in _WAYS]


def _hour(how: str, requests: int, progress: Callable[[str], None]) -> Hour:
    progress(f"a Collector that {how}, by our own clock")
    # Nothing is sent there.
    served = Served(
        otlp_endpoint="http://127.0.0.1:1", otlp_traces="request:all"
    )
    clock = _Clock(served, _WAYS[how])
    clock.run(min(WARM_UP, requests))
    before, tries, began = settled_mb(), clock.tries, clock.now
    warm_up = clock.requests
    clock.run(warm_up + requests)
    after = settled_mb()
    found = clock.requests - warm_up, clock.now - began, clock.tries - tries
    clock.is_away = False
    clock.now = clock._due_at
    clock.step()
    # All that were ever served.
    assert clock.times == clock.requests, "times are lost"
    return Hour(how, *found, before, after, clock.times - warm_up)


def figures(found: list[Hour]) -> list[Figure]:
    """Return by how much the process grew."""
    return [
        Figure(
            f"a Collector that {one.how}, {one.seconds:.0f} s by our own "
            "clock: growth",
            one.mb,
            5.0,
            "MB",
        )
        for one in found
    ]
