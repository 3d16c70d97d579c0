# SPDX-License-Identifier: Apache-2.0
"""The real nova-api beside another agent, with the filter and without."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.record import RequestRecord
from tests.functional.log_files import records_in

pytestmark = pytest.mark.functional

BESIDE = Path(__file__).parent / "programs" / "beside"
INSTANCES = 10
PATHS = ("/servers", "/servers/detail", "/flavors", "/servers/none")


class Run(NamedTuple):
    """What clients got, what the agent saw, and what the filter wrote."""

    answers: list[tuple[int, bytes]]
    seen: Counter[str]
    records: list[RequestRecord]


def run(
    agent: str, mode: str, monkeypatch: pytest.MonkeyPatch, has_filter: bool
) -> Run:
    """Ask a nova-api that *agent* came into before all else."""
    directory = nova_api.new_directory(f"tests/beside-{agent}-{has_filter}")
    seen = directory / "seen.log"
    seen.touch()
    log_file = directory / "requests.jsonl"
    monkeypatch.setenv("SEEN_BY_AGENT", str(seen))
    urls = sqlite_files.urls(directory, INSTANCES, print)
    profiler = {"log_file": str(log_file)} if has_filter else None
    with nova_api.running(directory, urls, mode, profiler) as api:
        answers = [
            _lasting(api, *api.request("GET", path))
            for path in (*PATHS, *PATHS)
        ]
    return Run(
        answers,
        Counter(seen.read_text().replace(str(directory), "").splitlines()),
        records_in(log_file) if has_filter else [],
    )


def _lasting(
    api: nova_api.NovaApi, status: int, body: bytes
) -> tuple[int, bytes]:
    """Return what of an answer is the same in every run."""
    body = body.replace(f":{api.port}".encode(), b"")
    return status, re.sub(rb'"[0-9-]{10}T[0-9:]{8}Z"', b'"then"', body)


def _statements(seen: Counter[str]) -> Counter[str]:
    return Counter({n: c for n, c in seen.items() if n.startswith("SELECT ")})


# sentry_sdk imports eventlet, which nova's threading mode forbids.
@pytest.mark.parametrize(
    ("agent", "mode"), [("otel", "threads"), ("sentry", "eventlet")]
)
def test_nova_answers_beside_an_agent_as_it_does_without_the_filter(
    agent: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answers, the same seen by the agent, the same statements."""
    monkeypatch.setenv("PYTHONPATH", str(BESIDE / agent))
    without = run(agent, mode, monkeypatch, has_filter=False)
    beside = run(agent, mode, monkeypatch, has_filter=True)
    monkeypatch.delenv("PYTHONPATH")
    alone = run("none", mode, monkeypatch, has_filter=True)

    assert without.seen
    assert [status for status, _ in without.answers[:4]] == [200] * 3 + [404]
    assert beside.answers == without.answers
    # Threads and connections are as many as there happen to be.
    assert set(beside.seen) == set(without.seen)
    assert _statements(beside.seen) == _statements(without.seen)
    # A process's first requests look at the schema and the cells as well.
    assert _calls(beside.records[4:]) == _calls(alone.records[4:])
    assert all(row["db_api"] for row in _calls(beside.records[5:6]))


def _calls(records: list[RequestRecord]) -> list[dict[str, dict[str, int]]]:
    return [
        {
            group: {
                row.name: row.count
                for row in record.calls
                if row.group == group
            }
            for group in ("db_api", "sql")
        }
        for record in records
    ]
