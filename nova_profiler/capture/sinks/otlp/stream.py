# SPDX-License-Identifier: Apache-2.0
"""A connection of the system, plain or with TLS, as http.client takes one.

The sockets of eventlet and gevent would wait on their hub, which is not in our
thread. So neither ``socket`` nor a socket of ``ssl`` is used: what these
libraries replace is not there.
"""

from __future__ import annotations

import _socket
import errno
import io
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_PIECE = 65_536
# Taken until an answer is whole, which has some words: one may go on for ever
# with what http.client leaves out, as "100 Continue".
MOST_BYTES = 1_048_576


class Stream:
    """A connection on which each step ends by a common deadline.

    It takes MOST_BYTES, handshake and all, until begin() is called.
    """

    def __init__(
        self, host: str, port: int, left_s: Callable[[], float]
    ) -> None:
        """Connect; *left_s* returns the seconds until the deadline.

        May raise OSError.
        """
        self._left_s = left_s
        self._taken = 0
        self._socket = _connected(host, port, self.left_s)

    def begin(self) -> None:
        """Begin with a message: its answer may have MOST_BYTES again."""
        self._taken = 0

    def _take(self, number: int) -> None:
        self._taken += number
        if self._taken > MOST_BYTES:
            raise OSError(errno.EMSGSIZE, "its answer is too long")

    def left_s(self) -> float:
        """Return the seconds that are left; raises TimeoutError at none."""
        left = self._left_s()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "took too long")
        return left

    def sendall(self, data: Any) -> None:
        """Send all of *data*. May raise OSError."""
        self._socket.settimeout(self.left_s())
        self._socket.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        """Fill *buffer* with what comes; return how much, 0 at the end."""
        self._socket.settimeout(self.left_s())
        number = self._socket.recv_into(buffer)
        self._take(number)
        return number

    def makefile(self, mode: str, *args: Any) -> io.BufferedReader:
        """Return what reads from here; http.client asks for ``rb`` alone."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Stay open: http.client closes before it has read the answer."""

    def end(self) -> None:
        """Close it. Never raises."""
        with suppress(OSError):
            self._socket.close()


class TlsStream(Stream):
    """The same with TLS, which is done in memory."""

    def __init__(
        self,
        host: str,
        port: int,
        left_s: Callable[[], float],
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(host, port, left_s)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_hostname=host
            )
            self._done(self._tls.do_handshake)
        except BaseException:
            self.end()
            raise

    def sendall(self, data: Any) -> None:
        """Send all of *data*. May raise OSError."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._done(self._tls.write, rest) :]

    def recv_into(self, buffer: Any) -> int:
        """Fill *buffer* with what comes; return how much, 0 at the end."""
        try:
            return int(self._done(self._tls.read, len(buffer), buffer))
        except ssl.SSLZeroReturnError:
            return 0

    def _done(self, step: Callable[..., Any], *args: Any) -> Any:
        """Return ``step(*args)``, with what it sends sent and wants read."""
        while True:
            try:
                result = step(*args)
            except ssl.SSLWantReadError:
                self._flush()
                self._socket.settimeout(self.left_s())
                data = self._socket.recv(_PIECE)
                self._take(len(data))
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._socket.settimeout(self.left_s())
            self._socket.sendall(data)


class _Incoming(io.RawIOBase):
    """What comes in on a stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._stream.recv_into(buffer)


def _connected(
    host: str, port: int, left_s: Callable[[], float]
) -> _socket.socket:
    """Return a socket that is connected to the first address that answers."""
    failed: OSError | None = None
    # Takes as long as the resolver likes.
    found: list[Any] = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        made = _socket.socket(family, kind, protocol)
        try:
            made.settimeout(left_s())
            made.connect(address)
        except OSError as exc:
            made.close()
            failed = exc
        else:
            return made
    raise failed or OSError(errno.EHOSTUNREACH, "no address")
