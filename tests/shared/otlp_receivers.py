# SPDX-License-Identifier: Apache-2.0
"""Receivers of OTLP: one that decodes, and some that answer badly."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from places import ROOT

PROGRAM = ROOT / "demo" / "otlp_receiver.py"


class Received(NamedTuple):
    """What a receiver got, and where it listens."""

    endpoint: str
    file: Path

    def messages(self, path: str) -> list[Any]:
        """Return the messages that came to *path*."""
        if not self.file.exists():
            return []
        lines = map(json.loads, self.file.read_text().splitlines())
        return [line["message"] for line in lines if line["path"] == path]

    def headers(self) -> set[str | None]:
        """Return the header of the tests that came with messages."""
        lines = map(json.loads, self.file.read_text().splitlines())
        return {line["header"] for line in lines}

    def spans(self) -> list[dict[str, Any]]:
        """Return all spans, with ids as hexadecimal digits."""
        return [
            {
                **span,
                **{
                    name: base64.b64decode(span[name]).hex()
                    for name in ("traceId", "spanId", "parentSpanId")
                    if name in span
                },
                "attributes": attributes_of(span),
                "resource": attributes_of(resource["resource"]),
            }
            for message in self.messages("/v1/traces")
            for resource in message["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def points(self, name: str) -> list[dict[str, Any]]:
        """Return all points of the metric *name*."""
        return [
            {
                **point,
                "attributes": attributes_of(point),
                "resource": attributes_of(resource["resource"]),
            }
            for message in self.messages("/v1/metrics")
            for resource in message["resourceMetrics"]
            for scope in resource["scopeMetrics"]
            for metric in scope["metrics"]
            if metric["name"] == name
            for form in ("exponentialHistogram", "sum")
            for point in metric.get(form, {}).get("dataPoints", [])
        ]


def attributes_of(part: Any) -> dict[str, Any]:
    """Return the attributes of *part* as plain values."""
    found = {}
    for one in part.get("attributes", []):
        [(form, value)] = one["value"].items()
        found[one["key"]] = int(value) if form == "intValue" else value
    return found


@contextmanager
def receiver(file: Path) -> Iterator[Received]:
    """Run a receiver that writes what it gets to *file*."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(file)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield Received(f"http://127.0.0.1:{port}", file)
        finally:
            process.kill()


@contextmanager
def answering(
    *answers: bytes,
    is_closing: bool = True,
    is_reading: bool = True,
    requests: int = 1,
) -> Iterator[int]:
    """Yield the port of a server that answers each request so.

    After the last of *answers* it gives that again; one connection has as
    many *requests*, which get the same. It sends nothing before
    it has read the whole request, unless it is not *is_reading*, and hangs
    on, unless it *is_closing*.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    kept: list[socket.socket] = []

    def serve() -> None:
        left = list(answers)
        with suppress(OSError):
            while True:
                asker, _ = listener.accept()
                kept.append(asker)
                answer = left.pop(0) if len(left) > 1 else left[0]
                # What asked may be gone.
                with suppress(OSError):
                    for _ in range(requests):
                        if is_reading:
                            _read_request(asker)
                        asker.sendall(answer)
                if is_closing:
                    asker.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for asker in kept:
            asker.close()
        thread.join()


def _read_request(asker: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = asker.recv(65536)
        if not piece:
            return
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += asker.recv(65536)


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer of HTTP with *status* and *body*."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{n.replace('_', '-')}: {v}" for n, v in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body
