# SPDX-License-Identifier: Apache-2.0
"""What one process has to send, and when which of it goes out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import time_ns
from typing import Any, Protocol

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    METRICS,
    TRACES,
    Answer,
)
from nova_profiler.capture.sinks.otlp.histograms import Histograms, delivered
from nova_profiler.capture.sinks.otlp.messages import points
from nova_profiler.capture.sinks.otlp.waiting import (
    MOST_BATCHES,
    Batch,
    Waiting,
)

SEND_EVERY_S = 10.0
# A Collector that is away is tried again after this, then twice as long...
_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 60.0
# What is to be noted waits for the next request.
MAX_NOTES = 100
# A Collector cannot say of one message that it has left out more.
MAX_REJECTED = 1_000_000

# What fails: one line in the log for the first of each name.
SENDING = "otlp_sending"
TRACES_LOST = "otlp_traces_lost"
TIMES_LOST = "otlp_times_lost"
REJECTED = "otlp_rejected"

# Each returns the answer for which something has to wait, if any.
_Sending = list[Callable[[], Answer | None]]
_Note = tuple[str, Exception | None, int]


class Posts(Protocol):
    """What takes messages: a Collector."""

    def post(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer: ...

    def close(self) -> None: ...


class Sender:
    """The times and traces of one process until a Collector has them.

    All is called by the thread that sends but ``histograms.add...``,
    ``traces.put`` and report(), which are for those that serve.
    """

    def __init__(
        self,
        collector: Posts,
        origin: tuple[str, str, int],
        counts: Callable[[], dict[str, int]],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """*origin* is service, host and pid; *wake* has step() called.

        *counts* returns our faults so far.
        """
        self.histograms = Histograms()
        self.traces = Waiting(wake, partial(self.note, TRACES_LOST))
        self.notes: deque[_Note] = deque(maxlen=MAX_NOTES)
        self._collector = collector
        self._origin = origin
        self._counts = counts
        self._counted = dict(counts())
        self._since = time_ns()
        # When all is due, and whether the Collector takes nothing until then.
        self._due_at = 0.0
        self._is_away = False
        self._retry_s = _FIRST_RETRY_S

    def step(self, now: float, at_once: bool = False) -> float:
        """Send what is due; return for how many seconds to wait then.

        *now* is of any clock that goes on. All is due after SEND_EVERY_S, or
        *at_once*; traces also when they fill a message. Times go first: no
        trace keeps them from being sent.
        """
        batch = self.traces.take()
        if now < self._due_at and (self._is_away or not at_once):
            if self._is_away or not batch.is_full:
                return self._due_at - now
            sending: _Sending = [partial(self._send_traces, full_ones=True)]
        else:
            sending = [self._send_times, self._send_traces]
            self._due_at = now + SEND_EVERY_S
        late = self._late(sending)
        self._is_away = bool(late)
        if late:
            wait_s = max(self._retry_s, *(one.wait_s or 0.0 for one in late))
            self._due_at = now + wait_s
            self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)
        else:
            self._retry_s = _FIRST_RETRY_S
        return self._due_at - now

    def _late(self, sending: _Sending) -> list[Answer]:
        """Return the answers for which something has to wait."""
        late: list[Answer] = []
        try:
            for send in sending:
                answer = send()
                if answer is not None:
                    late.append(answer)
                    if answer.outcome == LATER:
                        # It would have us wait for each message.
                        break
        finally:
            self._collector.close()
        return late

    def _send_traces(self, full_ones: bool = False) -> Answer | None:
        """Return the answer for which traces have to wait, if any.

        With *full_ones* what fills no message stays.
        """
        # What comes meanwhile goes after the times.
        for _ in range(MOST_BATCHES):
            batch = self.traces.take()
            if not batch.traces or (full_ones and not batch.is_full):
                break
            answer = self._posted(TRACES, batch.message(), _rejected_spans)
            if answer.outcome in (BUSY, LATER):
                return answer
            self.traces.batch = Batch()
            if answer.outcome != DELIVERED:
                self.note(TRACES_LOST, None, batch.traces)
        return None

    def _send_times(self) -> Answer | None:
        """Return the answer for which times have to wait, if any."""
        deltas = self.histograms.deltas()
        counts = dict(self._counts())
        faults = {
            what: number - self._counted.get(what, 0)
            for what, number in counts.items()
            if number > self._counted.get(what, 0)
        }
        if not deltas and not faults:
            return None
        until = time_ns()
        message = points.request_of(
            deltas, faults, self._origin, self._since, until
        )
        answer = self._posted(
            METRICS, message.SerializeToString(), _rejected_points
        )
        if answer.outcome in (BUSY, LATER):
            # They are in the next ones.
            return answer
        delivered(deltas)
        self._counted, self._since = counts, until
        if answer.outcome != DELIVERED:
            times = sum(delta.count for delta in deltas)
            self.note(TIMES_LOST, None, times)
        return None

    def _posted(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer:
        """Return the answer to *body*; what is wrong with it is noted."""
        answer = self._collector.post(path, body, rejected_in)
        if answer.fault is not None:
            self.note(SENDING, answer.fault)
        if answer.rejected:
            self.note(REJECTED, None, answer.rejected)
        return answer

    def note(
        self, what: str, error: Exception | None, number: int = 1
    ) -> None:
        """Have report() say that *what* failed, as often."""
        if error is not None:
            error = error.with_traceback(None)
        self.notes.append((what, error, number))

    def report(self, note: Callable[[str, Any, int], None]) -> None:
        """Have *note* called with what the thread has found."""
        with suppress(IndexError):
            while True:
                note(*self.notes.popleft())


def _rejected_spans(data: bytes) -> int:
    answer = ExportTraceServiceResponse.FromString(data)
    return _bounded(answer.partial_success.rejected_spans)


def _rejected_points(data: bytes) -> int:
    answer = ExportMetricsServiceResponse.FromString(data)
    return _bounded(answer.partial_success.rejected_data_points)


def _bounded(rejected: int) -> int:
    """Return what is counted: no sum of these is more than a point holds."""
    return min(max(rejected, 0), MAX_REJECTED)
