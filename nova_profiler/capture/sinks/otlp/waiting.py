# SPDX-License-Identifier: Apache-2.0
"""The traces of one process that wait, and those of the next message."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from nova_profiler.capture.sinks.otlp.messages import wire
from nova_profiler.capture.sinks.otlp.messages.spans import spans_of
from nova_profiler.record import RequestRecord, Traced

# Traces that wait, and their calls together: a call has some 200 bytes.
MAX_TRACES = 512
MAX_CALLS = 20_000
# One message has no more traces and calls.
BATCH_TRACES = 64
BATCH_CALLS = 4_000
# The thread is woken for as many: more do not fit into a processor's cache,
# and each request that finds it full takes some microseconds longer.
TAKEN_AT = 16
# As many hold all that may wait.
MOST_BATCHES = MAX_TRACES // BATCH_TRACES + MAX_CALLS // BATCH_CALLS + 1


class Batch:
    """The traces of one message, as spans."""

    def __init__(self) -> None:
        self.traces = 0
        self._calls = 0
        # By service, host and pid: one process's, but for a killed one's.
        self._spans: dict[tuple[str, str, int], list[bytes]] = {}

    @property
    def is_full(self) -> bool:
        """Whether one message has no room for more."""
        return self.traces >= BATCH_TRACES or self._calls >= BATCH_CALLS

    def add(self, record: RequestRecord, calls: int, spans: bytes) -> None:
        """Add the *spans* of *record* and of as many *calls*."""
        origin = record.service, record.host, record.pid
        self._spans.setdefault(origin, []).append(spans)
        self.traces += 1
        self._calls += calls

    def message(self) -> bytes:
        """Return the message, an ExportTraceServiceRequest."""
        return b"".join(
            wire.resource_spans(origin, spans)
            for origin, spans in self._spans.items()
        )


class Waiting:
    """The traces that no Collector has taken yet."""

    def __init__(
        self,
        wake: Callable[[], None],
        lost: Callable[[Exception], None],
    ) -> None:
        """*wake* has take() called; *lost* is for what cannot be sent."""
        self._wake = wake
        self._lost = lost
        self._queue: deque[tuple[RequestRecord, Traced, int]] = deque()
        # Calls in the queue: those that came less those that went.
        self._calls_in = self._calls_out = 0
        self.batch = Batch()

    def put(self, record: RequestRecord, traced: Traced) -> bool:
        """Return whether the trace of *record*, which is that, will be sent.

        Never waits: there is no room where the Collector is away for long.
        """
        queue = self._queue
        calls = len(traced)
        if (
            len(queue) >= MAX_TRACES
            or self._calls_in - self._calls_out + calls > MAX_CALLS
        ):
            return False
        self._calls_in += calls
        queue.append((record, traced, calls))
        # Two threads that append at once may both miss one such number.
        if len(queue) % TAKEN_AT == 0:
            self._wake()
        return True

    def take(self) -> Batch:
        """Return the next message, with what it has room for.

        Called by one thread; what was sent, another batch replaces.
        """
        batch = self.batch
        while self._queue and not batch.is_full:
            record, traced, calls = self._queue.popleft()
            self._calls_out += calls
            try:
                spans = spans_of(record, traced.in_order())
            except Exception as exc:
                # As for a number that has no place in 64 bits.
                self._lost(exc)
            else:
                batch.add(record, calls, spans)
        return batch
