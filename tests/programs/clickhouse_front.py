# SPDX-License-Identifier: Apache-2.0
"""ClickHouse's HTTP in front of chdb, the same engine as a library.

Prints the port that it listens on, and serves until its input ends.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

# What the library takes beside the text of a query.
FORMATS = ("Native", "Arrow", "ArrowStream", "TabSeparated", "JSON")


class Front(BaseHTTPRequestHandler):
    """Answers each request with what chdb makes of its query."""

    session: Session

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        )

    def _answer(self, body: bytes) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        query = asked.get("query", [""])[0] or body.decode()
        form = asked.get("default_format", ["TabSeparated"])[0]
        text = query.rstrip().rstrip(";")
        before, word, last = text.rpartition("FORMAT")
        if word and last.strip() in FORMATS:
            text, form = before, last.strip()
        try:
            found = self.session.query(text, form).bytes()
            status = 200
        except Exception as exc:
            found, status = str(exc).encode(), 500
        self.send_response(status)
        self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if status != 200:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *args: object) -> None:
        """Print nothing: what reads our output waits for the port."""


def main() -> None:
    """Serve until standard input ends."""
    Front.session = Session()
    server = HTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
