# SPDX-License-Identifier: Apache-2.0
"""Metrics of messages and tasks: the names, whether kept or not."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.capture.calls import Calls
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.sinks.statsd_added import MAX_ROUTES
from nova_profiler.capture.sinks.statsd_sink import MAX_DATAGRAM, StatsdSink
from nova_profiler.record import CallTotals, GroupTotals


@pytest.fixture
def datagrams():
    return []


@pytest.fixture(params=["none", "dogstatsd"])
def labels(request):
    return request.param


@pytest.fixture
def sink(datagrams):
    return StatsdSink(datagrams.append, "nova", "nova-conductor")


def lines_of(datagrams):
    return sorted("\n".join(datagrams).split("\n"))


def test_a_message_has_its_own_metrics(sink, datagrams):
    """Topic and method, the wait for a worker, and its calls."""
    calls = Calls()
    calls += [(0.0, 0.25, 0), (1.0, 1.25, 0)]
    nested = Calls()
    nested += [(0.0, 0.125, 0)]
    fetches = Calls()
    fetches += [(0.0, 0.5, 3)]
    named = [
        ("db_api", "instance_update", calls, False, True),
        ("db_api", "instance_get", nested, True, True),
        ("fetch", "fetch", fetches, False, False),
    ]

    sink.add_up("message", "rpc conductor Instance.save", 8.0, 2.0, [named])

    assert lines_of(datagrams) == [
        "nova.nova-conductor.db_api.instance_update:250.000|ms|@0.5",
        "nova.nova-conductor.fetch:500.000|ms",
        "nova.nova-conductor.message.conductor.Instance_save:8.000|ms",
        "nova.nova-conductor.message_wait.conductor:2.000|ms",
    ]


def test_a_group_without_names_has_one_sum(sink, datagrams):
    """Over lanes and names, and without what lies within another one."""
    calls = Calls()
    calls += [(0.0, 0.25, 0)]
    lanes = [
        [
            ("fetch", "fetch", calls, False, False),
            ("fetch", "other", calls, False, False),
            ("fetch", "fetch", calls, True, False),
        ],
        [("fetch", "fetch", calls, False, False)],
    ]

    sink.add_up("message", "rpc conductor ping", 8.0, None, lanes)

    assert [one for one in lines_of(datagrams) if "fetch" in one] == [
        "nova.nova-conductor.fetch:750.000|ms",
    ]


def test_calls_that_were_added_up_are_counted(sink, datagrams):
    """A lane keeps some hundred of a name one by one."""
    room = Capture(NothingServed(), 0)
    calls = Calls()
    calls += [(0.0, 0.5, 0)] * 300
    calls.fold(room)
    calls.append((0.0, 0.5, 0))

    named = [("db_api", "instance_get", calls, False, True)]
    sink.add_up("message", "rpc conductor ping", 1.0, None, [named])

    assert lines_of(datagrams)[0] == (
        "nova.nova-conductor.db_api.instance_get:500.000|ms|@0.00332225914"
    )


def test_labels_name_the_same(datagrams):
    """For receivers that know labels."""
    sink = StatsdSink(datagrams.append, "nova", "nova-conductor", "dogstatsd")

    sink.add_up("message", "rpc conductor Instance.save", 8.0, 2.0, [])

    assert lines_of(datagrams) == [
        "nova.message:8.000|ms"
        "|#service:nova-conductor,topic:conductor,method:Instance_save",
        "nova.message_wait:2.000|ms|#service:nova-conductor,topic:conductor",
    ]


@pytest.mark.parametrize(
    ("kind", "route", "name"),
    [
        (
            "task",
            "task LONG_TASK ComputeManager._build",
            "LONG_TASK.ComputeManager_build",
        ),
        ("periodic", "periodic ComputeManager._sync", "ComputeManager_sync"),
        ("message", "rpc compute", "compute.other"),
        ("message", "rpc a b c d", "a.b"),
    ],
)
def test_every_kind_has_names_of_as_many_parts(
    sink, datagrams, kind, route, name
):
    """A receiver's patterns rely on that."""
    sink.add_up(kind, route, 1.0, None, [])

    assert datagrams == [f"nova.nova-conductor.{kind}.{name}:1.000|ms"]


def test_a_record_of_a_message_is_added_up_like_others(sink, datagrams):
    """It is kept, and counts like those that are not."""
    made = record(
        kind="message",
        route="rpc conductor ping",
        duration_ms=4.0,
        wait_ms=1.0,
        groups={"fetch": GroupTotals(2, 3.0, 3.0)},
        calls=[
            CallTotals("db_api", "instance_get", 3, 6.0, 4.0),
            CallTotals("sql", "SELECT instances", 1, 1.5, 1.5),
        ],
        durations={("db_api", "instance_get"): [1.0, 1.5]},
    )

    sink.emit(made)

    assert lines_of(datagrams) == [
        "nova.nova-conductor.db_api.instance_get:1.000|ms",
        "nova.nova-conductor.db_api.instance_get:1.500|ms",
        "nova.nova-conductor.db_api.instance_get:3.500|ms",
        "nova.nova-conductor.fetch:3.000|ms",
        "nova.nova-conductor.message.conductor.ping:4.000|ms",
        "nova.nova-conductor.message_wait.conductor:1.000|ms",
        "nova.nova-conductor.sql.SELECT.instances:1.500|ms",
    ]


def test_our_own_counters_go_along(datagrams):
    """A failure of ours in a conductor is seen as one in the API."""
    sink = StatsdSink(
        datagrams.append,
        "nova",
        "nova-conductor",
        news=lambda: {"record": 2},
    )

    sink.add_up("message", "rpc conductor ping", 1.0, None, [])

    assert "nova.nova-conductor.profiler.record:2|c" in lines_of(datagrams)


def test_many_names_are_many_datagrams(sink, datagrams):
    """None longer than a network carries."""
    for number in range(500):
        sink._added._times.add((f"nova.x.message.t.m{number:03d}", ""), 1.0)
    sink._added._times.send()

    assert max(map(len, datagrams)) <= MAX_DATAGRAM
    assert len(lines_of(datagrams)) == 500


def test_routes_are_bounded(sink, datagrams):
    """Whatever names them: what is added up has one more name of each kind."""
    for number in range(MAX_ROUTES + 100):
        sink.add_up("message", f"rpc topic{number} m{number}", 1.0, 1.0, [])
    sink.emit(record(kind="message", route="rpc new topic", duration_ms=1.0))
    sink.add_up("task", "task LONG_TASK new", 1.0, 1.0, [])
    times = sink._added._times
    times.send()

    assert len(sink._added._routes) == MAX_ROUTES + 2
    assert len(times._names) == len(times._sent) == 2 * (MAX_ROUTES + 2)
    lines = lines_of(datagrams)
    assert "nova.nova-conductor.message.topic5.m5:1.000|ms" in lines
    assert "nova.nova-conductor.task.other.other:1.000|ms" in lines
    assert (
        "nova.nova-conductor.message.other.other:1.000|ms|@0.0099009901"
        in lines
    )
