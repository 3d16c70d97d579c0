# SPDX-License-Identifier: Apache-2.0
"""Metrics to a socket of this machine: sent, or lost without a wait."""

from __future__ import annotations

import os
import socket

import pytest

from nova_profiler.capture.sinks.statsd_address import socket_name
from nova_profiler.capture.sinks.statsd_udp import Transport, transport_of
from nova_profiler.capture.sinks.statsd_unix import UnixTransport
from nova_profiler.errors import SEE_CHECK


class Lost:
    """What was lost, and why."""

    def __init__(self) -> None:
        self.reasons: list[str | None] = []
        self.later: list[int] = []

    def __call__(
        self, what: str, error: BaseException | None, count: int
    ) -> None:
        assert what == "statsd_socket"
        if error is None:
            self.later.append(count)
            return
        assert isinstance(error, OSError)
        assert count == 1
        self.reasons.append(error.strerror)


@pytest.fixture
def lost():
    """Return what takes failures."""
    return Lost()


@pytest.fixture
def transport(tmp_path, lost):
    """Return a transport to ``s`` in the test's folder."""
    made = UnixTransport(str(tmp_path / "s"), lost)
    yield made
    if made._socket is not None:
        made._socket.close()


def listening(name: str) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(name)
    bound.setblocking(False)
    return bound


def test_nothing_is_opened_before_the_first_record(tmp_path, transport, lost):
    """Servers fork after they have loaded us; the socket may come later."""
    assert transport._socket is None
    assert lost.reasons == []


def test_a_record_is_one_datagram(tmp_path, transport, lost):
    """As it would be over UDP."""
    with listening(str(tmp_path / "s")) as bound:
        transport.send("a:1|ms\nb:2|ms")
        transport.send("c:3|c")

        assert bound.recv(2000) == b"a:1|ms\nb:2|ms"
        assert bound.recv(2000) == b"c:3|c"
    assert lost.reasons == []


def test_a_socket_that_goes_and_comes_back_is_found(tmp_path, transport, lost):
    """A statsd that restarts makes another one; what was sent is lost."""
    path = tmp_path / "s"
    transport.send("a")
    with listening(str(path)) as bound:
        transport.send("b")
        assert bound.recv(100) == b"b"
    transport.send("c")
    path.unlink()
    transport.send("d")
    with listening(str(path)) as bound:
        transport.send("e")
        assert bound.recv(100) == b"e"

    assert lost.reasons == [
        f"No such file or directory: {path}{SEE_CHECK}",
        f"Connection refused: {path}{SEE_CHECK}",
    ]
    # The other one of the second gap, once it can arrive.
    assert lost.later == [1]


def test_a_server_that_does_not_read_holds_nothing_up(
    tmp_path, transport, lost
):
    """The queue is full: what comes now is lost."""
    with listening(str(tmp_path / "s")):
        for _ in range(5000):
            transport.send("x" * 1400)
            if lost.reasons:
                break

    assert lost.reasons == [
        f"Resource temporarily unavailable: {tmp_path / 's'}{SEE_CHECK}"
    ]


def test_what_a_gap_lost_is_counted_when_it_ends(tmp_path, transport, lost):
    """The counter would not arrive before."""
    for _ in range(100):
        transport.send("a")
    during = list(lost.later)
    with listening(str(tmp_path / "s")):
        transport.send("b")
        transport.send("c")

    assert during == []
    assert lost.later == [99]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_what_takes_no_datagrams_is_named(tmp_path, transport, lost, kind):
    """A file, and the socket of another protocol."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        if kind == "file":
            path.write_text("")
        else:
            other.bind(str(path))
            other.listen()
        transport.send("a")

    assert len(lost.reasons) == 1
    assert str(path) in (lost.reasons[0] or "")


def test_an_abstract_socket(lost):
    """It has no file."""
    name = f"@nova-profiler-{os.getpid()}"
    transport = UnixTransport(name, lost)
    with listening(socket_name(name)) as bound:
        transport.send("a")

        assert bound.recv(10) == b"a"
    assert transport._socket is not None
    transport._socket.close()


def test_the_address_decides_how_it_is_sent(tmp_path):
    """Its own port wins."""
    unix = transport_of("unix:///run/s", 8125)
    plain = transport_of("h", 8125)
    with_port = transport_of("[::1]:9", 8125)

    assert isinstance(unix, UnixTransport)
    assert isinstance(plain, Transport)
    assert isinstance(with_port, Transport)
    assert (plain._host, plain._port) == ("h", 8125)
    assert (with_port._host, with_port._port) == ("::1", 9)
