# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over HTTP, in a process of its own.

``python otlp_receiver.py FILE`` prints its port, and appends to FILE a line of
JSON for each message, as the classes of opentelemetry-proto decode it.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

MESSAGES = {
    "/v1/traces": (
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2.ExportTraceServiceResponse,
    ),
    "/v1/metrics": (
        metrics_service_pb2.ExportMetricsServiceRequest,
        metrics_service_pb2.ExportMetricsServiceResponse,
    ),
}


class Handler(BaseHTTPRequestHandler):
    """Takes what is a message, and refuses all else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = MESSAGES.get(self.path)
        if (
            known is None
            or self.headers["Content-Type"] != "application/x-protobuf"
        ):
            self._answer(404, b"")
            return
        kind, answer = known
        line = json.dumps(
            {
                "path": self.path,
                "header": self.headers.get("X-Test"),
                "message": MessageToDict(kind.FromString(body)),
            }
        )
        with open(sys.argv[1], "a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._answer(200, answer().SerializeToString())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
