# SPDX-License-Identifier: Apache-2.0
"""Traces that wait become a message, but for those that cannot."""

from __future__ import annotations

import pytest
from builders import record
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from otlp_plain import ordered
from otlp_receivers import attributes_of

from nova_profiler.capture.sinks.otlp.waiting import (
    BATCH_CALLS,
    MAX_CALLS,
    Waiting,
)
from nova_profiler.record import TimelineEntry


class Traced:
    """As many calls, of which each message has one."""

    def __init__(self, calls: int = 1) -> None:
        self._calls = calls

    def __len__(self) -> int:
        return self._calls

    def in_order(self):
        return ordered([TimelineEntry("db_api", "a", 0.0, 1.0, id=0)])


@pytest.fixture
def lost():
    return []


@pytest.fixture
def waiting(lost):
    return Waiting(lambda: None, lost.append)


def _put(waiting, calls=1, **fields):
    made = record(**fields)
    made.traced = Traced(calls)
    return waiting.put(made, made.traced)


def _parts(waiting):
    message = waiting.take().message()
    return ExportTraceServiceRequest.FromString(message).resource_spans


def test_processes_have_resources_of_their_own(waiting):
    """A killed worker's record is sent by another one."""
    for pid in (4242, 7, 4242):
        _put(waiting, pid=pid)

    assert [
        (
            attributes_of(MessageToDict(part.resource))["process.pid"],
            len(part.scope_spans[0].spans),
        )
        for part in _parts(waiting)
    ] == [(4242, 4), (7, 2)]


def test_what_cannot_be_sent_is_left_out_alone(waiting, lost):
    """A killed worker's record is read from a file, and may hold anything."""
    _put(waiting)
    _put(
        waiting, duration_ms=1e15, record_id="x", trace_id="y", started_at="z"
    )
    _put(waiting, status=2**70)
    _put(waiting)

    [part] = _parts(waiting)

    assert len(part.scope_spans[0].spans) == 4
    assert len(lost) == 2
    assert waiting.batch.traces == 2


def test_a_message_has_only_so_many_calls(waiting):
    """However few traces these are."""
    while _put(waiting, BATCH_CALLS // 2):
        pass

    batch = waiting.take()

    assert batch.is_full
    assert batch.traces == 2
    assert waiting.take() is batch
    assert len(waiting._queue) == MAX_CALLS // (BATCH_CALLS // 2) - 2
