# SPDX-License-Identifier: Apache-2.0
"""Sink that sends each record's times to statsd, over the statsd package."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

import statsd

from nova_profiler.capture.sinks import Named
from nova_profiler.capture.sinks.statsd_added import (
    OTHER,
    SENT_GROUPS,
    AddedTimes,
)
from nova_profiler.capture.sinks.statsd_address import address_of
from nova_profiler.capture.sinks.statsd_sums import Sum, TimeSums, line_of
from nova_profiler.capture.sinks.statsd_unix import UnixTransport
from nova_profiler.groups import SUMMED_GROUPS
from nova_profiler.record import REQUEST, CallTotals, RequestRecord
from nova_profiler.record.metric_labels import METRICS
from nova_profiler.routes import metric_name

# What fits a datagram on any Ethernet.
MAX_DATAGRAM = 1432
# Names besides those of requests; what comes after them is ``other``.
MAX_NAMES = 2_000
# Datagrams that wait for the host's name to be resolved.
MAX_PENDING = 64
_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 300.0
_REQUEST = REQUEST.name


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


class StatsdSink:
    """Send the times of each request and of its calls."""

    name = "statsd"

    def __init__(
        self,
        send: Callable[[str], None],
        prefix: str,
        service: str,
        labels: str = "none",
        news: Callable[[], dict[str, int]] = lambda: {},
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """*news* returns what our own counters counted since its last call.

        *clock* decides when what was added up is sent.
        """
        self._send = send
        self._news = news
        cleaned = [metric_name(part) for part in prefix.split(".") if part]
        self._prefix = ".".join([*cleaned, ""])
        self._service = metric_name(service)
        self._labelled = labels == "dogstatsd"
        self._requests: dict[tuple[str, str, int], tuple[str, str]] = {}
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._sums = {
            group.name: self._name(group.name, ()) for group in SUMMED_GROUPS
        }
        # Of what is no request: of that there may be very many.
        self._added = AddedTimes(
            TimeSums(self._send_sums, clock),
            self._sums,
            self._name,
            self._named,
        )

    def emit(self, record: RequestRecord) -> None:
        """Send *record*'s metrics in as few datagrams as they fit.

        Those of other kinds than requests are added up.
        """
        if record.kind != _REQUEST:
            self._added.add_record(record)
            return
        key = (record.route, record.method, record.status)
        named = self._requests.get(key)
        if named is None:
            named = self._request_name(*key)
        text = "%s:%.3f|ms%s" % (named[0], record.duration_ms, named[1])
        news = self._news()
        if not record.groups and not record.calls and not news:
            self._send(text)
            return
        lines = [text]
        sums = self._sums
        for group, totals in record.groups.items():
            if group in sums:
                name, labels = sums[group]
                lines.append("%s:%.3f|ms%s" % (name, totals[1], labels))
        names = self._names
        for call in record.calls:
            if call[0] not in SENT_GROUPS:
                continue
            name, labels = names.get(call[:2]) or self._call_name(*call[:2])
            if call[2] - call[6] == 1:
                lines.append("%s:%.3f|ms%s" % (name, call[3], labels))
            else:
                listed = record.durations.get(call[:2], [])
                _add_lines(lines, name, labels, call, listed)
        lines += self._news_lines(news)
        text = "\n".join(lines)
        if len(text) <= MAX_DATAGRAM:
            self._send(text)
        else:
            for datagram in _packed(lines):
                self._send(datagram)

    def add_up(
        self,
        kind: str,
        route: str,
        ms: float,
        wait_ms: float | None,
        lanes: Iterable[list[Named]],
    ) -> None:
        """Add up what has no record, and the calls of its *lanes*."""
        self._added.add_lanes(kind, route, ms, wait_ms, lanes)

    def send_rest(self) -> None:
        """Send what was added up since the last time, and do not wait."""
        self._added.send()

    def _send_sums(self, sums: list[Sum]) -> None:
        lines = [line_of(*one) for one in sums]
        lines += self._news_lines(self._news())
        for datagram in _packed(lines):
            self._send(datagram)

    def _news_lines(self, news: dict[str, int]) -> Iterator[str]:
        """Yield a line for each of our own counters that has grown."""
        for what, count in news.items():
            name, labels = self._name("profiler", (metric_name(what),))
            yield f"{name}:{count}|c{labels}"

    def _request_name(
        self, route: str, method: str, status: int
    ) -> tuple[str, str]:
        # 0: the application has given none.
        shown = str(status) if status else "none"
        parts = (metric_name(route), metric_name(method), shown)
        named = self._name("request", parts)
        if len(self._requests) < MAX_NAMES * 10:
            self._requests[route, method, status] = named
        return named

    def _named(self, group: str, name: str) -> tuple[str, str]:
        return self._names.get((group, name)) or self._call_name(group, name)

    def _call_name(self, group: str, name: str) -> tuple[str, str]:
        if len(self._names) >= MAX_NAMES:
            return self._name(group, (OTHER,))
        # "SELECT instances" is SELECT.instances, a name without a blank
        # one part.
        parts = tuple(metric_name(part) for part in name.split(" ")[:2])
        named = self._names[group, name] = self._name(group, parts)
        return named

    def _name(self, kind: str, parts: tuple[str, ...]) -> tuple[str, str]:
        """Return the metric's name and its labels, ready for the line."""
        if not self._labelled:
            name = f"{self._prefix}{self._service}.{kind}"
            return ".".join((name, *parts)), ""
        labels = _LABELS[kind]
        pairs = zip(
            ("service", *labels), (self._service, *parts), strict=False
        )
        tags = ",".join(f"{label}:{part}" for label, part in pairs)
        return f"{self._prefix}{kind}", f"|#{tags}"


_LABELS = {one.name: one.labels for one in METRICS}


def _add_lines(
    lines: list[str],
    name: str,
    labels: str,
    call: CallTotals,
    listed: list[float],
) -> None:
    """Add one line for each duration in *listed*, and one for the rest."""
    for ms in listed:
        lines.append("%s:%.3f|ms%s" % (name, ms, labels))
    more = call[2] - call[6] - len(listed)
    if more > 0:
        # Many calls of one name: their mean stands for the rest, and the
        # sample rate makes their number right.
        mean = max(0.0, call[3] - sum(listed)) / more
        lines.append("%s:%.3f|ms|@%.9g%s" % (name, mean, 1 / more, labels))


def _packed(lines: list[str]) -> Iterator[str]:
    """Yield *lines*, as many to a datagram as fit."""
    datagram: list[str] = []
    size = -1
    for line in lines:
        if datagram and size + 1 + len(line) > MAX_DATAGRAM:
            yield "\n".join(datagram)
            datagram = []
            size = -1
        datagram.append(line)
        size += 1 + len(line)
    yield "\n".join(datagram)
