# SPDX-License-Identifier: Apache-2.0
"""What the records of a service weigh: lines, datagrams, names, dumps.

Nothing is estimated here: each record is given to the sink that wrote or
would write it, and what the sink makes is counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from nova_profiler.capture.record_making.totals import MAX_DURATIONS
from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.capture.sinks.statsd_sums import SEND_EVERY_S
from nova_profiler.record import (
    KINDS,
    REQUEST,
    RequestRecord,
)

# The sums of a process leave as often as this.
WINDOW_S = SEND_EVERY_S
# A later version may have more: their metrics are not known here.
_KNOWN = frozenset(kind.name for kind in KINDS)
# Of a packed file, as logrotate makes it.
_GZIP_LEVEL = 6


@dataclass
class Datagrams:
    """What statsd is sent."""

    count: int = 0
    bytes: int = 0
    lines: int = 0
    names: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Count the datagram *text*; its metrics are named before the colon.

        Tags, where there are some, belong to the name: a series is both.
        """
        self.count += 1
        self.bytes += len(text)
        for line in text.split("\n"):
            self.lines += 1
            name, _, rest = line.partition(":")
            _, tagged, tags = rest.partition("|#")
            self.names.add(name + tagged + tags)


@dataclass
class Weight:
    """What the records of one service weigh.

    ``requests`` have statsd's lines at once, ``others``, as messages and
    tasks, are added up in their process and sent every ten seconds.
    """

    requests: int = 0
    others: int = 0
    kept: int = 0
    line_bytes: int = 0
    packed_bytes: int = 0
    dumps: int = 0
    dump_bytes: int = 0
    processes: set[tuple[str, int]] = field(default_factory=set)
    first_s: float = float("inf")
    last_s: float = float("-inf")
    sent: Datagrams = field(default_factory=Datagrams)
    sums_sent: Datagrams = field(default_factory=Datagrams)

    @property
    def records(self) -> int:
        """Return how many records were read."""
        return self.requests + self.others

    @property
    def seconds(self) -> float:
        """Return the time from the first record to the last."""
        return max(0.0, self.last_s - self.first_s)


class Scales:
    """Weighs records, service by service."""

    def __init__(self, slow_ms: float, labels: str = "none") -> None:
        """A request of at least *slow_ms* is kept as a dump, as nova's does.

        *labels* is the option ``statsd_labels``.
        """
        self.weights: dict[str, Weight] = {}
        self._slow_ms = slow_ms
        self._labels = labels
        self._packers: dict[str, zlib._Compress] = {}
        self._sinks: dict[tuple[str, str, int, bool], StatsdSink] = {}
        self._now = 0.0

    def add(self, record: RequestRecord) -> None:
        """Weigh *record* as a line of log_file and as metrics."""
        name = record.service
        weight = self.weights.setdefault(name, Weight())
        # Of a hostile file: a service's own record is ASCII.
        line = line_of(record).encode("utf-8", "replace")
        weight.line_bytes += len(line)
        packer = self._packers.setdefault(
            name, zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
        )
        weight.packed_bytes += len(packer.compress(line))
        is_request = record.kind == REQUEST.name
        weight.requests += is_request
        weight.others += not is_request
        weight.kept += record.duration_ms >= self._slow_ms or record.is_failed
        weight.processes.add((record.host, record.pid))
        self._at(weight, record.started_at)
        if record.kind in _KNOWN:
            _list_durations(record)
            self._sink(weight, record, is_request).emit(record)

    def add_dump(self, service: str, size: int) -> None:
        """Weigh a dump's files, which have *size* bytes together."""
        weight = self.weights.setdefault(service, Weight())
        weight.dumps += 1
        weight.dump_bytes += size

    def finish(self) -> dict[str, Weight]:
        """Return the weights by service, the rest packed and sent."""
        for sink in self._sinks.values():
            sink.send_rest()
        for name, packer in self._packers.items():
            self.weights[name].packed_bytes += len(packer.flush())
        self._packers.clear()
        return self.weights

    def _at(self, weight: Weight, started_at: str) -> None:
        """Have the clock of the sinks stand at *started_at*, if it is one."""
        try:
            # Python 3.10 reads no Z.
            text = started_at.replace("Z", "+00:00")
            moment = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            return
        self._now = moment
        weight.first_s = min(weight.first_s, moment)
        weight.last_s = max(weight.last_s, moment)

    def _sink(
        self, weight: Weight, record: RequestRecord, is_request: bool
    ) -> StatsdSink:
        """Return the sink of the record's process.

        One for requests and one for others, to count these apart.
        """
        key = (record.service, record.host, record.pid, is_request)
        sink = self._sinks.get(key)
        if sink is None:
            sent = weight.sent if is_request else weight.sums_sent
            sink = self._sinks[key] = StatsdSink(
                sent.add,
                "nova",
                record.service,
                self._labels,
                clock=lambda: self._now,
            )
        return sink


def weighed(
    records: Iterable[RequestRecord],
    slow_ms: float,
    labels: str = "none",
    dumps: Iterable[tuple[str, int]] = (),
) -> dict[str, Weight]:
    """Return the weights of *records*, by service.

    *dumps* has the service and the bytes of each dump.
    """
    scales = Scales(slow_ms, labels)
    # A window of ten seconds is one only in order.
    for record in sorted(records, key=lambda one: one.started_at):
        scales.add(record)
    for service, size in dumps:
        scales.add_dump(service, size)
    return scales.finish()


def _list_durations(record: RequestRecord) -> None:
    """Give calls of one name durations, which no file keeps.

    The sink sends the first of them one by one: as many, and as long in
    bytes but for a digit, are their means.
    """
    for call in record.calls:
        times = call.count - call.nested
        if times > 1:
            mean = max(0.0, call.ms) / times
            record.durations[call[:2]] = [mean] * min(times, MAX_DURATIONS)
