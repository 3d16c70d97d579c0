# SPDX-License-Identifier: Apache-2.0
"""The demo's load, against a server that stands in for nova-api."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from demo import load


class Handler(http.server.BaseHTTPRequestHandler):
    """Knows one path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/known" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server that knows /known."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # It looks this often whether it is to end.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_each_client_asks_as_often_as_it_should(port: int) -> None:
    """Every answer has its latency, and is announced when it comes."""
    answers: list[int] = []

    done = load.run(port, "/known", 3, 4, lambda: answers.append(1))

    assert len(done.latencies_ms) == 12
    assert len(answers) == 12


def test_a_wrong_answer_ends_the_load(port: int) -> None:
    """Figures of failed requests would mean nothing."""
    with pytest.raises(load.LoadError, match="GET /other: 404 Not Found"):
        load.run(port, "/other", 3, 100)
