# SPDX-License-Identifier: Apache-2.0
"""Process that answers for neutron: ports and security groups of servers.

    python -m demo.server.stub_neutron

Prints its port and serves on loopback until its standard input is closed.
With NEUTRON_MS in the environment each answer takes so many milliseconds.
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

_ANSWER_S = float(os.environ.get("NEUTRON_MS") or 0) / 1000
_GROUP = {"id": "d3e00000-0000-4000-8000-000000000001", "name": "default"}


class NeutronHandler(http.server.BaseHTTPRequestHandler):
    """Answer as if each server had one port in one security group."""

    protocol_version = "HTTP/1.1"
    # The body would wait 40 ms until the headers before it are acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        kind = url.path.rstrip("/").removesuffix(".json").rpartition("/")[2]
        rows: list[dict[str, Any]] = []
        if kind == "ports":
            servers = urllib.parse.parse_qs(url.query).get("device_id", [])
            rows = [
                {
                    "id": uuid,
                    "device_id": uuid,
                    "security_groups": [_GROUP["id"]],
                }
                for uuid in servers
            ]
        elif kind == "security-groups":
            rows = [_GROUP]
        body = json.dumps({kind.replace("-", "_"): rows}).encode()
        time.sleep(_ANSWER_S)
        self.send_response(200)
        self.send_header("X-Openstack-Request-Id", f"req-{uuid.uuid4()}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
