# SPDX-License-Identifier: Apache-2.0
"""Whether a client is there: real sockets, asked as under uWSGI."""

from __future__ import annotations

import socket
import struct
import sys
import types
from collections.abc import Iterator

import pytest

from nova_profiler.capture.served.uwsgi_connection import is_cut

# Close by a reset, as a client that has not read all.
_LINGER = struct.pack("ii", 1, 0)


def tcp() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return listener.accept()[0], client


@pytest.fixture(params=[tcp, socket.socketpair])
def ends(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return uWSGI's end of a connection, and the client's."""
    server, client = request.param()
    uwsgi = types.ModuleType("uwsgi")
    uwsgi.connection_fd = server.fileno  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    with server, client:
        yield server, client


def test_a_client_that_waits_is_there(ends):
    """The connection is as it was afterwards."""
    server, client = ends
    server.sendall(b"x")

    assert not is_cut()
    assert client.recv(1) == b"x"
    server.sendall(b"y")
    assert client.recv(1) == b"y"


def test_a_client_that_has_read_all_may_have_closed(ends):
    """It has the whole response."""
    server, client = ends
    server.sendall(b"x")
    client.recv(1)

    client.close()

    assert not is_cut()


def test_a_client_that_left_before_the_end_is_gone(ends):
    """Something lay unread when it closed."""
    server, client = ends
    server.sendall(b"x" * 1000)
    client.recv(1)

    client.close()

    assert is_cut()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        send_twice(server)


def send_twice(server: socket.socket) -> None:
    """Send until the kernel has answered: a reset may be noticed late."""
    for _ in range(2):
        server.sendall(b"x")


def test_a_reset_is_seen_after_a_failed_write():
    """uWSGI has taken the socket's error by then."""
    server, client = tcp()
    with server:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        client.close()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            send_twice(server)
        uwsgi = types.ModuleType("uwsgi")
        uwsgi.connection_fd = server.fileno  # type: ignore[attr-defined]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "uwsgi", uwsgi)

            assert is_cut()


@pytest.mark.parametrize("number", [-1, 10**6])
def test_a_number_that_is_no_socket_says_nothing(number, monkeypatch):
    """uWSGI has no current request in a thread of the application."""
    uwsgi = types.ModuleType("uwsgi")
    uwsgi.connection_fd = lambda: number  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)

    assert not is_cut()


def test_a_file_is_no_socket(tmp_path, monkeypatch):
    """It is left open, too."""
    uwsgi = types.ModuleType("uwsgi")
    with open(tmp_path / "file", "wb") as file:
        uwsgi.connection_fd = file.fileno  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)

        assert not is_cut()
        file.write(b"open")


@pytest.mark.parametrize("module", [None, types.ModuleType("uwsgi")])
def test_other_servers_say_nothing(module, monkeypatch):
    """Nothing is imported to find out."""
    monkeypatch.setitem(sys.modules, "uwsgi", module)

    assert not is_cut()
