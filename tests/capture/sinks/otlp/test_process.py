# SPDX-License-Identifier: Apache-2.0
"""What waits to be sent: its bounds, and what goes out when."""

from __future__ import annotations

import pytest
from builders import record
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from nova_profiler.capture.sinks.otlp import process as module
from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    METRICS,
    REFUSED,
    TRACES,
    Answer,
)
from nova_profiler.capture.sinks.otlp.process import (
    MAX_CALLS,
    MAX_TRACES,
    SEND_EVERY_S,
    Process,
)
from nova_profiler.record import TimelineEntry

KINDS = {
    TRACES: trace_service_pb2.ExportTraceServiceRequest,
    METRICS: metrics_service_pb2.ExportMetricsServiceRequest,
}
OK = Answer(DELIVERED)
AWAY = Answer(LATER, ConnectionRefusedError(111, "refused"))
TOO_BUSY = Answer(BUSY, OSError(71, "the Collector answered 503"))


class Calls:
    """The calls of a trace."""

    def __init__(self, number: int = 0, fault: Exception | None = None):
        self._number = number
        self._fault = fault

    def __len__(self) -> int:
        return self._number

    def timeline(self) -> list[TimelineEntry]:
        if self._fault is not None:
            raise self._fault
        return [
            TimelineEntry("db_api", "a", 0.0, 1.0, id=n)
            for n in range(self._number)
        ]


class FakeCollector:
    """A Collector that answers as it is told to."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.answer_of: dict[str, Answer] = {}
        self.got: list[tuple[str, object]] = []
        self.open = False

    def post(self, path, body, rejected_in) -> Answer:
        self.open = True
        answer = self.answer_of.get(path, OK)
        if self.answers:
            answer = self.answers.pop(0)
        if answer.outcome == DELIVERED:
            self.got.append((path, KINDS[path].FromString(body)))
        return answer

    def close(self) -> None:
        self.open = False

    def spans(self) -> int:
        return sum(
            len(scope.spans)
            for path, message in self.got
            if path == TRACES
            for part in message.resource_spans
            for scope in part.scope_spans
        )

    def metrics(self) -> list[tuple[str, int]]:
        return [
            (metric.name, point.count)
            for path, message in self.got
            if path == METRICS
            for metric in message.resource_metrics[0].scope_metrics[0].metrics
            for point in metric.exponential_histogram.data_points
        ]


@pytest.fixture
def collector():
    return FakeCollector()


@pytest.fixture
def counts():
    return {}


@pytest.fixture
def process(collector, counts):
    return Process(collector, ("nova-api", "host"), lambda: counts, 1)


def _put(process, calls=0, **fields):
    made = record(**fields)
    made.traced = Calls(calls)
    process.histograms.add_record(made)
    return process.put(made, calls)


def test_times_go_out_and_then_the_traces(process, collector):
    """In one message each."""
    _put(process, 2)
    _put(process, 0)

    wait_s = process.step(100.0)

    assert [path for path, _ in collector.got] == [METRICS, TRACES]
    assert collector.spans() == 4
    assert collector.metrics() == [("http.server.request.duration", 2)]
    assert wait_s == SEND_EVERY_S
    assert not collector.open
    assert not process.notes


def test_the_end_waits_for_a_thread_that_came_later(
    process, collector, counts, monkeypatch
):
    """That an earlier one has failed says nothing of this one."""
    started: list = []
    monkeypatch.setattr(module, "start_thread", started.append)
    _put(process)
    process.start()
    process.wake()
    monkeypatch.setattr(process, "_counts", lambda: counts["none"])
    started[0]()
    [(what, error, _)] = process.notes
    assert (what, type(error)) == ("otlp_sending", KeyError)
    assert not process.is_started

    process.start()

    assert len(started) == 2
    assert not process._ended.wait(0)
    process.close(0)


def test_where_nothing_came_nothing_is_sent(process, collector):
    """Not even a connection is made."""
    process.step(100.0)
    _put(process)
    process.step(110.0)
    process.step(120.0)

    assert len(collector.got) == 2


def test_a_message_has_only_so_many_traces(process, collector, monkeypatch):
    """The others have messages of their own, at once."""
    monkeypatch.setattr(module, "BATCH_TRACES", 2)
    for _ in range(5):
        _put(process)

    process.step(100.0)

    assert [path for path, _ in collector.got] == [METRICS] + [TRACES] * 3
    assert collector.spans() == 5


def test_what_was_not_taken_is_sent_again(process, collector):
    """Once the Collector is there, and nothing twice."""
    collector.answers = [AWAY, AWAY]
    _put(process, 1)
    first = process.step(100.0)
    _put(process, 1)
    second = process.step(105.0)
    assert process.step(106.0) == pytest.approx(9.0)

    process.step(115.0)

    assert (first, second) == (5.0, 10.0)
    assert collector.spans() == 4
    assert collector.metrics() == [("http.server.request.duration", 2)]
    assert [what for what, _, _ in process.notes] == ["otlp_sending"] * 2


def test_times_that_were_not_taken_are_in_the_next(process, collector):
    """None is lost while the Collector is away."""
    collector.answers = [AWAY]
    for at in (100.0, 200.0):
        process.histograms.add_record(record(duration_ms=4.0))
        process.step(at)

    [(_, message)] = collector.got
    [metric] = message.resource_metrics[0].scope_metrics[0].metrics
    [point] = metric.exponential_histogram.data_points
    assert (point.count, point.sum) == (2, pytest.approx(0.008))
    assert sum(point.positive.bucket_counts) == 2
    assert point.start_time_unix_nano < point.time_unix_nano


def test_what_is_refused_is_lost_and_counted(process, collector):
    """It would be refused again."""
    fault = OSError(71, "the Collector answered 500")
    collector.answers = [Answer(REFUSED, fault), Answer(REFUSED, fault)]
    for _ in range(3):
        _put(process)

    process.step(100.0)
    process.step(110.0)

    assert collector.got == []
    noted: list = []
    process.report(lambda *note: noted.append((note[0], note[2])))
    assert noted == [
        ("otlp_sending", 1),
        ("otlp_times_lost", 3),
        ("otlp_sending", 1),
        ("otlp_traces_lost", 3),
    ]
    assert not process.notes


def test_a_collector_says_when_to_come_back(process, collector):
    """Not before that."""
    collector.answers = [AWAY._replace(wait_s=120.0)]
    _put(process)

    assert process.step(100.0) == 120.0
    assert process.step(219.0) == 1.0
    assert collector.got == []
    process.step(220.0)
    assert len(collector.got) == 2


def test_traces_that_are_not_taken_leave_times_alone(process, collector):
    """A Collector with no pipeline for traces answers 503 for ever."""
    collector.answer_of[TRACES] = TOO_BUSY
    now = 100.0
    for _ in range(4):
        _put(process)
        now += process.step(now)
    times = collector.metrics()
    del collector.answer_of[TRACES]
    process.step(now)

    assert times == [("http.server.request.duration", 1)] * 4
    assert now == 100.0 + 5 + 10 + 20 + 40
    assert collector.spans() == 4


def test_times_that_are_not_taken_leave_traces_alone(process, collector):
    """The longer of two waits counts, and a step is one try."""
    collector.answer_of[METRICS] = TOO_BUSY._replace(wait_s=7.0)
    _put(process)
    first = process.step(100.0)
    collector.answer_of[TRACES] = TOO_BUSY
    _put(process)
    second = process.step(107.0)
    third = process.step(117.0)

    assert collector.spans() == 1
    assert (first, second, third) == (7.0, 10.0, 20.0)


def test_what_is_away_is_tried_once_a_step(process, collector):
    """Each try of one that hangs takes ten seconds."""
    collector.answer_of = {METRICS: AWAY, TRACES: AWAY}
    _put(process)

    process.step(100.0)

    assert [what for what, _, _ in process.notes] == ["otlp_sending"]


def test_traces_that_come_meanwhile_wait(process, collector, monkeypatch):
    """A step ends, however many come: the next times are due."""
    monkeypatch.setattr(module, "BATCH_TRACES", 1)
    post = collector.post

    def refill(path, body, rejected_in):
        if path == TRACES:
            assert len(collector.got) < 100, "it goes on for ever"
            _put(process)
        return post(path, body, rejected_in)

    monkeypatch.setattr(collector, "post", refill)
    _put(process)

    process.step(100.0)

    sent = collector.spans()
    process.step(110.0)
    assert collector.metrics() == [
        ("http.server.request.duration", 1),
        ("http.server.request.duration", sent),
    ]


def test_tries_become_rare(process, collector):
    """To one a minute; the first success begins anew."""
    collector.answers = [AWAY] * 6
    _put(process)
    now, waits = 100.0, []
    for _ in range(6):
        waits.append(process.step(now))
        now += waits[-1]
    process.step(now)
    collector.answers = [AWAY]
    _put(process)

    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert process.step(now + 10) == 5.0


def test_room_is_bounded(process, collector):
    """By traces, and by their calls; there is room again when they are out."""
    for _ in range(MAX_TRACES):
        assert _put(process)
    assert not _put(process)
    process.step(100.0)

    assert _put(process, MAX_CALLS)
    assert not _put(process, 1)
    assert _put(process, 0)
    process.step(200.0)
    assert _put(process, 1)


def test_a_trace_that_cannot_be_made_is_lost_alone(process, collector):
    """For a fault of ours."""
    for fault in (None, KeyError("x"), None):
        made = record()
        made.traced = Calls(0, fault)
        process.put(made, 0)

    process.step(100.0)

    assert collector.spans() == 2
    [(what, error, _)] = process.notes
    assert (what, type(error)) == ("otlp_traces_lost", KeyError)


def test_what_a_collector_leaves_out_is_counted(process, collector):
    """It has said how much."""
    collector.answers = [Answer(DELIVERED, rejected=4)]
    _put(process)

    process.step(100.0)

    assert list(process.notes) == [("otlp_rejected", None, 4)]


def test_faults_are_counted_there_as_well(process, collector, counts):
    """Those since the last time."""
    counts["dump"] = 3
    process.step(100.0)
    counts.update(dump=4, lane=1)
    process.step(110.0)

    found = [
        {
            point.attributes[0].value.string_value: point.as_int
            for point in metric.sum.data_points
        }
        for _, message in collector.got
        for metric in message.resource_metrics[0].scope_metrics[0].metrics
    ]
    assert found == [{"dump": 3}, {"dump": 1, "lane": 1}]
