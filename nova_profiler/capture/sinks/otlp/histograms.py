# SPDX-License-Identifier: Apache-2.0
"""Times added up as exponential histograms, and what of them was sent.

https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
An octave has 2**SCALE buckets: the times in one differ by 9 % at most.
"""

from __future__ import annotations

from math import ceil, log2
from typing import NamedTuple

from nova_profiler.capture.sinks.statsd_added import MAX_ROUTES
from nova_profiler.record import REQUEST, RequestRecord
from nova_profiler.record.metric_labels import LABELS_OF_KINDS, WAIT

SCALE = 3
_STEPS = 2**SCALE
# Seconds; what is shorter or longer counts as that.
_SHORTEST_S = 1e-6
_LONGEST_S = 1e7
# Series of a process; what comes after them has one more for each kind.
MAX_SERIES = MAX_ROUTES

_REQUEST = REQUEST.name

# Kind, route, method, status: the last two of requests alone.
_Key = tuple[str, str, str, int]
# How many times, and their sum in seconds.
_Bucket = list[float]


class Slowest(NamedTuple):
    """What an exemplar needs to know of the slowest."""

    seconds: float
    started_at: str
    record_id: str | None
    parent_id: str | None
    trace_id: str | None
    request_id: str | None
    global_request_id: str | None


class Series:
    """The times of one metric with one set of labels."""

    __slots__ = ("buckets", "labels", "metric", "sent", "slowest")

    def __init__(
        self, metric: str, labels: tuple[str | int, ...] | None
    ) -> None:
        """*metric* is a name of ours; no *labels*: of all further ones."""
        self.metric = metric
        self.labels = labels
        self.buckets: dict[int, _Bucket] = {}
        self.sent: dict[int, tuple[float, float]] = {}
        self.slowest: Slowest | None = None

    def add(self, seconds: float) -> None:
        """Add one time.

        Without a lock: between two calls of functions the interpreter keeps
        its own, and an addition has none.
        """
        within = min(max(seconds, _SHORTEST_S), _LONGEST_S)
        place = ceil(log2(within) * _STEPS) - 1
        bucket = self.buckets.get(place)
        if bucket is None:
            bucket = self.buckets.setdefault(place, [0, 0.0])
        bucket[0] += 1
        bucket[1] += seconds


class Delta(NamedTuple):
    """What came to *series* since the last that was delivered."""

    series: Series
    count: int  # type: ignore[assignment]  # hides tuple.count
    sum_s: float
    # Counts by the place of the bucket.
    buckets: dict[int, int]
    slowest: Slowest | None
    # For delivered(): sums by place as they were taken.
    seen: dict[int, tuple[float, float]]


class Histograms:
    """The times of all that one process served."""

    def __init__(self) -> None:
        self._series: dict[_Key, Series] = {}

    def add_record(self, record: RequestRecord) -> None:
        """Add the time of *record*, and its wait."""
        kind = record.kind
        key = (
            (kind, record.route, record.method, record.status)
            if kind == _REQUEST
            else (kind, record.route, "", 0)
        )
        series = self._series.get(key) or self._made(key)
        seconds = record.duration_ms / 1000
        series.add(seconds)
        slowest = series.slowest
        if slowest is None or seconds > slowest.seconds:
            series.slowest = Slowest(
                seconds,
                record.started_at,
                record.record_id,
                record.parent_id,
                record.trace_id,
                record.request_id,
                record.global_request_id,
            )
        if record.wait_ms is not None:
            self._add_wait(kind, record.route, record.wait_ms)

    def add(
        self, kind: str, route: str, ms: float, wait_ms: float | None
    ) -> None:
        """Add the times of what has no record."""
        key = (kind, route, "", 0)
        series = self._series.get(key) or self._made(key)
        series.add(ms / 1000)
        if wait_ms is not None:
            self._add_wait(kind, route, wait_ms)

    def _add_wait(self, kind: str, route: str, wait_ms: float) -> None:
        key = (kind + WAIT, route, "", 0)
        (self._series.get(key) or self._made(key)).add(wait_ms / 1000)

    def _made(self, key: _Key) -> Series:
        """Return the series of *key*, or that of all that are too many."""
        metric, route, method, status = key
        labels: tuple[str | int, ...] | None = None
        if len(self._series) >= MAX_SERIES:
            key = (metric, "", "", 0)
        elif metric == _REQUEST:
            labels = (route, method, status)
        else:
            # The first word is for readers.
            words = tuple(route.split(" ")[1:])
            labels = words[: len(LABELS_OF_KINDS[metric])]
        # Another thread may have been quicker: one for both.
        return self._series.setdefault(key, Series(metric, labels))

    def deltas(self) -> list[Delta]:
        """Return what came since the last that was delivered.

        Called by one thread, as is delivered().
        """
        found = []
        for series in list(self._series.values()):
            seen = {}
            buckets = {}
            sum_s = 0.0
            for place, bucket in list(series.buckets.items()):
                # In one step: another thread may be adding to it.
                count, seconds = bucket
                count_before, before_s = series.sent.get(place, (0, 0.0))
                seen[place] = count, seconds
                new = int(count - count_before)
                if new > 0:
                    buckets[place] = new
                    sum_s += seconds - before_s
            if buckets:
                number = sum(buckets.values())
                slowest = series.slowest
                found.append(
                    Delta(series, number, sum_s, buckets, slowest, seen)
                )
        return found


def delivered(deltas: list[Delta]) -> None:
    """Have *deltas* be in no later ones."""
    for delta in deltas:
        series = delta.series
        series.sent = delta.seen
        if series.slowest is delta.slowest:
            series.slowest = None
