# SPDX-License-Identifier: Apache-2.0
"""The cloud's clients, against a server that stands in for nova-api."""

from __future__ import annotations

import http.server
import itertools
import json
import threading
from collections.abc import Iterator

import pytest

from demo.cloud import clients
from demo.cloud.clients import Done
from demo.load import LoadError


class Api(http.server.ThreadingHTTPServer):
    """Servers whose actions are done at the second look."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.numbers = itertools.count()
        self.asked: list[tuple[str, str]] = []
        self.looks: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.status = "ACTIVE"

    def answer(self, method: str, path: str) -> tuple[int, object]:
        self.asked.append((method, path))
        if method == "POST" and path.endswith("/servers"):
            return 202, {"server": {"id": f"server{next(self.numbers)}"}}
        if method == "DELETE":
            self.deleted.add(path)
        if method != "GET":
            return 202, {}
        self.looks[path] = looks = self.looks.get(path, 0) + 1
        if looks % 2 == 0 and path in self.deleted:
            return 404, {}
        task = None if looks % 2 == 0 else "busy"
        server = {"status": self.status, "OS-EXT-STS:task_state": task}
        return 200, {"server": {**server, "fault": "no valid host"}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Has the API answer."""

    protocol_version = "HTTP/1.1"
    server: Api

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.answer(self.command, self.path)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-Openstack-Request-Id", f"req-{self.command}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def api(monkeypatch) -> Iterator[Api]:
    monkeypatch.setattr(clients, "_PAUSE_S", 0.0)
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_server_is_created_rebuilt_and_deleted(api):
    """Each action with the request that asked for it, when it is done."""
    notified: list[Done] = []

    done = clients.run(api.server_port, 2, 3, notified.append)

    assert done == notified
    assert sorted((one.action, one.request_id) for one in done) == [
        *[("create", "req-POST")] * 3,
        *[("delete", "req-DELETE")] * 3,
        *[("rebuild", "req-POST")] * 3,
    ]
    assert api.deleted == {f"/v2.1/servers/server{n}" for n in range(3)}
    assert api.asked[0] == ("POST", "/v2.1/flavors")


def test_a_server_in_error_stops_all(api):
    """With what nova says of it."""
    api.status = "ERROR"

    with pytest.raises(LoadError, match="no valid host"):
        clients.run(api.server_port, 2, 10, lambda done: None)

    assert next(api.numbers) <= 2
