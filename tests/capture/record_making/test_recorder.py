# SPDX-License-Identifier: Apache-2.0
"""From what was served to its record: times, dumps, sinks."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from serving import Profiled, during, recorded, set_clock


def test_the_start_is_told_in_utc_with_microseconds(monkeypatch):
    """Also when the clock is a hair before the next second."""
    moments = iter([1792837201.0, 1792837201.9999999, 1792837202.123456])
    set_clock(monkeypatch, lambda: next(moments), "time")
    profiled = Profiled(during(lambda: None))

    for _ in range(3):
        profiled.get()
    told = [record.started_at for record in profiled.records]

    for text in told:
        moment = datetime.fromisoformat(text)
        assert moment.tzinfo == timezone.utc
        assert len(text) == len("2026-11-21T10:35:01.123456+00:00")
    assert told[0].endswith(".000000+00:00")
    assert told[2].endswith((".123456+00:00", ".123455+00:00"))
    assert told == sorted(told)


def test_every_sink_gets_every_record_in_order():
    """One after the other, as they are configured."""
    got = []

    class Sink:
        def __init__(self, name):
            self.name = name

        def emit(self, record):
            got.append((self.name, record.path))

    profiled = Profiled(during(lambda: None), Sink("one"), Sink("two"))
    profiled.get("/a")

    assert got == [("one", "/a"), ("two", "/a")]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, False),
        ({"dump_dir": "x"}, False),
        ({"dump_dir": "x", "dump_when": ("all",)}, True),
        ({"dump_when": ("all",)}, False),
        ({"dump_dir": "x", "dump_when": ("slow",), "slow_ms": 0.0}, True),
        ({"dump_dir": "x", "dump_when": ()}, False),
    ],
)
def test_a_timeline_is_only_made_for_a_dump(options, kept):
    """It costs more than all the rest."""
    profiled = Profiled(during(lambda: None), **options)

    profiled.get()

    assert (profiled.record.timeline is not None) is kept
    assert (profiled.record.statements is not None) is kept


def test_a_failed_request_is_dumped():
    """With the default settings, once there is a directory."""

    def app(environ, start_response):
        raise LookupError("x")

    profiled = Profiled(app, dump_dir="x")

    with pytest.raises(LookupError, match="x"):
        profiled.get()

    assert profiled.record.timeline == []


def test_its_own_time_is_told():
    """self_ms is what making the record took, not part of the request."""
    record = recorded(lambda: None)

    assert record.self_ms > 0.0
    assert record.service == "nova-api"
    assert record.host
    assert record.pid > 0
