# SPDX-License-Identifier: Apache-2.0
"""Process that answers for neutron: ports and security groups of servers.

It also knows one image, as glance does, for servers that are created.

    python -m demo.server.stub_neutron

Prints its port and serves on loopback until its standard input is closed.
With NEUTRON_MS in the environment each answer takes so many milliseconds.
With NEUTRON_LOG a file of that name gets a line for each: its request id,
and by the clock of this process the milliseconds that it took, and those
until it began to answer.
"""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
import time
import urllib.parse
import uuid
from typing import Any

from demo.server import images

_ANSWER_S = float(os.environ.get("NEUTRON_MS") or 0) / 1000
_LOG = os.environ.get("NEUTRON_LOG")
_GROUP = {"id": "d3e00000-0000-4000-8000-000000000001", "name": "default"}


def _answer(target: str) -> dict[str, Any]:
    """Return what neutron has at *target*, a path with its query.

    A path of glance's leads to an image of the last word's id.
    """
    url = urllib.parse.urlsplit(target)
    words = url.path.rstrip("/").removesuffix(".json").split("/")
    if words[-2] == "images":
        return images.image(words[-1])
    if words[-2] == "schemas":
        return images.schema(words[-1])
    rows: list[dict[str, Any]] = []
    if words[-1] == "ports":
        servers = urllib.parse.parse_qs(url.query).get("device_id", [])
        rows = [
            {"id": uuid, "device_id": uuid, "security_groups": [_GROUP["id"]]}
            for uuid in servers
        ]
    elif words[-1] == "security-groups":
        rows = [_GROUP]
    return {words[-1].replace("-", "_"): rows}


class NeutronHandler(http.server.BaseHTTPRequestHandler):
    """Answer as if each server had one port in one security group."""

    protocol_version = "HTTP/1.1"
    # The body would wait 40 ms until the headers before it are acknowledged.
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Begin the clock: the first line of a request is there."""
        self.began = time.perf_counter()
        return super().parse_request()

    def do_GET(self) -> None:
        body = json.dumps(_answer(self.path)).encode()
        time.sleep(_ANSWER_S)
        request_id = f"req-{uuid.uuid4()}"
        self.send_response(200)
        self.send_header("X-Openstack-Request-Id", request_id)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # Until here the client has nothing of it.
        ready_ms = self._taken_ms()
        self.end_headers()
        self.wfile.write(body)
        if _LOG is not None:
            taken_ms = self._taken_ms()
            with open(_LOG, "a", encoding="ascii") as log:
                log.write(f"{request_id} {taken_ms:.3f} {ready_ms:.3f}\n")

    def _taken_ms(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: nova's own log has its requests."""


def main() -> None:
    """Serve until standard input is closed."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NeutronHandler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
