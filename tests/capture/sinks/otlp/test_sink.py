# SPDX-License-Identifier: Apache-2.0
"""The sink in its process: its thread, forks, eventlet, and a receiver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import one_of_each_kind, record
from otlp_plain import ordered
from otlp_receivers import answer, answering, receiver
from places import ROOT

from nova_profiler.capture.failures import Failures
from nova_profiler.capture.sinks.otlp import process as processes
from nova_profiler.capture.sinks.otlp import waiting
from nova_profiler.capture.sinks.otlp.collector import Collector
from nova_profiler.capture.sinks.otlp.endpoint import endpoint_of
from nova_profiler.capture.sinks.otlp.sink import OtlpSink

END_S = 20.0


def _sink(endpoint: str, failures: Failures, **headers: str) -> OtlpSink:
    return OtlpSink(
        lambda: Collector(endpoint_of(endpoint), headers),
        ("nova-api", "controller-1"),
        failures.note,
        failures.counts,
    )


@pytest.fixture
def no_threads(monkeypatch):
    """Have threads be a list of functions that were to run."""
    started: list = []
    monkeypatch.setattr(processes, "start_thread", started.append)
    return started


def test_nothing_runs_before_the_first_record(no_threads):
    """And one thread from then on."""
    failures = Failures()
    sink = _sink("http://127.0.0.1:1", failures)
    assert no_threads == []

    for one in one_of_each_kind() * 3:
        sink.emit(one)
    sink.add_up("message", "rpc a b", 1.0, None, [])

    assert len(no_threads) == 1
    assert failures.counts() == {}
    sink.close(0)


def test_a_thread_that_cannot_start_starts_later(monkeypatch):
    """The record is in the times all the same."""
    started: list = []

    def start(function):
        started.append(function)
        if len(started) == 1:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(processes, "start_thread", start)
    sink = _sink("http://127.0.0.1:1", Failures())

    with pytest.raises(RuntimeError, match="start new thread"):
        sink.emit(record())
    sink.emit(record())
    sink.emit(record())

    assert len(started) == 2
    sink.close(0)


def test_a_forked_process_has_a_thread_and_times_of_its_own(no_threads):
    """What its parent added up is the parent's."""
    sink = _sink("http://127.0.0.1:1", Failures())
    sink.emit(record())
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        sink.emit(record())
        assert sink._process is not None
        [delta] = sink._process.sender.histograms.deltas()
        os.write(writes, b"%d %d" % (len(no_threads), delta.count))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reads, 100) == b"2 1"
    assert len(no_threads) == 1
    sink.close(0)
    os.close(reads)
    os.close(writes)


def test_what_has_no_room_is_lost_and_counted(no_threads, monkeypatch):
    """The Collector is away: nothing grows, and nothing waits."""
    monkeypatch.setattr(waiting, "MAX_TRACES", 2)
    failures = Failures()
    sink = _sink("http://127.0.0.1:1", failures)
    for _ in range(5):
        made = record()
        made.traced = NoCalls()
        sink.emit(made)

    assert failures.counts() == {"otlp_traces_lost": 3}
    sink.close(0)


class NoCalls:
    """The calls of a record that has none."""

    def __len__(self) -> int:
        return 0

    def in_order(self):
        return ordered([])


def test_a_fault_is_said_once_by_what_serves(caplog):
    """A thread of ours logs nothing; no secret is in the line."""
    failures = Failures()
    with answering(answer("500 S3cr3t", b"S3cr3t")) as port:
        sink = _sink(
            f"http://127.0.0.1:{port}", failures, Authorization="S3cr3t"
        )
        made = record()
        made.traced = NoCalls()
        sink.emit(made)
        sink.close(END_S)
    assert caplog.messages == []

    sink.emit(record())

    assert failures.counts() == {
        "otlp_sending": 2,
        "otlp_traces_lost": 1,
        "otlp_times_lost": 1,
    }
    assert caplog.messages == [
        "otlp_sending failed (OSError: the Collector answered 500); requests "
        "are served as before, further failures are only counted"
    ]


def test_a_receiver_gets_what_was_emitted(tmp_path):
    """Decoded by the classes of opentelemetry-proto, in its own process."""
    records = one_of_each_kind()
    failures = Failures()
    with receiver(tmp_path / "received.jsonl") as received:
        sink = _sink(received.endpoint, failures, **{"X-Test": "yes"})
        for one in records:
            one.traced = NoCalls()
            sink.emit(one)
        sink.close(END_S)

    assert [span["name"] for span in received.spans()] == [
        "GET /v2.1/servers",
        *(one.route for one in records[1:]),
    ]
    [point] = received.points("http.server.request.duration")
    assert point["attributes"] == {
        "http.route": "/v2.1/servers",
        "http.request.method": "GET",
        "http.response.status_code": 200,
    }
    assert point["resource"] == {
        "service.name": "nova-api",
        "host.name": "controller-1",
        "process.pid": os.getpid(),
    }
    assert received.headers() == {"yes"}
    assert failures.counts() == {}


PROGRAM = Path(ROOT, "tests", "programs", "otlp_sending.py")


@pytest.mark.parametrize("mode", ["threads", "eventlet", "gevent"])
def test_traces_and_times_equal_the_records(tmp_path, mode):
    """Of requests with calls, served by real threads or greenthreads."""
    with receiver(tmp_path / "received.jsonl") as received:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), mode, received.endpoint, tmp_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]

    by_status: dict[int, list[float]] = {}
    for one in records:
        by_status.setdefault(one["status"], []).append(one["duration_ms"])
    points = received.points("http.server.request.duration")
    found = {
        point["attributes"]["http.response.status_code"]: (
            int(point["count"]),
            pytest.approx(point["sum"] * 1000, abs=0.001 * len(records)),
        )
        for point in points
    }
    assert found == {s: (len(ms), sum(ms)) for s, ms in by_status.items()}
    slow = {one["record_id"]: one for one in records if one["status"] == 500}
    spans = received.spans()
    own = [span for span in spans if span["spanId"] in slow]
    assert {span["spanId"] for span in own} == set(slow)
    for span in own:
        calls = [one for one in spans if one["traceId"] == span["traceId"]]
        expected = sum(c["count"] for c in slow[span["spanId"]]["calls"])
        assert len(calls) - 1 == expected == 3
    assert len(spans) == 4 * len(slow)
    # Of the slowest, a trace that was sent where it is one of these.
    [failed] = [
        p for p in points
        if p["attributes"]["http.response.status_code"] == 500
    ]  # fmt: skip
    slowest = max(slow.values(), key=lambda one: one["duration_ms"])
    [exemplar] = failed["exemplars"]
    assert exemplar["asDouble"] * 1000 == pytest.approx(
        slowest["duration_ms"], abs=0.001
    )


def test_a_collector_that_is_away_does_not_hold_the_end(tmp_path):
    """The process ends within the time that it gives the last message."""
    with answering(b"", is_closing=False) as port:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "threads",
             f"http://127.0.0.1:{port}", tmp_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
