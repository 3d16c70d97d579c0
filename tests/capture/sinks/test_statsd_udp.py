# SPDX-License-Identifier: Apache-2.0
"""Datagrams over UDP, and hosts that are away."""

from __future__ import annotations

import os
import socket

import pytest

from nova_profiler.capture.sinks import statsd_udp
from nova_profiler.capture.sinks.statsd_udp import MAX_PENDING, Transport


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
