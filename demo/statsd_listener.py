# SPDX-License-Identifier: Apache-2.0
"""A small statsd on loopback that keeps count of what it is sent."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import NamedTuple

_BUFFER_BYTES = 4 << 20
_POLL_S = 0.2


class Metric(NamedTuple):
    """Everything that was sent under one name."""

    kind: str
    count: int
    total: float


class StatsdListener:
    """Receives datagrams from the start to the end of a with statement."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A listener that is slow for a moment should lose nothing.
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES
        )
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_POLL_S)
        self.port: int = self._socket.getsockname()[1]
        self.datagrams = 0
        self.metrics: dict[str, Metric] = {}
        self.refused: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)

    def __enter__(self) -> StatsdListener:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    @property
    def lines(self) -> int:
        """Return how many metrics came, all names together."""
        return sum(metric.count for metric in self.metrics.values())

    def _receive(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(65535)
            except TimeoutError:
                # Only when there is nothing left to read.
                if self._stopping.is_set():
                    return
                continue
            self.datagrams += 1
            for line in datagram.decode("ascii", "replace").splitlines():
                self._count(line)

    def _count(self, line: str) -> None:
        try:
            name, rest = line.split(":", 1)
            text, kind = rest.split("|")[:2]
            value = float(text)
        except ValueError:
            self.refused.append(line)
            return
        before = self.metrics.get(name, Metric(kind, 0, 0.0))
        self.metrics[name] = Metric(
            kind, before.count + 1, before.total + value
        )
