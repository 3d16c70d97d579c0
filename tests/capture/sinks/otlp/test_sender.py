# SPDX-License-Identifier: Apache-2.0
"""What waits to be sent: its bounds, and what goes out when."""

from __future__ import annotations

import pytest
from builders import record
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_plain import ordered

from nova_profiler.capture.sinks.otlp import waiting
from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    METRICS,
    REFUSED,
    TRACES,
    Answer,
)
from nova_profiler.capture.sinks.otlp.sender import SEND_EVERY_S, Sender
from nova_profiler.capture.sinks.otlp.waiting import (
    BATCH_TRACES,
    MAX_CALLS,
    MAX_TRACES,
    TAKEN_AT,
)
from nova_profiler.record import OrderedCalls, TimelineEntry

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

    def in_order(self) -> OrderedCalls:
        if self._fault is not None:
            raise self._fault
        return ordered(
            [
                TimelineEntry("db_api", "a", 0.0, 1.0, id=n)
                for n in range(self._number)
            ]
        )


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
def woken():
    """The queue's lengths at which the thread was woken."""
    return []


@pytest.fixture
def sender(collector, counts, woken):
    origin = ("nova-api", "host", 1)

    def wake():
        woken.append(len(made.traces._queue))

    made = Sender(collector, origin, lambda: counts, wake)
    return made


def _put(sender, calls=0, **fields):
    made = record(**fields)
    made.traced = Calls(calls)
    sender.histograms.add_record(made)
    return sender.traces.put(made, made.traced)


def test_times_go_out_and_then_the_traces(sender, collector):
    """In one message each."""
    _put(sender, 2)
    _put(sender, 0)

    wait_s = sender.step(100.0)

    assert [path for path, _ in collector.got] == [METRICS, TRACES]
    assert collector.spans() == 4
    assert collector.metrics() == [("http.server.request.duration", 2)]
    assert wait_s == SEND_EVERY_S
    assert not collector.open
    assert not sender.notes


def test_where_nothing_came_nothing_is_sent(sender, collector):
    """Not even a connection is made."""
    sender.step(100.0)
    _put(sender)
    sender.step(110.0)
    sender.step(120.0)

    assert len(collector.got) == 2


def test_a_message_has_only_so_many_traces(sender, collector, monkeypatch):
    """The others have messages of their own, at once."""
    monkeypatch.setattr(waiting, "BATCH_TRACES", 2)
    for _ in range(5):
        _put(sender)

    sender.step(100.0)

    assert [path for path, _ in collector.got] == [METRICS] + [TRACES] * 3
    assert collector.spans() == 5


def test_what_was_not_taken_is_sent_again(sender, collector):
    """Once the Collector is there, and nothing twice."""
    collector.answers = [AWAY, AWAY]
    _put(sender, 1)
    first = sender.step(100.0)
    _put(sender, 1)
    second = sender.step(105.0)
    assert sender.step(106.0) == pytest.approx(9.0)

    sender.step(115.0)

    assert (first, second) == (5.0, 10.0)
    assert collector.spans() == 4
    assert collector.metrics() == [("http.server.request.duration", 2)]
    assert [what for what, _, _ in sender.notes] == ["otlp_sending"] * 2


def test_times_that_were_not_taken_are_in_the_next(sender, collector):
    """None is lost while the Collector is away."""
    collector.answers = [AWAY]
    for at in (100.0, 200.0):
        sender.histograms.add_record(record(duration_ms=4.0))
        sender.step(at)

    [(_, message)] = collector.got
    [metric] = message.resource_metrics[0].scope_metrics[0].metrics
    [point] = metric.exponential_histogram.data_points
    assert (point.count, point.sum) == (2, pytest.approx(0.008))
    assert sum(point.positive.bucket_counts) == 2
    assert point.start_time_unix_nano < point.time_unix_nano


def test_what_is_refused_is_lost_and_counted(sender, collector):
    """It would be refused again."""
    fault = OSError(71, "the Collector answered 500")
    collector.answers = [Answer(REFUSED, fault), Answer(REFUSED, fault)]
    for _ in range(3):
        _put(sender)

    sender.step(100.0)
    sender.step(110.0)

    assert collector.got == []
    noted: list = []
    sender.report(lambda *note: noted.append((note[0], note[2])))
    assert noted == [
        ("otlp_sending", 1),
        ("otlp_times_lost", 3),
        ("otlp_sending", 1),
        ("otlp_traces_lost", 3),
    ]
    assert not sender.notes


def test_a_collector_says_when_to_come_back(sender, collector):
    """Not before that."""
    collector.answers = [AWAY._replace(wait_s=120.0)]
    _put(sender)

    assert sender.step(100.0) == 120.0
    assert sender.step(219.0) == 1.0
    assert collector.got == []
    sender.step(220.0)
    assert len(collector.got) == 2


def test_traces_that_are_not_taken_leave_times_alone(sender, collector):
    """A Collector with no pipeline for traces answers 503 for ever."""
    collector.answer_of[TRACES] = TOO_BUSY
    now = 100.0
    for _ in range(4):
        _put(sender)
        now += sender.step(now)
    times = collector.metrics()
    del collector.answer_of[TRACES]
    sender.step(now)

    assert times == [("http.server.request.duration", 1)] * 4
    assert now == 100.0 + 5 + 10 + 20 + 40
    assert collector.spans() == 4


def test_times_that_are_not_taken_leave_traces_alone(sender, collector):
    """The longer of two waits counts, and a step is one try."""
    collector.answer_of[METRICS] = TOO_BUSY._replace(wait_s=7.0)
    _put(sender)
    first = sender.step(100.0)
    collector.answer_of[TRACES] = TOO_BUSY
    _put(sender)
    second = sender.step(107.0)
    third = sender.step(117.0)

    assert collector.spans() == 1
    assert (first, second, third) == (7.0, 10.0, 20.0)


def test_what_is_away_is_tried_once_a_step(sender, collector):
    """Each try of one that hangs takes ten seconds."""
    collector.answer_of = {METRICS: AWAY, TRACES: AWAY}
    _put(sender)

    sender.step(100.0)

    assert [what for what, _, _ in sender.notes] == ["otlp_sending"]


def test_traces_that_come_meanwhile_wait(sender, collector, monkeypatch):
    """A step ends, however many come: the next times are due."""
    monkeypatch.setattr(waiting, "BATCH_TRACES", 1)
    post = collector.post

    def refill(path, body, rejected_in):
        if path == TRACES:
            assert len(collector.got) < 100, "it goes on for ever"
            _put(sender)
        return post(path, body, rejected_in)

    monkeypatch.setattr(collector, "post", refill)
    _put(sender)

    sender.step(100.0)

    sent = collector.spans()
    sender.step(110.0)
    assert collector.metrics() == [
        ("http.server.request.duration", 1),
        ("http.server.request.duration", sent),
    ]


def test_tries_become_rare(sender, collector):
    """To one a minute; the first success begins anew."""
    collector.answers = [AWAY] * 6
    _put(sender)
    now, waits = 100.0, []
    for _ in range(6):
        waits.append(sender.step(now))
        now += waits[-1]
    sender.step(now)
    collector.answers = [AWAY]
    _put(sender)

    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert sender.step(now + 10) == 5.0


def test_room_is_bounded(sender, collector):
    """By traces, and by their calls; there is room again when they are out."""
    for _ in range(MAX_TRACES):
        assert _put(sender)
    assert not _put(sender)
    sender.step(100.0)

    assert _put(sender, MAX_CALLS)
    assert not _put(sender, 1)
    assert _put(sender, 0)
    sender.step(200.0)
    assert _put(sender, 1)


def test_a_trace_that_cannot_be_made_is_lost_alone(sender, collector):
    """For a fault of ours."""
    for fault in (None, KeyError("x"), None):
        made = record()
        made.traced = Calls(0, fault)
        sender.traces.put(made, made.traced)

    sender.step(100.0)

    assert collector.spans() == 2
    [(what, error, _)] = sender.notes
    assert (what, type(error)) == ("otlp_traces_lost", KeyError)


def test_what_a_collector_leaves_out_is_counted(sender, collector):
    """It has said how much."""
    collector.answers = [Answer(DELIVERED, rejected=4)]
    _put(sender)

    sender.step(100.0)

    assert list(sender.notes) == [("otlp_rejected", None, 4)]


def test_faults_are_counted_there_as_well(sender, collector, counts):
    """Those since the last time."""
    counts["dump"] = 3
    sender.step(100.0)
    counts.update(dump=4, lane=1)
    sender.step(110.0)

    found = [
        {
            point.attributes[0].value.string_value: point.as_int
            for point in metric.sum.data_points
        }
        for _, message in collector.got
        for metric in message.resource_metrics[0].scope_metrics[0].metrics
    ]
    assert found == [{"dump": 3}, {"dump": 1, "lane": 1}]


def test_traces_that_fill_a_message_go_out_at_once(sender, collector):
    """The others, and the times, when these are due."""
    _put(sender)
    sender.step(100.0)
    for _ in range(BATCH_TRACES + 1):
        _put(sender)
    collector.got.clear()

    first = sender.step(103.0)
    sent = collector.spans(), collector.metrics()
    second = sender.step(104.0)

    assert (first, second) == (7.0, 6.0)
    assert sent == (BATCH_TRACES, [])
    assert collector.spans() == BATCH_TRACES
    sender.step(110.0)
    assert collector.spans() == BATCH_TRACES + 1
    assert collector.metrics() == [
        ("http.server.request.duration", BATCH_TRACES + 1)
    ]


def test_what_is_asked_for_goes_out_at_once(sender, collector):
    """As at the end of a process; a Collector that is away is left alone."""
    sender.step(100.0)
    _put(sender)
    sender.step(101.0, at_once=True)
    sent = collector.spans()
    collector.answers = [AWAY]
    _put(sender)
    sender.step(102.0, at_once=True)

    assert sender.step(103.0, at_once=True) == 4.0
    assert (sent, collector.spans()) == (1, 1)


def test_full_messages_wait_for_a_collector_that_is_away(sender, collector):
    """They are no reason to try it more often."""
    sender.step(100.0)
    collector.answers = [AWAY]
    for _ in range(2 * BATCH_TRACES):
        _put(sender)
    waits = [sender.step(101.0), sender.step(102.0)]

    assert waits == [5.0, 4.0]
    assert collector.spans() == 0
    sender.step(106.0)
    assert collector.spans() == 2 * BATCH_TRACES


def test_the_thread_is_woken_for_some_traces(sender, woken):
    """Before a processor's cache is full of them, and then it takes them."""
    for _ in range(TAKEN_AT):
        _put(sender, 3)
    sender.step(100.0)

    assert woken == [TAKEN_AT]
    assert not sender.traces._queue
