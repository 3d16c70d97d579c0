# SPDX-License-Identifier: Apache-2.0
"""Sends datagrams to statsd, over the statsd package."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

import statsd

from nova_profiler.capture.sinks.statsd_address import address_of
from nova_profiler.capture.sinks.statsd_unix import UnixTransport

# Datagrams that wait for the host's name to be resolved.
MAX_PENDING = 64
_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 300.0


class Transport:
    """A statsd client that is made late, never waits and never raises."""

    def __init__(
        self,
        host: str,
        port: int,
        failed: Callable[[str, BaseException], None] = lambda what, exc: None,
    ) -> None:
        """*failed* is called for a host whose name does not resolve."""
        self._failed = failed
        self._host = host
        self._port = port
        self._client: Any = None
        self._pending: deque[str] = deque(maxlen=MAX_PENDING)
        self._pid = 0
        self._retry_s = _FIRST_RETRY_S
        self._look_up_at = 0.0
        self._looking_up = False

    def send(self, data: str) -> None:
        """Send *data* as one datagram, or keep it until the host is known."""
        client = self._client
        if client is None:
            self._pending.append(data)
        else:
            client._send(data)
        if monotonic() >= self._look_up_at:
            self._look_up()

    def _look_up(self) -> None:
        pid = os.getpid()
        if pid != self._pid:
            # A fork takes no threads along: no look-up goes on here.
            self._pid = pid
            self._looking_up = False
        if self._looking_up:
            return
        if _is_quick(self._host):
            self._resolve()
            return
        self._looking_up = True
        try:
            # A name server that does not answer takes seconds.
            threading.Thread(
                target=self._resolve, name="nova-profiler-statsd", daemon=True
            ).start()
        except BaseException:
            # No more threads: the next one may start.
            self._looking_up = False
            raise

    def _resolve(self) -> None:
        try:
            client = _client(self._host, self._port)
        except (OSError, ValueError) as exc:
            self._failed("statsd_lookup", exc)
            self._look_up_at = monotonic() + self._retry_s
            self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)
        else:
            self._take(client)
            # Addresses change; literal ones are only looked at again.
            self._look_up_at = monotonic() + _LAST_RETRY_S
            self._retry_s = _FIRST_RETRY_S
            while self._pending:
                try:
                    self._client._send(self._pending.popleft())
                except IndexError:
                    break
        finally:
            self._looking_up = False

    def _take(self, client: _Client) -> None:
        """Send over *client* from now on, unless nothing has changed."""
        old = self._client
        if old is None or old._addr != client._addr:
            self._client = client
        else:
            old = client
        if old is not None:
            # Not StatsClient.close(): another thread may be sending.
            old._sock.close()


def _is_quick(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# The package has no types.
class _Client(statsd.StatsClient):  # type: ignore[misc]
    """A statsd client whose socket is connected and never waits."""

    def __init__(self, host: str, port: int, ipv6: bool) -> None:
        super().__init__(host, port, ipv6=ipv6)
        # A full send queue must lose a datagram, not hold a request.
        self._sock.setblocking(False)
        try:
            self._sock.connect(self._addr)
        except OSError:
            self._sock.close()
            raise

    def _send(self, data: str) -> None:
        try:
            self._sock.send(data.encode("ascii"))
        except (OSError, RuntimeError, UnicodeEncodeError):
            # No listener, or a full queue: lost, as UDP may be.
            self.lost = getattr(self, "lost", 0) + 1


def _client(host: str, port: int) -> _Client:
    try:
        return _Client(host, port, ipv6=False)
    except OSError:
        # No IPv4 address of that name.
        return _Client(host, port, ipv6=True)


def transport_of(
    text: str,
    port: int,
    failed: Callable[..., None] = lambda what, exc, count=1: None,
) -> Transport | UnixTransport:
    """Return what sends to the statsd that *text* means.

    A port in *text* wins over *port*. Raises ValueError.
    """
    address = address_of(text)
    if address.path is not None:
        return UnixTransport(address.path, failed)
    return Transport(address.host, address.port or port, failed)
