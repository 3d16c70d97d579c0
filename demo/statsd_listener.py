# SPDX-License-Identifier: Apache-2.0
"""A small statsd on a free port of the loopback interface."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from types import TracebackType

_BUFFER_BYTES = 8 << 20
_SO_RCVBUFFORCE = 33
_PAUSE_S = 0.01


class StatsdListener:
    """Receives datagrams from the start to the end of a with statement.

    *take* gets each of them, in a thread that stays on *core*.
    """

    def __init__(
        self,
        take: Callable[[bytes], object] = lambda datagram: None,
        core: int | None = None,
    ) -> None:
        self.datagrams = 0
        self._take = take
        self._core = core
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        _enlarge(self._socket)
        self.port: int = self._socket.getsockname()[1]
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

    def _receive(self) -> None:
        if self._core is not None:
            os.sched_setaffinity(0, {self._core})
        # A reader that waits in recv makes each send wake it up, which
        # the sender pays for; a statsd server under load does not wait.
        while not self._stopping.wait(_PAUSE_S):
            self._take_all()
        # What was sent before the end counts.
        self._take_all()

    def _take_all(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(65535)
            except BlockingIOError:
                return
            self.datagrams += 1
            self._take(datagram)


def _enlarge(receiver: socket.socket) -> None:
    """Have *receiver* lose nothing while its thread is slow."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    except OSError:
        # Only root may go over the system's limit.
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
