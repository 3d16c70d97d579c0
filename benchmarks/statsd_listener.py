# SPDX-License-Identifier: Apache-2.0
"""A statsd server that counts datagrams and forgets them."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

from benchmarks import processes

_SO_RCVBUFFORCE = 33


class StatsdListener:
    """Receives on a loopback port, in a thread, while it is entered."""

    def __init__(self, core: int | None = None) -> None:
        self.received = 0
        self._core = core
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        _enlarge(self._socket)
        self.port: int = self._socket.getsockname()[1]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._drain, daemon=True)

    def __enter__(self) -> StatsdListener:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _drain(self) -> None:
        processes.pin(self._core)
        # A reader that waits in recv makes each send wake it up, which
        # the sender pays for; a statsd server under load does not wait.
        while not self._stopped.wait(0.01):
            self._receive_all()

    def _receive_all(self) -> None:
        while True:
            try:
                self._socket.recv(65536)
            except BlockingIOError:
                return
            self.received += 1


def _enlarge(receiver: socket.socket) -> None:
    size = 8 * 1024 * 1024
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except OSError:
        # Only root may go over the system's limit.
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
