# SPDX-License-Identifier: Apache-2.0
"""HTTP around the answers of a stub: a free port, JSON, a delay."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request to a stub."""

    method: str
    # The path's words, without the version before them.
    words: list[str]
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: dict[str, Any]


class Answer(NamedTuple):
    """What a stub answers; a body of None is an empty one."""

    status: int
    body: dict[str, Any] | None
    headers: dict[str, str] = {}


class NotThereError(Exception):
    """The stub has nothing of that name: it answers 404."""


Answering = Callable[[Asked], Answer]


def run(answering: Answering) -> None:
    """Serve until standard input is closed; the first word is the delay.

    The port is the first line of the output. Each answer takes at least as
    many milliseconds as the command line says.
    """
    delay_s = float(sys.argv[1]) / 1000
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), handler(answering, delay_s)
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


def handler(
    answering: Answering, delay_s: float
) -> type[http.server.BaseHTTPRequestHandler]:
    """Return the handler that has *answering* answer after *delay_s*."""

    class StubHandler(http.server.BaseHTTPRequestHandler):
        """Takes a request apart and sends the answer as JSON."""

        protocol_version = "HTTP/1.1"
        # The body would wait 40 ms until the headers are acknowledged.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            time.sleep(delay_s)
            try:
                self._send(answering(self._asked()))
            except NotThereError as exc:
                self._send(Answer(404, {"error": {"message": str(exc)}}))

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

        def _asked(self) -> Asked:
            url = urllib.parse.urlsplit(self.path)
            words = url.path.strip("/").removesuffix(".json").split("/")
            if words[0].startswith("v"):
                del words[0]
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            query = urllib.parse.parse_qs(url.query)
            headers = dict(self.headers.items())
            return Asked(self.command, words, query, headers, body)

        def _send(self, answer: Answer) -> None:
            body = b"" if answer.body is None else _json(answer.body)
            self.send_response(answer.status)
            self.send_header("X-Openstack-Request-Id", f"req-{uuid.uuid4()}")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: nova's own logs have its requests."""

    return StubHandler


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
