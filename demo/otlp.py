# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP for a run, and whether it got what the records have."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from nova_profiler.reading.screen.terminal import plain_table, print_part
from nova_profiler.record import RequestRecord

_PROGRAM = Path(__file__).with_name("otlp_receiver.py")
_DURATION = "http.server.request.duration"
# The filter sends every ten seconds.
_LONGEST_S = 60.0
_LABELS = (
    "service.name",
    "http.request.method",
    "http.route",
    "http.response.status_code",
)
# Service, method, route, status.
Key = tuple[str, ...]


class OtlpError(Exception):
    """The receiver does not run, or got other figures."""


class Figures(NamedTuple):
    """Of one series: its requests, and the spans of their traces."""

    requests: int
    ms: float
    spans: int


class Receiver:
    """What came to a receiver that listens at ``endpoint``."""

    def __init__(self, endpoint: str, file: Path) -> None:
        self.endpoint = endpoint
        self._file = file
        self._read = 0
        self._requests: Counter[Key] = Counter()
        self._seconds: dict[Key, float] = {}
        # By trace, and the record that a span is the own one of.
        self._spans: Counter[str] = Counter()
        self._traces: dict[str, str] = {}

    def wait(self, requests: int) -> None:
        """Return once *requests* and as many traces are here.

        Raises OtlpError if they do not come.
        """
        deadline = time.monotonic() + _LONGEST_S
        while True:
            self._look()
            came = self._requests.total(), len(self._traces)
            if came == (requests, requests):
                return
            if time.monotonic() > deadline or max(came) > requests:
                raise OtlpError(
                    f"of {requests} requests {came[0]} are in histograms, "
                    f"and {came[1]} have traces"
                )
            time.sleep(0.2)

    def figures(self, records: list[RequestRecord]) -> dict[Key, Figures]:
        """Return what came, by series; *records* say whose a trace is."""
        spans: Counter[Key] = Counter()
        for record in records:
            spans[key_of(record)] += self.spans_of(record)
        return {
            key: Figures(count, self._seconds[key] * 1000, spans[key])
            for key, count in self._requests.items()
        }

    def spans_of(self, record: RequestRecord) -> int:
        """Return how many spans the trace of *record* has."""
        return self._spans[self._traces.get(record.record_id or "", "")]

    def _look(self) -> None:
        """Add up what has come since it was last called."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._add(json.loads(line)["message"])

    def _add(self, message: dict[str, Any]) -> None:
        for resource in message.get("resourceMetrics", ()):
            of_resource = _attributes(resource["resource"])
            for metric in resource["scopeMetrics"][0]["metrics"]:
                if metric["name"] == _DURATION:
                    for point in metric["exponentialHistogram"]["dataPoints"]:
                        found = of_resource | _attributes(point)
                        key = tuple(found[label] for label in _LABELS)
                        self._requests[key] += int(point["count"])
                        seconds = self._seconds.get(key, 0.0) + point["sum"]
                        self._seconds[key] = seconds
        for resource in message.get("resourceSpans", ()):
            for span in resource["scopeSpans"][0]["spans"]:
                self._spans[span["traceId"]] += 1
                own = _attributes(span).get("nova_profiler.record_id")
                if own is not None:
                    self._traces[own] = span["traceId"]


def _attributes(part: dict[str, Any]) -> dict[str, str]:
    return {
        one["key"]: str(next(iter(one["value"].values())))
        for one in part["attributes"]
    }


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """Run a receiver until the end; *folder* gets what comes."""
    folder.mkdir(parents=True)
    file = folder / "received.jsonl"
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(file)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise OtlpError("the receiver of OTLP has not started")
            yield Receiver(f"http://127.0.0.1:{port}", file)
        finally:
            process.kill()


def key_of(record: RequestRecord) -> Key:
    """Return the series that *record* is in."""
    status = str(record.status)
    return record.service, record.method, record.route, status


def of_records(records: list[RequestRecord]) -> dict[Key, Figures]:
    """Return what should have come, by series."""
    found: dict[Key, Figures] = {}
    for record in records:
        key = key_of(record)
        before = found.get(key, Figures(0, 0.0, 0))
        found[key] = Figures(
            before.requests + 1,
            before.ms + record.duration_ms,
            before.spans + _spans_of(record),
        )
    return found


def _spans_of(record: RequestRecord) -> int:
    """Return one, and one for each call."""
    calls = sum(totals.calls for totals in record.groups.values())
    return 1 + calls + sum(call.nested for call in record.calls)


def show(
    console: Console, receiver: Receiver, records: list[RequestRecord]
) -> None:
    """Print what came beside what *records* have.

    Raises OtlpError where it differs: in a series, or in the number of spans
    of one request. Times are equal to the microsecond that records have.
    """
    receiver.wait(len(records))
    came, expected = receiver.figures(records), of_records(records)
    table = plain_table()
    table.add_column("service, method, route, status", overflow="fold")
    for of in ("requests", "ms", "spans"):
        table.add_column(f"{of} received", justify="right")
        table.add_column("of records", justify="right")
    unequal = [
        record.record_id
        for record in records
        if receiver.spans_of(record) != _spans_of(record)
    ]
    for key in sorted(came.keys() | expected.keys()):
        nothing = Figures(0, 0.0, 0)
        got, due = came.get(key, nothing), expected.get(key, nothing)
        table.add_row(
            " ".join(key),
            *(str(one) for one in (got.requests, due.requests)),
            *(f"{one:.1f}" for one in (got.ms, due.ms)),
            *(str(one) for one in (got.spans, due.spans)),
        )
        if (
            got.requests != due.requests
            or abs(got.ms - due.ms) > 0.001 * due.requests
        ):
            unequal.append(" ".join(key))
    print_part(console, table)
    console.print()
    if unequal:
        raise OtlpError(f"the receiver got other figures of {unequal}")
