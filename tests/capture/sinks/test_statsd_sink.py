# SPDX-License-Identifier: Apache-2.0
"""Metrics of records: their names, their lines, their datagrams."""

from __future__ import annotations

import re

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.sinks.statsd_sink import (
    MAX_DATAGRAM,
    MAX_NAMES,
    StatsdSink,
)
from nova_profiler.record import CallTotals

LINE = re.compile(
    r"[A-Za-z0-9_.-]+:\d+(?:\.\d{3})?\|(?:ms|c)(?:\|@[0-9.e-]+)?"
    r"(?:\|#(?:[a-z]+:[A-Za-z0-9_.-]+,?)+)?"
)


def _sent(made, labels: str = "none", **more) -> list[str]:
    """Return the datagrams of a record."""
    datagrams: list[str] = []
    sink = StatsdSink(datagrams.append, "nova", "nova-api", labels, **more)
    sink.emit(made)
    return datagrams


def _lines(made, labels: str = "none", **more) -> list[str]:
    return "\n".join(_sent(made, labels, **more)).split("\n")


def test_a_request_is_one_timing():
    """Its route, method and status are its name."""
    made = record(route="/v2.1/servers/{id}/action", method="POST", status=202)

    assert _sent(made) == [
        "nova.nova-api.request.v2_1_servers_id_action.POST.202:42.500|ms"
    ]


def test_a_request_without_a_status_is_one_timing():
    """It took the connection: no status was sent."""
    made = record(status=0, outcome="unanswered")

    assert _sent(made) == [
        "nova.nova-api.request.v2_1_servers.GET.none:42.500|ms"
    ]


def test_each_call_is_a_timing():
    """DB API functions by name, statements by verb and table."""
    calls = [
        CallTotals("db_api", "instance_get_by_uuid", 1, 12.5, 12.5),
        CallTotals("sql", "SELECT instances", 1, 3.25, 3.25),
        CallTotals("sql", "SHOW", 1, 1.0, 1.0),
        CallTotals("timed", "nova.x:Y.z", 1, 2.0, 2.0),
        CallTotals("fetch", "SELECT instances", 1, 9.0, 9.0),
    ]

    assert _lines(record(calls=calls))[1:] == [
        "nova.nova-api.db_api.instance_get_by_uuid:12.500|ms",
        "nova.nova-api.sql.SELECT.instances:3.250|ms",
        "nova.nova-api.sql.SHOW:1.000|ms",
        "nova.nova-api.timed.nova_x_Y_z:2.000|ms",
    ]


def test_labels_take_the_place_of_names():
    """As dogstatsd has it."""
    calls = [
        CallTotals("db_api", "action_start", 1, 12.5, 12.5),
        CallTotals("sql", "SELECT instances", 1, 3.25, 3.25),
    ]

    lines = _lines(record(calls=calls), "dogstatsd", news=lambda: {"x": 2})

    assert lines == [
        "nova.request:42.500|ms|#service:nova-api,route:v2_1_servers,"
        "method:GET,status:200",
        "nova.db_api:12.500|ms|#service:nova-api,function:action_start",
        "nova.sql:3.250|ms|#service:nova-api,verb:SELECT,table:instances",
        "nova.profiler:2|c|#service:nova-api,what:x",
    ]


def test_an_http_request_is_named_by_service_and_verb():
    """Its route is in no name: requests of several routes share one."""
    calls = [
        CallTotals("http", "network GET /v2.0/ports", 1, 2.5, 2.5),
        CallTotals("http", "network GET /v2.0/ports/{id}", 1, 1.5, 1.5),
        CallTotals("http", "192.0.2.7 PUT /v1", 1, 1.0, 1.0),
        CallTotals("http", "other", 1, 1.0, 1.0),
    ]

    assert _lines(record(calls=calls))[1:] == [
        "nova.nova-api.http.network.GET:2.500|ms",
        "nova.nova-api.http.network.GET:1.500|ms",
        "nova.nova-api.http.192_0_2_7.PUT:1.000|ms",
        "nova.nova-api.http.other:1.000|ms",
    ]
    assert _lines(record(calls=calls[:1]), "dogstatsd")[1:] == [
        "nova.http:2.500|ms|#service:nova-api,peer:network,verb:GET"
    ]


def test_calls_of_one_name_are_sent_each():
    """As far as they are listed."""
    calls = [CallTotals("sql", "SELECT a", 3, 6.0, 3.0)]
    durations = {("sql", "SELECT a"): [1.0, 2.0, 3.0]}

    lines = _lines(record(calls=calls, durations=durations))

    assert [line.partition(":")[2] for line in lines[1:]] == [
        "1.000|ms",
        "2.000|ms",
        "3.000|ms",
    ]


@given(st.integers(1, 10**6), st.integers(0, 50), st.booleans())
def test_many_calls_have_the_right_number(more, listed, labelled):
    """The sample rate stands for those that are not listed."""
    count = more + listed
    # One call of a name is never listed.
    times = [1.0] * listed
    made = record(
        calls=[CallTotals("sql", "SELECT a", count, 2.0 * count, 9.0)],
        durations={("sql", "SELECT a"): times},
    )

    lines = _lines(made, "dogstatsd" if labelled else "none")[1:]

    told = 0.0
    for line in lines:
        rate = re.search(r"\|@([0-9.e-]+)", line)
        told += 1 / float(rate[1]) if rate else 1
    assert round(told) == count
    assert all(LINE.fullmatch(line) for line in lines)


def test_nested_calls_are_not_sent_twice():
    """They are part of the call around them."""
    calls = [
        CallTotals("db_api", "a", 5, 6.0, 3.0, nested=4),
        CallTotals("db_api", "b", 2, 0.0, 3.0, nested=2),
    ]

    assert _lines(record(calls=calls))[1:] == [
        "nova.nova-api.db_api.a:6.000|ms"
    ]


def test_the_rest_of_what_is_added_up_leaves_when_asked(clock):
    """Of a message a second, the first leaves at once, the others then."""
    sent = []
    sink = StatsdSink(sent.append, "nova", "nova-api", clock=clock)
    for _ in range(3):
        sink.emit(record(kind="message", route="rpc a b", duration_ms=4.0))
        clock.advance(1.0)
    assert len(sent) == 1

    sink.send_rest()
    sink.send_rest()

    assert len(sent) == 2
    assert sent[1] == "nova.nova-api.message.a.b:4.000|ms|@0.5"


def test_our_own_counters_are_told():
    """What failed since the last record."""
    lines = _lines(record(), news=lambda: {"dump": 3, "log file": 1})

    assert lines[1:] == [
        "nova.nova-api.profiler.dump:3|c",
        "nova.nova-api.profiler.log_file:1|c",
    ]


@pytest.mark.parametrize("labels", ["none", "dogstatsd"])
@pytest.mark.parametrize("made", [slow_rebuild(), parallel_detail()])
def test_real_records_are_well_formed(made, labels):
    """Each line on its own."""
    for line in _lines(made, labels):
        assert LINE.fullmatch(line), line


@pytest.mark.parametrize("labels", ["none", "dogstatsd"])
def test_datagrams_fit(labels):
    """As few as possible, and no line in two of them."""
    calls = [
        CallTotals("db_api", f"function_number_{n}", 1, 1.0, 1.0)
        for n in range(200)
    ]

    datagrams = _sent(record(calls=calls), labels)

    assert all(len(datagram) <= MAX_DATAGRAM for datagram in datagrams)
    lines = "\n".join(datagrams).split("\n")
    assert len(lines) == 201
    for before, after in zip(datagrams, datagrams[1:], strict=False):
        first = after.split("\n")[0]
        assert len(before) + 1 + len(first) > MAX_DATAGRAM


_odd = st.text(max_size=30)


@given(
    st.lists(st.tuples(st.sampled_from(["sql", "db_api"]), _odd), max_size=9),
    _odd,
    _odd,
    _odd,
    st.sampled_from(["none", "dogstatsd"]),
)
def test_no_name_holds_an_odd_character(names, route, prefix, service, labels):
    """Whatever routes, tables, prefix and service are called."""
    datagrams: list[str] = []
    sink = StatsdSink(datagrams.append, prefix, service, labels)
    calls = [CallTotals(group, name, 1, 1.0, 1.0) for group, name in names]

    sink.emit(record(route=route, calls=calls))

    for line in "\n".join(datagrams).split("\n"):
        assert LINE.fullmatch(line), line


@pytest.mark.parametrize(
    ("prefix", "start"),
    [
        ("nova", "nova.nova-api.request"),
        ("a.b", "a.b.nova-api.request"),
        ("", "nova-api.request"),
        (".a..b.", "a.b.nova-api.request"),
    ],
)
def test_a_prefix_may_have_parts(prefix, start):
    """Or be empty."""
    datagrams: list[str] = []

    StatsdSink(datagrams.append, prefix, "nova-api").emit(record())

    assert datagrams[0].startswith(start + ".v2_1_servers.")


def test_the_set_of_names_is_bounded():
    """What comes after the first two thousand is called other."""
    datagrams: list[str] = []
    sink = StatsdSink(datagrams.append, "nova", "nova-api")

    for n in range(MAX_NAMES + 100):
        sink.emit(record(calls=[CallTotals("sql", f"SELECT t{n}", 1, 1, 1)]))

    names = {line.partition(":")[0] for d in datagrams for line in d.split()}
    assert len(names) == 1 + MAX_NAMES + 1
    assert "nova.nova-api.sql.other" in names
    assert len(sink._names) == MAX_NAMES
