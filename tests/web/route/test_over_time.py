# SPDX-License-Identifier: Apache-2.0
"""Percentiles in spans of time that a link can choose."""

from __future__ import annotations

from builders import numbered, written
from web_pages import still_index

from nova_profiler.web.choice import Choice
from nova_profiler.web.route.over_time import over_time_of


def test_each_span_has_its_percentiles(tmp_path):
    """And is chosen by its own ends."""
    records = [numbered(n, duration_ms=10.0 + n) for n in range(100)]
    records += [numbered(3600, duration_ms=5000.0, status=503)]
    written(tmp_path, *records)
    rows = still_index(tmp_path).rows

    found = over_time_of(rows)

    assert sum(span.requests for span in found.spans) == 101
    assert found.spans[-1].number < found.columns <= 60
    assert found.spans[0].p99_ms == 108.0
    assert found.spans[-1][3:] == (1, 1, 5000.0, 5000.0)
    for span in found.spans:
        chosen = Choice(since=span.since, until=span.until).of(rows)
        durations = sorted(row.duration_ms for row in chosen)
        assert len(durations) == span.requests
        assert span.p50_ms == durations[(len(durations) + 1) // 2 - 1]


def test_none_of_none():
    """Without requests there is no time."""
    assert over_time_of([]) is None
