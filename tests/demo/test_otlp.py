# SPDX-License-Identifier: Apache-2.0
"""What a receiver got is compared with the records, series by series."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import numbered
from otlp_plain import ordered
from rich.console import Console

from demo import otlp
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.sinks.otlp.collector import Collector
from nova_profiler.capture.sinks.otlp.endpoint import endpoint_of
from nova_profiler.capture.sinks.otlp.sink import OtlpSink
from nova_profiler.record import CallTotals, GroupTotals, TimelineEntry

END_S = 20.0


class Traced:
    """The one call of a request."""

    def __len__(self) -> int:
        return 1

    def in_order(self):
        return ordered([TimelineEntry("db_api", "a", 0.0, 1.0, id=0)])


def _records():
    made = [
        numbered(
            n,
            record_id=f"{n + 1:016x}",
            status=500 if n == 2 else 200,
            groups={"db_api": GroupTotals(1, 1.0, 1.0)},
            calls=[CallTotals("db_api", "a", 1, 1.0, 1.0)],
        )
        for n in range(3)
    ]
    for one in made:
        one.traced = Traced()
    return made


@pytest.fixture
def receiver(tmp_path: Path):
    """A receiver that got three requests."""
    with otlp.receiving(tmp_path / "otlp") as receiver:
        failures = Failures()
        sink = OtlpSink(
            lambda: Collector(endpoint_of(receiver.endpoint), {}),
            ("nova-api", "controller-1"),
            failures.note,
        )
        for one in _records():
            sink.emit(one)
        sink.close(END_S)
        yield receiver


def test_equal_figures_are_shown(receiver, capsys):
    """Each beside that of the records."""
    otlp.show(Console(width=200), receiver, _records())

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["nova-api", "GET", "/v2.1/servers", "200"]
        + ["2", "2", "201.0", "201.0", "4", "4"],
        ["nova-api", "GET", "/v2.1/servers", "500"]
        + ["1", "1", "102.0", "102.0", "2", "2"],
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"duration_ms": 100.1},
        {"status": 404},
        {"groups": {"db_api": GroupTotals(2, 1.0, 1.0)}},
        {"record_id": "f" * 16},
    ],
)
def test_other_figures_are_an_error(receiver, odd):
    """A sum, a series, the spans of one request, or a trace."""
    records = _records()
    for name, value in odd.items():
        setattr(records[0], name, value)

    with pytest.raises(otlp.OtlpError, match="other figures"):
        otlp.show(Console(width=200), receiver, records)


def test_requests_that_do_not_come_are_an_error(receiver, monkeypatch):
    """The demo does not wait for ever."""
    monkeypatch.setattr(otlp, "_LONGEST_S", 0.0)
    with pytest.raises(otlp.OtlpError, match="of 4 requests 3 are in"):
        receiver.wait(4)
