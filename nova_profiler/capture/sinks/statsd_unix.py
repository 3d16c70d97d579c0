# SPDX-License-Identifier: Apache-2.0
"""Sends metrics to a statsd that listens at a socket of this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable

from nova_profiler.capture.sinks.statsd_address import socket_name
from nova_profiler.errors import with_path

Failed = Callable[[str, BaseException | None, int], None]


class UnixTransport:
    """Sends datagrams to the socket *path*; what is not taken is lost.

    Each datagram goes to the path anew: a socket that is not there yet, and
    one that its server made again, need no second look.
    """

    def __init__(
        self,
        path: str,
        failed: Failed = lambda what, error, count: None,
    ) -> None:
        """*failed* gets the first error of a gap, and what else it lost.

        The rest only once the socket takes datagrams again: the counter
        that goes there would be lost as well.
        """
        self._path = path
        self._name = socket_name(path)
        self._failed = failed
        self._socket: socket.socket | None = None
        self._lost = 0

    def send(self, data: str) -> None:
        """Send *data* as one datagram, without a wait; never raises."""
        try:
            sender = self._socket or self._made()
            sender.sendto(
                data.encode("ascii", "replace"),
                socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL,
                self._name,
            )
        except OSError as exc:
            self._lost += 1
            if self._lost == 1:
                self._failed("statsd_socket", with_path(exc, self._path), 1)
        else:
            if self._lost:
                lost, self._lost = self._lost - 1, 0
                if lost:
                    self._failed("statsd_socket", None, lost)

    def _made(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A server that reads slowly must lose a datagram, not hold a request.
        made.setblocking(False)
        self._socket = made
        return made
