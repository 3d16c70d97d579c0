# SPDX-License-Identifier: Apache-2.0
"""Sink that makes of each record the lines that statsd knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from nova_profiler.capture.sinks import Named
from nova_profiler.capture.sinks.statsd_added import (
    OTHER,
    SENT_GROUPS,
    AddedTimes,
)
from nova_profiler.capture.sinks.statsd_sums import Sum, TimeSums, line_of
from nova_profiler.groups import SUMMED_GROUPS
from nova_profiler.record import REQUEST, CallTotals, RequestRecord
from nova_profiler.record.metric_labels import METRICS
from nova_profiler.routes import metric_name

# What fits a datagram on any Ethernet.
MAX_DATAGRAM = 1432
# Names besides those of requests; what comes after them is ``other``.
MAX_NAMES = 2_000
_REQUEST = REQUEST.name
_LABELS = {one.name: one.labels for one in METRICS}


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
