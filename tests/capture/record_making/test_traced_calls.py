# SPDX-License-Identifier: Apache-2.0
"""The calls of a trace: those of a dump, put in order later."""

from __future__ import annotations

import pytest
from builders import record
from serving import PLAIN, Profiled, during

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.record_making.dump_details import (
    TracedCalls,
    timeline_of,
)
from nova_profiler.capture.settings.options import Settings

ENDPOINT = "http://127.0.0.1:4318"
KEY = CallKey("db_api", "action_start")


def _call():
    lane = current_lane()
    start = lane.capture.started
    lane.add(KEY, (start, start + 0.001, 0.0))


def test_a_closed_captures_calls_are_its_timeline():
    """They are put in order later, when the capture has been let go."""
    capture = Capture(NothingServed(), 3)
    key = CallKey("db_api", "action_start")
    for n in range(5):
        start = capture.started + n / 1000
        capture.main.add(key, (start, start + 0.0005, 0.0))
    capture.close()
    traced = TracedCalls(capture)
    capture.release()

    entries = timeline_of(traced.in_order())

    assert len(traced) == len(entries) == 3
    assert [(one.name, one.id, one.lane) for one in entries] == [
        ("action_start", n, 0) for n in range(3)
    ]


@pytest.mark.parametrize(
    ("options", "traced"),
    [
        ({}, False),
        ({"slow_ms": 0.0}, True),
        ({"slow_ms": 0.0, "otlp_endpoint": None}, False),
        ({"slow_ms": 0.0, "otlp_traces": ("message:all",)}, False),
        ({"otlp_traces": ("all",)}, True),
        ({"otlp_trace_rate": 1.0}, True),
    ],
)
def test_only_what_is_kept_has_a_trace(options, traced):
    """By its own options: there is no folder of dumps."""
    given = {"otlp_endpoint": ENDPOINT, "slow_ms": 1e6, **options}

    def work():
        _call()

    app = during(work)

    def with_id(environ, start_response):
        environ["openstack.request_id"] = "req-1"
        return app(environ, start_response)

    profiled = Profiled(with_id, **given)
    profiled.get()

    made = profiled.record
    assert made.timeline is None
    assert (made.traced is not None) == traced
    if made.traced is not None:
        entries = timeline_of(made.traced.in_order())
        assert [one.name for one in entries] == ["action_start"]


def test_a_trace_has_the_calls_of_the_dump(tmp_path):
    """Of a record that has both."""
    (tmp_path / "dumps").mkdir(0o700)
    profiled = Profiled(
        during(_call),
        otlp_endpoint=ENDPOINT,
        slow_ms=0.0,
        dump_dir=str(tmp_path / "dumps"),
    )
    profiled.get()

    assert profiled.record.traced is not None
    entries = timeline_of(profiled.record.traced.in_order())
    assert entries == profiled.record.timeline


def test_a_failed_request_has_a_trace():
    """Whatever it raised."""

    def app(environ, start_response):
        _call()
        start_response("500 x", PLAIN)
        return [b""]

    profiled = Profiled(app, otlp_endpoint=ENDPOINT)
    profiled.get()

    assert profiled.record.traced is not None


def test_a_request_that_was_killed_has_a_trace():
    """With no calls: they are not known one by one."""
    profiled = Profiled(during(_call), otlp_endpoint=ENDPOINT)

    profiled.worker.recorder.deliver_killed(
        record(outcome="killed"), Settings(otlp_endpoint=ENDPOINT)
    )

    assert profiled.record.traced is not None
    assert len(profiled.record.traced) == 0
    assert timeline_of(profiled.record.traced.in_order()) == []
