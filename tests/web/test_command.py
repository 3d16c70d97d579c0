# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler serve`, and the pages in a pipeline of paste."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from builders import slow_rebuild, written
from logged import write_log, wsgi_line
from web_pages import asked

from nova_profiler.cli import main
from nova_profiler.errors import NovaProfilerError
from nova_profiler.web import app_factory

PROGRAM = Path(sys.executable).with_name("nova-profiler")
REFUSALS = (b"431", b"413", b"405")


class Server(NamedTuple):
    """A server over one dump: its address and its process."""

    address: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.address.rpartition(":")[2].strip("/"))


@pytest.fixture
def server(tmp_path):
    """Give a server, which is ended after."""
    written(tmp_path, slow_rebuild())
    # A shell starts what is in the background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [PROGRAM, "serve", tmp_path, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        signal.signal(signal.SIGINT, before)
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip(), process)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.fixture
def served(server):
    """Give the address of a server."""
    return server.address


def page_at(address: str) -> str:
    """Return the page at *address*, which a server on this machine has."""
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - an address of ours
        return answer.read().decode()


@pytest.mark.slow
def test_the_address_that_is_printed_has_the_pages(served):
    """Also while a client that sends nothing holds connections."""
    port = int(served.rpartition(":")[2].strip("/"))
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for client in silent:
        client.sendall(b"GET / HTTP/1.1\r\nHost: loc")

    assert "dumps" in page_at(f"{served}?format=json")
    for client in silent:
        client.close()


def answer_to(sent: bytes, port: int) -> bytes | None:
    """Return the first bytes of the answer; None for a connection reset.

    A server that closes before it has read all resets the connection, which
    may take the answer away from the client.
    """
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        try:
            client.sendall(sent)
            return client.recv(4096) or None
        except ConnectionError:
            return None


@pytest.mark.slow
def test_a_client_that_sends_slowly_holds_not_all_connections(served):
    """Each of its connections has sent the begin of a request."""
    port = int(served.rpartition(":")[2].strip("/"))
    slow = []
    for _ in range(130):
        client = socket.create_connection(("127.0.0.1", port), 20)
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        slow.append(client)

    assert "dumps" in page_at(f"{served}?format=json")
    for client in slow:
        client.close()


@pytest.mark.slow
def test_what_is_too_large_is_refused(served):
    """Headers and bodies have bounds; the server goes on."""
    port = int(served.rpartition(":")[2].strip("/"))
    for head in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999",
    ):
        answer = answer_to(head + b"\r\n\r\n", port)
        assert answer is None or answer.split(b" ")[1] in REFUSALS

    assert "Latency" in page_at(served)


@pytest.mark.slow
def test_ten_thousand_requests_at_once_are_bounded(server):
    """Few threads answer, clients that read nothing hold none of them."""
    one = b"GET /nothing HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
    clients = []
    for _ in range(200):
        client = socket.create_connection(("127.0.0.1", server.port))
        clients.append(client)
        client.setblocking(False)
        with suppress(OSError):
            client.send(50 * one)

    tasks = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))
    for client in clients:
        client.close()

    assert tasks < 20
    assert "Latency" in page_at(server.address)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_where_its_threads_are(tmp_path, number):
    """The end of an interpreter aborts a process that is inside numpy."""
    written(tmp_path, slow_rebuild())
    code = (
        "import atexit, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from nova_profiler.cli import main\n"
        "atexit.register(print, 'taken apart')\n"
        "sys.exit(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "serve", tmp_path, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        page_at(process.stdout.readline().strip())
        process.send_signal(number)
        try:
            output, errors = process.communicate(timeout=20)
        finally:
            process.kill()

    assert (process.returncode, errors) == (0, "")
    assert "taken apart" not in output


@pytest.mark.slow
def test_logs_are_served_and_kept_for_the_next_start(tmp_path):
    """The address is there before they are read."""
    log = write_log(tmp_path / "a.log", wsgi_line(1), wsgi_line(2))
    command = [PROGRAM, "serve", str(log), "--port", "0"]

    for _ in range(2):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                address = process.stdout.readline().strip()
                fields: dict[str, Any] = {"total": {"requests": 0}}
                while not fields["total"]["requests"]:
                    fields = json.loads(page_at(f"{address}?format=json"))
            finally:
                process.kill()
        assert fields["total"]["requests"] == 2

    cache = Path(os.environ["XDG_CACHE_HOME"]) / "nova-profiler" / "pages"
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "nowhere: no such file"),
        (["--host", "192.0.2.1", "."], "cannot listen on 192.0.2.1 port"),
        (["--port", "99999", "."], "99999"),
        (["--slow-ms", "nan", "."], "nan"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    tmp_path, monkeypatch, capsys, args, message
):
    """With the reason, and what to do."""
    monkeypatch.chdir(tmp_path)

    assert main(["serve", *args]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_without_the_extra_the_error_has_the_remedy(
    tmp_path, monkeypatch, capsys
):
    """One line: what to install."""
    monkeypatch.setitem(sys.modules, "waitress", None)

    assert main(["serve", str(tmp_path)]) == 2

    assert "pip install 'nova-profiler[web]'" in capsys.readouterr().err


def test_paste_has_the_pages(tmp_path):
    """Its options are texts; no thread begins with the pipeline."""
    written(tmp_path, slow_rebuild())
    before = threading.active_count()
    pages = app_factory(
        {}, dump_dir=str(tmp_path), hosts="a.example, b.example", token="t"
    )

    assert threading.active_count() == before
    assert asked(pages, "/", Host="b.example").status_int == 401
    assert asked(pages, "/", Host="c.example").status_int == 403


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "dump_dir is not set"),
        ({"dump_dir": "d", "slow_ms": "soon"}, "slow_ms = 'soon': expected"),
        ({"dump_dir": "d", "slow_ms": "inf"}, "slow_ms = 'inf': expected"),
    ],
)
def test_an_option_that_cannot_be_stops_the_start(options, message):
    """With its name, what was read, and what is expected."""
    with pytest.raises(NovaProfilerError, match=message):
        app_factory({}, **options)
