# SPDX-License-Identifier: Apache-2.0
"""The calls of a timeline: what they cover, what is around them."""

from __future__ import annotations

from nova_profiler.reading.record_calls import (
    CallsAround,
    covered_ms,
    merged_spans,
)
from nova_profiler.record import RequestRecord, TimelineEntry


def call(start_ms: float, ms: float) -> TimelineEntry:
    return TimelineEntry("sql", "SELECT t", start_ms, ms)


def test_spans_count_each_moment_once():
    """Nested and overlapping calls merge, and end with the request."""
    calls = [
        call(50, 20),
        call(10, 30),
        call(20, 5),
        call(60, 90),
        call(-5, 6),
    ]

    assert merged_spans(calls, 100.0) == [
        (0.0, 1.0),
        (10.0, 40.0),
        (50.0, 100.0),
    ]
    assert covered_ms(calls, 100.0) == 81.0


def test_the_calls_around_stand_innermost_first():
    """A parent that stands behind its child is none."""
    record = RequestRecord()
    record.timeline = [
        TimelineEntry("db_api", "outer", 0, 9, id=0),
        TimelineEntry("db_api", "inner", 1, 8, id=1, parent=0),
        TimelineEntry("sql", "SELECT t", 2, 7, id=2, parent=1),
        TimelineEntry("sql", "SELECT u", 2, 7, id=3, parent=4),
        TimelineEntry("sql", "SELECT v", 2, 7, id=4, parent=3),
    ]
    around = CallsAround(record)

    assert [one.name for one in around.of(record.timeline[2])] == [
        "inner",
        "outer",
    ]
    assert around.db_api_of(record.timeline[2]) == "inner"
    assert list(around.of(record.timeline[3])) == []
