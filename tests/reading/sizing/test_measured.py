# SPDX-License-Identifier: Apache-2.0
"""What records weigh is what the sinks make of them."""

from __future__ import annotations

import gzip

import pytest
from builders import numbered, one_of_each_kind, record, slow_rebuild

from nova_profiler.capture.sinks.json_file import JsonFileSink, line_of
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.reading.sizing.measured import weighed
from nova_profiler.record import CallTotals


def test_lines_weigh_what_the_file_has(tmp_path):
    """The same records through the sink that writes log_file."""
    records = [numbered(number) for number in range(20)]
    path = tmp_path / "requests.json"
    sink = JsonFileSink(str(path))
    for one in records:
        sink.emit(one)

    (weight,) = weighed(records, 1000.0).values()

    assert weight.line_bytes == path.stat().st_size
    assert weight.packed_bytes == len(gzip.compress(path.read_bytes(), 6))


@pytest.mark.parametrize("labels", ["none", "dogstatsd"])
def test_datagrams_are_those_of_the_sink(labels):
    """A call of one name that came often is sent as often as in life."""
    one = slow_rebuild()
    sent = []
    durations = {
        ("db_api", "instance_get_by_uuid"): [67.1] * 6,
        ("db_api", "instance_update_and_get_original"): [87.133] * 3,
        ("db_api", "instance_system_metadata_get"): [24.0] * 4,
        ("sql", "SELECT instances"): [8.442] * 10,
        ("sql", "SELECT instance_metadata"): [3.0] * 7,
        ("sql", "UPDATE instances"): [9.333] * 3,
    }
    in_life = slow_rebuild()
    in_life.durations.update(durations)
    StatsdSink(sent.append, "nova", "nova-api", labels).emit(in_life)

    (weight,) = weighed([one], 1000.0, labels).values()

    assert weight.sent.count == len(sent)
    assert weight.sent.lines == sum(len(x.split("\n")) for x in sent)
    assert weight.sent.bytes == sum(map(len, sent))
    assert weight.sums_sent.count == 0


def test_names_are_counted_once():
    """A second request of a route has no new series."""
    (weight,) = weighed([numbered(0), numbered(1)], 1000.0).values()

    assert weight.sent.names == {"nova.nova-api.request.v2_1_servers.GET.200"}


def test_what_is_added_up_is_sent_every_ten_seconds():
    """Of a record a second for a minute: six times the sums so far."""
    records = [
        numbered(
            number,
            kind="periodic",
            method="PERIODIC",
            route="periodic ComputeManager._sync",
            duration_ms=5.0,
        )
        for number in range(61)
    ]

    (weight,) = weighed(records, 1000.0).values()

    assert weight.others == 61
    assert weight.seconds == 60
    # The first of a process does not wait. The last was sent at its end.
    assert weight.sums_sent.count == 7
    assert weight.sums_sent.lines == 7


def test_requests_and_others_are_counted_apart():
    """Requests are sent one by one, all else as sums."""
    (weight,) = weighed(one_of_each_kind(), 1000.0).values()

    assert (weight.requests, weight.others) == (1, 3)
    assert weight.sent.count == 1
    # The first at once, the rest at the end.
    assert weight.sums_sent.count == 2


def test_order_does_not_matter():
    """Lines of several workers' files come one file after the other."""
    records = [numbered(n, pid=n % 2) for n in range(30)]

    there = weighed(records, 1000.0)["nova-api"]
    back = weighed(records[::-1], 1000.0)["nova-api"]

    assert there == back


def test_kept_is_what_is_slow_or_failed():
    """As dump_when has it by default, without profiles."""
    records = [
        record(duration_ms=999.9),
        record(duration_ms=1000.0),
        record(duration_ms=1.0, outcome="failed"),
        record(duration_ms=1.0, outcome="killed", status=0),
    ]

    (weight,) = weighed(records, 1000.0).values()

    assert weight.kept == 3


def test_dumps_are_added_to_their_service():
    """Also to one that has no lines."""
    weights = weighed(
        [record()],
        1000.0,
        dumps=[("nova-api", 10), ("nova-api", 30), ("nova-compute", 5)],
    )

    assert weights["nova-api"].dumps == 2
    assert weights["nova-api"].dump_bytes == 40
    assert weights["nova-compute"].records == 0


def test_a_stamp_that_is_none_is_no_time():
    """A record of a hostile file is weighed; the span is of the others."""
    records = [numbered(0), numbered(9), record(started_at="soon")]

    (weight,) = weighed(records, 1000.0).values()

    assert weight.records == 3
    assert weight.seconds == 9


def test_a_kind_of_a_later_version_has_lines_alone():
    """Its metrics are not known, and others are counted all the same."""
    (weight,) = weighed([record(kind="strange"), record()], 1000.0).values()

    assert weight.records == 2
    assert weight.sent.count == 1
    assert weight.sums_sent.count == 0


def test_calls_without_a_time_weigh_something():
    """Counts that cannot be, as a damaged line may have them."""
    one = record(calls=[CallTotals("sql", "SELECT a", 3, -1.0, 0.0, 0, 5)])

    (weight,) = weighed([one], 1000.0).values()

    assert weight.line_bytes == len(line_of(one))
