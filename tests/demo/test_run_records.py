# SPDX-License-Identifier: Apache-2.0
"""The records of a run of the demo: lines, and calls from the dumps."""

from __future__ import annotations

import json

import pytest
from builders import numbered, written

from demo import run_records
from demo.page.figures import by_route
from nova_profiler.reading.advice.adding_up import advice_rows
from nova_profiler.record import CallTotals, TimelineEntry

PORTS = "network GET /v2.0/ports"
MADE_BY = "nova/network/neutron.py:1802 _get_available_networks"


def asked(number):
    """Return a request that waited for neutron."""
    return numbered(
        number,
        duration_ms=400.0,
        record_id=f"{number:016x}",
        breakdown_ms={"http": 300.0, "python": 100.0},
        calls=[CallTotals("http", PORTS, 1, 300.0, 300.0)],
    )


def lines_of(path, *records):
    lines = [json.dumps(one.to_dict()) + "\n" for one in records]
    path.write_text("".join(lines))
    return path


def test_advice_on_a_run_names_what_made_the_call(tmp_path):
    """A line has no single call; the dump of the same request has."""
    log_file = lines_of(tmp_path / "requests.jsonl", asked(1), asked(2))
    for number in (1, 2):
        dump = asked(number)
        dump.statements = []
        dump.timeline = [
            TimelineEntry("http", PORTS, 0, 50.0, 300.0, made_by=MADE_BY)
        ]
        written(tmp_path / "dumps", dump)
    records = run_records.records_of(log_file, 2)

    assert run_records.with_calls(records, tmp_path / "dumps") == 2

    (route,) = by_route(records)
    [first, *_] = advice_rows(route.calls.evidence.advice())
    assert "waiting for neutron is the largest part" in first["text"]
    assert PORTS in first["text"]
    assert MADE_BY in first["text"]


def test_a_request_without_a_dump_keeps_its_line(tmp_path):
    """So it is with one that is damaged."""
    log_file = lines_of(tmp_path / "requests.jsonl", asked(1), asked(2))
    (path,) = written(tmp_path / "dumps", asked(2))
    path.write_text("{")
    records = run_records.records_of(log_file, 2)

    assert run_records.with_calls(records, tmp_path / "dumps") == 0
    assert [one.record_id for one in records] == [f"{1:016x}", f"{2:016x}"]


def test_a_request_without_a_record_is_named(tmp_path, monkeypatch):
    """The page would be about others."""
    monkeypatch.setattr(run_records, "_SETTLE_S", 0)
    log_file = lines_of(tmp_path / "requests.jsonl", asked(1))

    with pytest.raises(
        run_records.MissingRecordsError, match=r"has \d records of 2 requests"
    ):
        run_records.records_of(log_file, 2)
