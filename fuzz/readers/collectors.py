# SPDX-License-Identifier: Apache-2.0
"""What a Collector answers, and how an operator writes where one is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from fuzz.readers.contracts import BrokenPromiseError, Reader
from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    LONGEST_WAIT_S,
    REFUSED,
    TRACES,
    Collector,
)
from nova_profiler.capture.sinks.otlp.endpoint import (
    Endpoint,
    endpoint_of,
    header_of,
)
from nova_profiler.capture.sinks.otlp.sender import (
    MAX_REJECTED,
    _rejected_spans,
)

_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0a\x02\x08\x07",
    b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x0a\x00\r\n"
    b"0\r\n\r\n",
)
_ENDPOINTS = (
    b"http://127.0.0.1:4318",
    b"https://[::1]:443/otlp/",
    b"Authorization=Bearer%20a%2Cb",
)


class _Sent:
    """A connection on which *data* has come, and nothing more will."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def sendall(self, data: object) -> None:
        """Take all."""

    def makefile(self, mode: str, *args: Any) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._data))

    def close(self) -> None:
        """Stay as it is."""

    end = close


class _Answering(Collector):
    """A Collector that answers with ``sent``, and then is silent."""

    sent = b""

    def _connected(self) -> Any:
        return _Sent(self.sent)


def read_answer(data: bytes, folder: Path) -> None:
    """Read *data* as what a Collector answers."""
    collector = _Answering(Endpoint("127.0.0.1", 4318, "", False), {})
    collector.sent = data
    answer = collector.post(TRACES, b"x", _rejected_spans)
    collector.close()
    if answer.outcome not in (DELIVERED, REFUSED, BUSY, LATER):
        raise BrokenPromiseError(f"an outcome of its own: {answer.outcome}")
    if answer.wait_s is not None and not 0 <= answer.wait_s <= LONGEST_WAIT_S:
        raise BrokenPromiseError(f"it has us wait {answer.wait_s} s")
    if not 0 <= answer.rejected <= MAX_REJECTED:
        raise BrokenPromiseError(f"it counts {answer.rejected} left out")


def read_endpoint(data: bytes, folder: Path) -> None:
    """Read *data* as an endpoint and as a header."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (endpoint_of, header_of):
        try:
            found = read(text)
        except ValueError:
            continue
        if any(c in str(part) for part in found for c in "\r\n"):
            raise BrokenPromiseError("a line ends within a head of HTTP")


ANSWER = Reader(
    read_answer,
    _ANSWERS,
    (b"\r\n", b"HTTP/1.1 ", b"Retry-After: ", b"Content-Length: ", b"200 "),
)
ENDPOINT = Reader(
    read_endpoint, _ENDPOINTS, (b"http://", b"@", b"%0d%0a", b"=", b":")
)
