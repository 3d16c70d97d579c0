# SPDX-License-Identifier: Apache-2.0
"""What one process has to send, and the thread that sends it.

A thread of the system, also under eventlet and gevent: it logs nothing and
takes no lock of theirs. What it finds is noted by a thread that serves.
"""

from __future__ import annotations

import atexit
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from time import monotonic, time_ns
from typing import Any, NamedTuple, Protocol

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from nova_profiler.capture.greenthreads import Wakeup, start_thread
from nova_profiler.capture.sinks.otlp import points, spans
from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    METRICS,
    TRACES,
    Answer,
)
from nova_profiler.capture.sinks.otlp.histograms import Histograms, delivered
from nova_profiler.record import RequestRecord, TimelineEntry

SEND_EVERY_S = 10.0
# A Collector that is away is tried again after this, then twice as long...
_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 60.0
# Traces that wait, and their calls together: a call has some 200 bytes.
MAX_TRACES = 512
MAX_CALLS = 20_000
# The thread is woken for as many; one message has no more traces and calls.
BATCH_TRACES = 64
BATCH_CALLS = 4_000
# As many hold all that may wait: what comes meanwhile goes after the times.
_MOST_BATCHES = MAX_TRACES // BATCH_TRACES + MAX_CALLS // BATCH_CALLS + 1
# What is to be noted waits for the next request.
MAX_NOTES = 100
# A Collector cannot say of one message that it has left out more.
MAX_REJECTED = 1_000_000
# How long the end of a process waits for the last message.
EXIT_S = 1.0

# What fails: one line in the log for the first of each name.
SENDING = "otlp_sending"
TRACES_LOST = "otlp_traces_lost"
TIMES_LOST = "otlp_times_lost"
REJECTED = "otlp_rejected"

_Note = tuple[str, Exception | None, int]


class Posts(Protocol):
    """What takes messages: a Collector."""

    def post(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer: ...

    def close(self) -> None: ...


class _Batch(NamedTuple):
    body: bytes
    traces: int


class Process:
    """The times and traces of one process until they are sent."""

    def __init__(
        self,
        collector: Posts,
        origin: tuple[str, str],
        counts: Callable[[], dict[str, int]],
        pid: int,
    ) -> None:
        """*origin* is service and host; *counts* returns our faults so far.

        Nothing is started before start().
        """
        self.pid = pid
        self.histograms = Histograms()
        self.notes: deque[_Note] = deque(maxlen=MAX_NOTES)
        self._collector = collector
        self._origin = (*origin, pid)
        self._counts = counts
        self._counted = dict(counts())
        self._queue: deque[RequestRecord] = deque()
        # Calls in the queue: those that came less those that went.
        self._calls_in = self._calls_out = 0
        self._batch: _Batch | None = None
        self._since = time_ns()
        self._retry_s = _FIRST_RETRY_S
        self._retry_at = 0.0
        # The first to take a number starts the thread.
        self._starts = count()
        self.is_started = False
        # How often it was asked to send at once, and has done so.
        self._asked = self._done = 0
        self._closing = False
        self._wakeup = Wakeup()
        self._ended = Wakeup()

    def start(self) -> None:
        """Start the thread, unless it runs. May raise RuntimeError."""
        if next(self._starts) != 0:
            return
        self.is_started = True
        try:
            start_thread(self.run)
        except BaseException:
            # No more threads: a later record tries again.
            self._let_start()
            raise
        atexit.register(self.close)

    def _let_start(self) -> None:
        self._ended = Wakeup()
        self.is_started = False
        self._starts = count()

    def put(self, record: RequestRecord, calls: int) -> bool:
        """Return whether the trace of *record* will be sent.

        Never waits: there is no room where the Collector is away for long.
        """
        queue = self._queue
        if (
            len(queue) >= MAX_TRACES
            or self._calls_in - self._calls_out + calls > MAX_CALLS
        ):
            return False
        self._calls_in += calls
        queue.append(record)
        # Two threads that append at once may both miss one such number.
        if len(queue) % BATCH_TRACES == 0:
            self._wakeup.wake()
        return True

    def wake(self) -> None:
        """Have the thread send what there is, now."""
        self._asked += 1
        self._wakeup.wake()

    def has_more(self) -> bool:
        """Return whether the thread has not sent yet what wake() was for."""
        return self._done != self._asked

    def close(self, wait_s: float = EXIT_S) -> None:
        """Have the thread send what is there and end.

        Waits *wait_s* at most; not at all where nothing would be sent.
        """
        atexit.unregister(self.close)
        if self._closing or os.getpid() != self.pid or not self.is_started:
            return
        self._closing = True
        self._wakeup.wake()
        self._ended.wait(wait_s)

    def run(self) -> None:
        """Send what comes until close(). Never raises."""
        wait_s = SEND_EVERY_S
        is_last = False
        # Where this thread fails, the next one has another.
        ended = self._ended
        try:
            while not is_last:
                self._wakeup.wait(wait_s)
                is_last, asked = self._closing, self._asked
                wait_s = self.step(monotonic())
                self._done = asked
        except Exception as exc:
            self._note(SENDING, exc)
            self._let_start()
        finally:
            ended.wake()

    def step(self, now: float) -> float:
        """Send what there is; return for how many seconds to wait then.

        Times go first: no trace keeps them from being sent.
        """
        if now < self._retry_at:
            return self._retry_at - now
        late: list[Answer] = []
        try:
            for send in (self._send_times, self._send_traces):
                answer = send()
                if answer is not None:
                    late.append(answer)
                    if answer.outcome == LATER:
                        # It would have us wait for each message.
                        break
        finally:
            self._collector.close()
        if not late:
            self._retry_s = _FIRST_RETRY_S
            return SEND_EVERY_S
        wait_s = max(self._retry_s, *(one.wait_s or 0.0 for one in late))
        self._retry_at = now + wait_s
        self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)
        return wait_s

    def _send_traces(self) -> Answer | None:
        """Return the answer for which traces have to wait, if any."""
        for _ in range(_MOST_BATCHES):
            batch = self._batch = self._batch or self._next_batch()
            if batch is None:
                break
            answer = self._posted(TRACES, batch.body, _rejected_spans)
            if answer.outcome in (BUSY, LATER):
                return answer
            self._batch = None
            if answer.outcome != DELIVERED:
                self._note(TRACES_LOST, None, batch.traces)
        return None

    def _next_batch(self) -> _Batch | None:
        taken: list[tuple[RequestRecord, list[TimelineEntry]]] = []
        calls = 0
        while (
            self._queue and len(taken) < BATCH_TRACES and calls < BATCH_CALLS
        ):
            record = self._queue.popleft()
            traced = record.traced
            if traced is None:
                continue
            self._calls_out += len(traced)
            calls += len(traced)
            try:
                taken.append((record, traced.timeline()))
            except Exception as exc:
                self._note(TRACES_LOST, exc)
        if not taken:
            return None
        message = spans.request_of(taken, partial(self._note, TRACES_LOST))
        return _Batch(message.SerializeToString(), len(taken))

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
            self._note(TIMES_LOST, None, times)
        return None

    def _posted(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer:
        """Return the answer to *body*; what is wrong with it is noted."""
        answer = self._collector.post(path, body, rejected_in)
        if answer.fault is not None:
            self._note(SENDING, answer.fault)
        if answer.rejected:
            self._note(REJECTED, None, answer.rejected)
        return answer

    def _note(
        self, what: str, error: Exception | None, number: int = 1
    ) -> None:
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
