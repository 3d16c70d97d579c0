# SPDX-License-Identifier: Apache-2.0
"""Real servers with the application of tests/programs/answering.py."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PROGRAMS = Path(__file__).parents[1] / "programs"
PROGRAM = PROGRAMS / "answering.py"
# Each with the module that it needs.
SERVERS = {
    "wsgiref": "wsgiref",
    "eventlet": "eventlet",
    "gevent": "gevent",
    "waitress": "waitress",
    "cheroot": "cheroot",
    "gunicorn-sync": "gunicorn",
    "gunicorn-gthread": "gunicorn",
    "uwsgi": "pyuwsgi",
    "uwsgi-offloading": "pyuwsgi",
}
_START_S = 60.0


class Exchange(NamedTuple):
    """What a client got, and how the connection ended."""

    received: bytes
    end: str


class Server:
    """A server that runs."""

    def __init__(self, port: int, records: Path) -> None:
        self.port = port
        self._records = records

    def ask(self, line: str, *headers: str, body: bytes = b"") -> Exchange:
        """Send a request, and receive until the connection ends."""
        with self.connected() as client:
            client.sendall(_request(line, headers) + body)
            received, end = b"", "closed"
            try:
                while data := client.recv(1 << 20):
                    received += data
            except ConnectionResetError:
                end = "reset"
        return Exchange(self._without_chance(received), end)

    def leave(self, line: str, after: int) -> None:
        """Send a request, and go away after so many bytes of the answer."""
        with self.connected() as client:
            client.sendall(_request(line, ()))
            received = 0
            while received < after:
                received += len(client.recv(1 << 16))

    def connected(self) -> socket.socket:
        """Return a new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def records(self, count: int) -> list[dict[str, Any]]:
        """Return the records of the first *count* exchanges that were asked.

        Without those of ``/seen``; waits until they are written.
        """
        deadline = time.monotonic() + _START_S
        while True:
            lines = self._records.read_text().splitlines()
            found = [json.loads(line) for line in lines]
            found = [one for one in found if one["path"] != "/seen"]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def _without_chance(self, received: bytes) -> bytes:
        received = re.sub(rb"\r\n[Dd]ate: [^\r]*", b"", received)
        return received.replace(b":%d" % self.port, b":PORT")


@contextlib.contextmanager
def running(
    name: str, folder: Path, filtered: bool, profiler: str = "none"
) -> Iterator[Server]:
    """Run the server *name*, with the filter or without it.

    *folder* has the file that the application sends; the engine *profiler*
    watches all requests.
    """
    if importlib.util.find_spec(SERVERS[name]) is None:
        pytest.skip(f"{SERVERS[name]} is not installed")
    records = folder / "records.jsonl"
    environment = {
        **os.environ,
        "FOLDER": str(folder),
        "RECORDS": "",
        "PROFILER": profiler,
    }
    if filtered:
        environment["RECORDS"] = str(records)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        open(folder / "server.log", "ab") as log,
        subprocess.Popen(
            _command(name, port),
            env=environment,
            cwd=PROGRAMS,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            server = Server(port, records)
            _wait_for(server, process)
            yield server
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            server.ask("GET /seen HTTP/1.0")
            return
        assert process.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.02)


def _request(line: str, headers: tuple[str, ...]) -> bytes:
    lines = (line, "Host: localhost", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode("ascii")


def _command(name: str, port: int) -> list[str]:
    address = f"127.0.0.1:{port}"
    if name.startswith("gunicorn-"):
        kind = name.removeprefix("gunicorn-")
        more = ["--threads", "2"] if kind == "gthread" else []
        return [
            sys.executable, "-m", "gunicorn", "-b", address, "-k", kind,
            *more, "answering:application",
        ]  # fmt: skip
    if name.startswith("uwsgi"):
        more = ["--offload-threads", "2"] if name != "uwsgi" else []
        return [
            str(Path(sys.executable).with_name("uwsgi")),
            "--http-socket", address, "--master", "--processes", "1",
            "--enable-threads", "--threads", "2", "--die-on-term",
            "--home", sys.prefix, "--wsgi-file", str(PROGRAM),
            "--disable-logging", *more,
        ]  # fmt: skip
    return [sys.executable, str(PROGRAM), name, str(port)]
