# SPDX-License-Identifier: Apache-2.0
"""The real nova-api sends OTLP to a receiver: sums are those of records."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from otlp_receivers import Received, receiver

from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.record import RequestRecord
from tests.functional.log_files import records_in

pytestmark = pytest.mark.functional

INSTANCES = 10
PATHS = ("/servers", "/servers/detail", "/flavors", "/servers/none")
# The thread sends every ten seconds.
LONGEST_S = 60.0
DURATION = "http.server.request.duration"


def _received(received: Received, number: int) -> list[dict]:
    """Return the points of *number* requests, once they are there."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        points = received.points(DURATION)
        found = sum(int(point["count"]) for point in points)
        if found >= number or time.monotonic() > deadline:
            assert found == number
            return points
        time.sleep(0.2)


def _added(
    pairs: list[tuple[tuple, float]],
) -> dict[tuple, tuple[int, float]]:
    found: dict[tuple, tuple[int, float]] = {}
    for key, ms in pairs:
        count, total = found.get(key, (0, 0.0))
        found[key] = count + 1, total + ms
    return found


@pytest.mark.parametrize("mode", nova_api.MODES)
def test_a_collector_gets_what_the_records_have(
    tmp_path: Path, mode: str
) -> None:
    """Count and sum of each route and status; a span of each call."""
    directory = nova_api.new_directory(f"tests/otlp-{mode}")
    log_file = directory / "requests.jsonl"
    urls = sqlite_files.urls(directory, INSTANCES, print)
    with receiver(tmp_path / "received.jsonl") as received:
        profiler = {
            "log_file": str(log_file),
            "otlp_endpoint": received.endpoint,
            "otlp_traces": "request:all",
        }
        with nova_api.running(directory, urls, mode, profiler) as api:
            for path in (*PATHS, *PATHS):
                api.request("GET", path)
            records = records_in(log_file)
            points = _received(received, len(records))
    assert len(records) >= 2 * len(PATHS)

    expected = _added(
        [((one.route, one.status), one.duration_ms) for one in records]
    )
    for key, (count, ms) in expected.items():
        mine = [
            point
            for point in points
            if (
                point["attributes"]["http.route"],
                point["attributes"]["http.response.status_code"],
            )
            == key
        ]
        assert sum(int(point["count"]) for point in mine) == count
        total_ms = sum(point["sum"] for point in mine) * 1000
        assert total_ms == pytest.approx(ms, abs=0.001 * count)
    _assert_traced(received, records)


def _assert_traced(received: Received, records: list[RequestRecord]) -> None:
    spans = received.spans()
    by_id = {span["spanId"]: span for span in spans}
    assert len(by_id) == len(spans)
    for record in records:
        span = by_id[record.record_id]
        digits = re.sub("^req-|-", "", record.request_id or "")
        assert span["traceId"] == digits
        assert span["name"] == f"{record.method} {record.route}"
        calls = [
            one
            for one in spans
            if one["traceId"] == digits and one is not span
        ]
        listed = sum(totals.calls for totals in record.groups.values())
        nested = sum(call.nested for call in record.calls)
        assert len(calls) == listed + nested
        for one in calls:
            assert one["parentSpanId"] in by_id
            assert int(one["startTimeUnixNano"]) >= int(
                span["startTimeUnixNano"]
            )
