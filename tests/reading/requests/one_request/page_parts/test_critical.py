# SPDX-License-Identifier: Apache-2.0
"""The critical path of a request: back from its end, over all lanes."""

from __future__ import annotations

from hypothesis import given, settings
from odd_records import odd_records

from nova_profiler.reading.requests.one_request.page_parts.critical import (
    Stretch,
    critical_stretches,
)
from nova_profiler.record import RequestRecord, TimelineEntry


def record_of(duration_ms: float, *calls: tuple) -> RequestRecord:
    """Return a record of calls: group, lane, start and length."""
    record = RequestRecord()
    record.duration_ms = duration_ms
    record.timeline = [
        TimelineEntry(group, "x", start, ms, lane)
        for group, lane, start, ms in calls
    ]
    return record


def test_one_lane_has_no_path():
    """Then all of the request is on it, and nothing needs a mark."""
    assert critical_stretches(record_of(10.0, ("sql", 0, 1.0, 5.0))) == []


def test_the_lane_that_ends_last_is_waited_for():
    """And before its call the one that ended last until then."""
    record = record_of(
        100.0,
        ("sql", 0, 0.0, 10.0),
        ("sql", 1, 12.0, 20.0),
        ("sql", 2, 12.0, 50.0),
        ("sql", 1, 70.0, 10.0),
        ("sql", 0, 90.0, 5.0),
    )

    assert critical_stretches(record) == [
        Stretch(0, 0.0, 12.0),
        Stretch(2, 12.0, 62.0),
        Stretch(0, 62.0, 70.0),
        Stretch(1, 70.0, 80.0),
        Stretch(0, 80.0, 100.0),
    ]


def test_what_the_own_thread_does_itself_is_its_own():
    """Other lanes that run beside it hold nothing up."""
    record = record_of(50.0, ("sql", 0, 0.0, 50.0), ("sql", 1, 10.0, 30.0))

    assert critical_stretches(record) == [Stretch(0, 0.0, 50.0)]


def test_an_outer_call_waits_for_other_lanes():
    """So does a wait for a lock: the thread does nothing in it."""
    for group in ("db_api", "lock"):
        record = record_of(
            50.0,
            (group, 0, 0.0, 50.0),
            ("sql", 0, 0.0, 5.0) if group == "db_api" else ("x", 0, 50.0, 0.0),
            ("sql", 1, 10.0, 30.0),
        )

        assert Stretch(1, 10.0, 40.0) in critical_stretches(record)


@settings(max_examples=60)
@given(odd_records())
def test_the_path_has_each_moment_once(record):
    """Whatever the calls are: in order, without gaps."""
    path = critical_stretches(record)

    for one, following in zip(path, path[1:], strict=False):
        assert one.end_ms == following.start_ms
        assert one.lane != following.lane
        assert one.end_ms > one.start_ms
