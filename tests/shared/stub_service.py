# SPDX-License-Identifier: Apache-2.0
"""A service of HTTP on loopback, with clocks of its own."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

REQUEST_ID = "req-0a0b0c0d-1111-4222-8333-444455556666"
USER_ID = "0f" * 16

Answer = tuple[int, dict[str, str], bytes]


class StubService:
    """What was asked of it, how long it took to answer, and what it answers.

    *answers* maps ``VERB path`` to a status, headers and a body, or to a
    function that returns them; everything else gets an empty object.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str]] = []
        self.spent_s: list[float] = []
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.takes_s = 0.0

    def answer(self, verb: str, path: str) -> Answer:
        """Return what a request gets."""
        self.asked.append((verb, path))
        found = self.answers.get(f"{verb} {path.partition('?')[0]}")
        if found is None:
            return 200, {"x-openstack-request-id": REQUEST_ID}, b"{}"
        return found() if callable(found) else found

    def is_keystone(self) -> None:
        """Answer for the versions, for a token, and for another's token."""
        links = [{"rel": "self", "href": f"{self.url}/v3"}]
        version = {"id": "v3.14", "status": "stable", "links": links}
        token = {
            "methods": ["password"],
            "user": {
                "id": USER_ID,
                "name": "nova",
                "domain": {"id": "default", "name": "Default"},
            },
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "audit_ids": ["a"],
            "roles": [{"id": "r", "name": "service"}],
            "project": {
                "id": USER_ID,
                "name": "service",
                "domain": {"id": "default", "name": "Default"},
            },
            "catalog": [
                self.endpoint("network", self.url),
                self.endpoint("identity", f"{self.url}/v3"),
            ],
        }
        body = json.dumps({"token": token}).encode()
        headers = {"X-Subject-Token": "t", "Content-Type": "application/json"}
        self.answers.update(
            {
                "GET /v3": _json(200, {"version": version}),
                "GET /": _json(300, {"versions": {"values": [version]}}),
                "POST /v3/auth/tokens": (201, headers, body),
                "GET /v3/auth/tokens": (200, headers, body),
            }
        )

    def endpoint(self, kind: str, url: str) -> dict[str, Any]:
        """Return an entry of a token's catalog."""
        one = {"id": kind, "region": "R", "region_id": "R", "url": url}
        return {
            "id": kind,
            "type": kind,
            "name": kind,
            "endpoints": [
                {**one, "interface": interface}
                for interface in ("public", "internal", "admin")
            ],
        }


def _json(status: int, value: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    return status, headers, json.dumps(value).encode()


@contextmanager
def stub_service() -> Iterator[StubService]:
    """Serve until the end of the with statement."""
    service = StubService()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            began = time.perf_counter()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = service.answer(self.command, self.path)
            if service.takes_s:
                time.sleep(service.takes_s)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            service.spent_s.append(time.perf_counter() - began)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
