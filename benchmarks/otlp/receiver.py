# SPDX-License-Identifier: Apache-2.0
"""A process that takes OTLP and throws it away, or never answers."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.running import processes

SILENT = "silent"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def running(core: int | None, how: str = "") -> Iterator[str]:
    """Yield the endpoint of a receiver on *core*; SILENT: of one that hangs.

    That one takes connections and nothing else.
    """
    command = [sys.executable, "-m", "benchmarks.otlp.receiver", how]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            processes.pin(core, process.pid)
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _main() -> None:
    if sys.argv[1] == SILENT:
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        kept = []
        while True:
            kept.append(listener.accept())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _main()
