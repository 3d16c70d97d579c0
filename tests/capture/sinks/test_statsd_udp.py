# SPDX-License-Identifier: Apache-2.0
"""Metrics over UDP: their names, their datagrams, and hosts that are away."""

from __future__ import annotations

import os
import re
import socket

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.sinks import statsd_udp
from nova_profiler.capture.sinks.statsd_udp import (
    MAX_DATAGRAM,
    MAX_NAMES,
    MAX_PENDING,
    StatsdSink,
    Transport,
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


class Ticks:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Resolver:
    """A name server that answers what a test says."""

    def __init__(self) -> None:
        self.answer: str | Exception = socket.gaierror(-2, "unknown")
        self.asked = 0

    def __call__(self, host, port, family=0, kind=0, *rest, **more):
        self.asked += family == socket.AF_INET
        if isinstance(self.answer, Exception):
            raise self.answer
        if (":" in self.answer) != (family == socket.AF_INET6):
            raise socket.gaierror(-9, "address family not supported")
        return [(family, kind, 17, "", (self.answer, port))]


class Later:
    """A thread that runs when a test says so."""

    waiting: list[Later] = []

    def __init__(self, target, name, daemon) -> None:
        assert daemon
        self.target = target

    def start(self) -> None:
        self.waiting.append(self)

    @classmethod
    def run_all(cls) -> None:
        while cls.waiting:
            cls.waiting.pop().target()


@pytest.fixture
def ticks(monkeypatch):
    """Replace the transport's clock."""
    clock = Ticks()
    monkeypatch.setattr(statsd_udp, "monotonic", clock)
    return clock


@pytest.fixture
def resolver(monkeypatch, ticks):
    """Replace the name server, and the threads that ask it."""
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    monkeypatch.setattr(statsd_udp.threading, "Thread", Later)
    monkeypatch.setattr(Later, "waiting", [])
    return made


@pytest.fixture
def server():
    """Return a bound socket that gives what it got."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(2.0)
        yield bound


@pytest.fixture
def transports():
    """Return a maker of transports that are closed afterwards."""
    made: list[Transport] = []

    def transport(host, bound) -> Transport:
        made.append(Transport(host, bound.getsockname()[1]))
        return made[-1]

    yield transport
    for one in made:
        if one._client is not None:
            one._client._sock.close()


def _got(bound) -> list[str]:
    """Return the datagrams that have arrived."""
    bound.setblocking(False)
    datagrams = []
    try:
        while True:
            datagrams.append(bound.recv(65536).decode("ascii"))
    except BlockingIOError:
        return datagrams


def test_nothing_is_opened_before_the_first_record(resolver):
    """Servers fork after they have loaded us."""
    transport = Transport("127.0.0.1", 8125)

    assert transport._client is None
    assert resolver.asked == 0


def test_an_address_is_sent_to_at_once(server, transports, ticks):
    """No thread is needed for it."""
    transport = transports("127.0.0.1", server)

    transport.send("a:1|c")
    transport.send("b:1|c")

    assert _got(server) == ["a:1|c", "b:1|c"]


def test_a_name_is_looked_up_aside(server, transports, resolver):
    """What comes meanwhile waits, and is sent in its order."""
    resolver.answer = "127.0.0.1"
    transport = transports("statsd.example", server)

    transport.send("a:1|c")
    transport.send("b:1|c")
    before = _got(server)
    waiting = len(Later.waiting)
    Later.run_all()
    transport.send("c:1|c")

    assert (before, waiting) == ([], 1)
    assert _got(server) == ["a:1|c", "b:1|c", "c:1|c"]


def test_a_name_that_is_not_known_is_told(resolver, ticks):
    """A typo in the host's name is in the log, once."""
    told = []
    transport = Transport(
        "statsd.example", 8125, lambda what, exc: told.append(what)
    )

    transport.send("a:1|c")
    Later.run_all()

    assert told == ["statsd_lookup"]


def test_a_name_may_be_known_later(server, transports, resolver, ticks):
    """It is asked for again, less and less often."""
    transport = transports("statsd.example", server)
    asked = []
    for wait in (0, 4, 2, 9, 2):
        ticks.now += wait
        transport.send("a:1|c")
        Later.run_all()
        asked.append(resolver.asked)

    resolver.answer = "127.0.0.1"
    ticks.now += 300
    transport.send("b:1|c")
    Later.run_all()

    assert asked == [1, 1, 2, 2, 3]
    assert _got(server) == ["a:1|c"] * 5 + ["b:1|c"]


def test_no_more_than_some_wait(server, transports, resolver):
    """The newest of them."""
    transport = transports("statsd.example", server)
    for n in range(MAX_PENDING + 10):
        transport.send(f"a:{n}|c")
    resolver.answer = "127.0.0.1"
    Later.run_all()

    got = _got(server)

    assert len(got) == MAX_PENDING
    assert got[-1] == f"a:{MAX_PENDING + 9}|c"


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(-3, "Temporary failure in name resolution"),
        UnicodeError("label empty or too long"),
        ValueError("embedded null character"),
        OSError(24, "Too many open files"),
    ],
)
def test_a_name_that_cannot_be_looked_up_harms_nobody(
    server, transports, resolver, ticks, error
):
    """Whatever the reason; it is tried again."""
    resolver.answer = error
    transport = transports("ä" * 99, server)

    transport.send("a:1|c")
    Later.run_all()
    resolver.answer = "127.0.0.1"
    ticks.now += 6
    transport.send("b:1|c")
    Later.run_all()

    assert _got(server) == ["a:1|c", "b:1|c"]


def test_a_thread_that_cannot_start_is_tried_again(
    server, transports, resolver, monkeypatch
):
    """The sink's failure is counted by its caller."""

    def refused(self) -> None:
        raise RuntimeError("can't start new thread")

    resolver.answer = "127.0.0.1"
    transport = transports("statsd.example", server)
    with monkeypatch.context() as patched:
        patched.setattr(Later, "start", refused)
        with pytest.raises(RuntimeError, match="can't start"):
            transport.send("a:1|c")

    transport.send("b:1|c")
    Later.run_all()

    assert _got(server) == ["a:1|c", "b:1|c"]


def test_a_host_that_moves_is_followed(server, transports, resolver, ticks):
    """Every five minutes its name is looked up again."""
    resolver.answer = "127.0.0.1"
    transport = transports("statsd.example", server)
    transport.send("a:1|c")
    Later.run_all()
    first = transport._client
    ticks.now += 301
    transport.send("b:1|c")
    Later.run_all()
    same = transport._client
    resolver.answer = "127.0.0.2"
    ticks.now += 301
    transport.send("c:1|c")
    Later.run_all()

    assert same is first
    assert transport._client._addr[0] == "127.0.0.2"
    assert _got(server) == ["a:1|c", "b:1|c", "c:1|c"]


def test_a_host_that_is_gone_keeps_its_last_address(
    server, transports, resolver, ticks
):
    """A name server that fails is no reason to stop."""
    resolver.answer = "127.0.0.1"
    transport = transports("statsd.example", server)
    transport.send("a:1|c")
    Later.run_all()
    resolver.answer = socket.gaierror(-3, "Temporary failure")
    ticks.now += 301
    transport.send("b:1|c")
    Later.run_all()
    transport.send("c:1|c")

    assert _got(server) == ["a:1|c", "b:1|c", "c:1|c"]


def test_an_address_of_version_6_is_good(transports, ticks):
    """Where the host has no other."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as bound:
        try:
            bound.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        transports("::1", bound).send("a:1|c")

        assert _got(bound) == ["a:1|c"]


def test_nobody_listening_harms_nobody(server, transports, ticks):
    """The kernel's refusal is not an error of ours."""
    transport = transports("127.0.0.1", server)
    server.close()

    for _ in range(5):
        transport.send("a:1|c")

    assert transport._client.lost > 0


class _Refusing:
    """A socket that does not take a datagram."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def send(self, data: bytes) -> int:
        raise self.error

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "error",
    [
        BlockingIOError(11, "Resource temporarily unavailable"),
        OSError(90, "Message too long"),
        OSError(105, "No buffer space available"),
    ],
)
def test_a_datagram_that_is_not_taken_is_lost(
    server, transports, ticks, error
):
    """A full queue, or one that is too long."""
    transport = transports("127.0.0.1", server)
    transport.send("a:1|c")
    transport._client._sock.close()
    transport._client._sock = _Refusing(error)

    transport.send("b:1|c")

    assert transport._client.lost == 1


def test_what_is_not_ascii_is_lost(server, transports, ticks):
    """It never comes from our own sink."""
    transport = transports("127.0.0.1", server)

    transport.send("ä:1|c")
    transport.send("b:1|c")

    assert _got(server) == ["b:1|c"]


def test_the_socket_never_waits(server, transports, ticks):
    """A request is not held for a metric."""
    transport = transports("127.0.0.1", server)

    transport.send("a:1|c")

    assert transport._client._sock.gettimeout() == 0.0


def test_a_child_process_looks_up_by_itself(
    server, transports, resolver, monkeypatch
):
    """The thread that was asking stayed with the parent."""
    resolver.answer = "127.0.0.1"
    transport = transports("statsd.example", server)
    transport.send("parent:1|c")
    Later.waiting.clear()

    monkeypatch.setattr(os, "getpid", lambda: -1)
    transport.send("child:1|c")
    Later.run_all()

    assert _got(server) == ["parent:1|c", "child:1|c"]


def test_a_forked_worker_sends(server, transports, ticks):
    """With the socket of its parent."""
    transport = transports("127.0.0.1", server)
    transport.send("parent:1|c")

    pid = os.fork()
    if pid == 0:
        try:
            transport.send("child:1|c")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    assert _got(server) == ["parent:1|c", "child:1|c"]
