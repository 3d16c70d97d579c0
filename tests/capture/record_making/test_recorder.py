# SPDX-License-Identifier: Apache-2.0
"""From what was served to its record: times, dumps, sinks."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from serving import Profiled, during, recorded, set_clock

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.record_making import lane_calls
from nova_profiler.capture.record_making.recorder import Recorder


def test_the_start_is_told_in_utc_with_microseconds(monkeypatch):
    """Also when the clock is a hair before the next second."""
    moments = iter([1792837201.0, 1792837201.9999999, 1792837202.123456])
    set_clock(monkeypatch, lambda: next(moments), "time")
    profiled = Profiled(during(lambda: None))

    for _ in range(3):
        profiled.get()
    told = [record.started_at for record in profiled.records]

    for text in told:
        moment = datetime.fromisoformat(text)
        assert moment.tzinfo == timezone.utc
        assert len(text) == len("2026-11-21T10:35:01.123456+00:00")
    assert told[0].endswith(".000000+00:00")
    assert told[2].endswith((".123456+00:00", ".123455+00:00"))
    assert told == sorted(told)


def test_every_sink_gets_every_record_in_order():
    """One after the other, as they are configured."""
    got = []

    class Sink:
        def __init__(self, name):
            self.name = name

        def emit(self, record):
            got.append((self.name, record.path))

    profiled = Profiled(during(lambda: None), Sink("one"), Sink("two"))
    profiled.get("/a")

    assert got == [("one", "/a"), ("two", "/a")]


class Sums:
    """A sink that adds up what has no record, or cannot."""

    def __init__(self, name, fault=None):
        self.name = name
        self.fault = fault
        self.added = []

    def emit(self, record):
        """Have records elsewhere."""

    def add_up(self, kind, route, ms, wait_ms, lanes):
        if self.fault is not None:
            raise self.fault
        self.added.append((kind, route, ms, wait_ms, list(lanes)))


def test_a_sink_that_fails_leaves_the_sums_of_others_alone():
    """Each has its own fault."""
    failures = Failures()
    sums = [Sums("one", OSError()), Sums("two"), Sums("three", KeyError())]
    sums.append(Sums("four"))
    capture = Capture(NothingServed(), 3)
    capture.close()

    Recorder(sums, failures).add_up("message", "rpc a b", capture, 2.0, None)

    added = [("message", "rpc a b", 2.0, None, [])]
    assert [one.added for one in sums] == [[], added, [], added]
    assert failures.counts() == {"one": 1, "three": 1}


def test_calls_are_named_once_and_for_those_who_ask(monkeypatch):
    """Naming takes longer than all that a histogram needs."""
    named = []
    monkeypatch.setattr(
        lane_calls, "named_calls", lambda lane: named.append(lane) or []
    )
    monkeypatch.setattr(lane_calls, "used_lanes", lambda capture: ["own"])
    capture = Capture(NothingServed(), 3)
    capture.close()
    asking = [Sums("one"), Sums("two")]
    histograms = Sums("histograms")
    histograms.add_up = lambda *figures: None
    failures = Failures()

    Recorder([histograms], failures).add_up("message", "a", capture, 2.0, None)
    assert named == []

    Recorder([histograms, *asking], failures).add_up(
        "message", "a", capture, 2.0, None
    )
    assert named == ["own"]
    assert [one.added[0][-1] for one in asking] == [[[]], [[]]]


def test_calls_that_cannot_be_named_leave_other_sums_alone(monkeypatch):
    """The fault is that of the sink that asked."""
    monkeypatch.setattr(lane_calls, "used_lanes", lambda capture: 1 / 0)
    capture = Capture(NothingServed(), 3)
    capture.close()
    histograms = Sums("histograms")
    seen = []
    histograms.add_up = lambda *figures: seen.append(figures)
    failures = Failures()

    Recorder([Sums("asking"), histograms], failures).add_up(
        "message", "a", capture, 2.0, None
    )

    assert len(seen) == 1
    assert failures.counts() == {"asking": 1}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, False),
        ({"dump_dir": "x"}, False),
        ({"dump_dir": "x", "dump_when": ("all",)}, True),
        ({"dump_when": ("all",)}, False),
        ({"dump_dir": "x", "dump_when": ("slow",), "slow_ms": 0.0}, True),
        ({"dump_dir": "x", "dump_when": ()}, False),
    ],
)
def test_a_timeline_is_only_made_for_a_dump(options, kept):
    """It costs more than all the rest."""
    profiled = Profiled(during(lambda: None), **options)

    profiled.get()

    assert (profiled.record.timeline is not None) is kept
    assert (profiled.record.statements is not None) is kept


def test_a_failed_request_is_dumped():
    """With the default settings, once there is a directory."""

    def app(environ, start_response):
        raise LookupError("x")

    profiled = Profiled(app, dump_dir="x")

    with pytest.raises(LookupError, match="x"):
        profiled.get()

    assert profiled.record.timeline == []


def test_its_own_time_is_told():
    """self_ms is what making the record took, not part of the request."""
    record = recorded(lambda: None)

    assert record.self_ms > 0.0
    assert record.service == "nova-api"
    assert record.host
    assert record.pid > 0
