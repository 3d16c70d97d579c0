# SPDX-License-Identifier: Apache-2.0
"""What the real nova-api waits for beside its database has a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.dump_store import DumpStore
from nova_profiler.record import RequestRecord, TimelineEntry

pytestmark = pytest.mark.functional

NEUTRON_MS = 30
REQUESTS = 3
PORTS = "network GET /v2.0/ports"
GROUPS = "network GET /v2.0/security-groups"
SECRET = "canary-5e1c"
REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Run(NamedTuple):
    """What a nova-api has written that has ended by now."""

    directory: Path
    dumps: list[RequestRecord]
    # Milliseconds until neutron began to answer, by its own clock and its
    # request ids.
    by_neutron: dict[str, float]


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Return the dumps of a few requests for details of servers."""
    directory = nova_api.new_directory(f"tests/waits-{request.param}")
    urls = sqlite_files.urls(directory, 2, print)
    profiler = {"dump_dir": str(directory / "dumps"), "dump_when": "all"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEUTRON_MS", str(NEUTRON_MS))
        environment.setenv("NEUTRON_LOG", str(directory / "neutron.log"))
        with nova_api.running(directory, urls, request.param, profiler) as api:
            for _ in range(REQUESTS):
                status, _ = api.request(
                    "GET", f"/servers/detail?name={SECRET}|demo"
                )
                assert status == 200
    store = DumpStore(directory / "dumps")
    lines = (directory / "neutron.log").read_text().splitlines()
    yield Run(
        directory,
        [store.read(one) for one in store.entries()],
        {line.split()[0]: float(line.split()[2]) for line in lines},
    )


def http_of(record: RequestRecord) -> list[TimelineEntry]:
    return [one for one in record.timeline or () if one.group == "http"]


def test_each_request_to_neutron_is_named_once(run: Run) -> None:
    """By keystoneauth's type of the service; without any id."""
    assert len(run.dumps) == REQUESTS
    for record in run.dumps:
        names = {one.name for one in record.calls if one.group == "http"}
        assert names == {PORTS, GROUPS}
        assert record.groups["http"].calls == len(http_of(record)) == 2


def test_the_time_of_neutron_is_no_other_waiting(run: Run) -> None:
    """It takes its milliseconds for each of the two."""
    for record in run.dumps:
        assert record.breakdown_ms["http"] >= 2 * NEUTRON_MS
        assert sum(record.breakdown_ms.values()) == pytest.approx(
            record.duration_ms, abs=0.1
        )


def test_no_call_is_shorter_than_its_answer(run: Run) -> None:
    """By neutron's own clock; ``make bench ARGS=waits`` has how close."""
    for record in run.dumps:
        for call in http_of(record):
            assert call.ms >= run.by_neutron[call.request_id or ""]


def test_neutrons_ids_are_in_the_timeline(run: Run) -> None:
    """Each of them is another one."""
    ids = [one.request_id for dump in run.dumps for one in http_of(dump)]

    assert len({*ids}) == 2 * REQUESTS
    assert all(one and REQUEST_ID.fullmatch(one) for one in ids)


def test_no_text_of_the_client_is_kept(run: Run) -> None:
    """The query holds the name of a server, and goes no further."""
    kept = [
        path
        for path in (run.directory / "dumps").rglob("*.json")
        if SECRET in path.read_text()
    ]

    assert kept == []


def test_all_that_is_hooked_is_in_the_libraries(run: Run) -> None:
    """No line in the log names what this nova does not have."""
    text = (run.directory / "nova-api.log").read_text()
    text += (run.directory / "output.log").read_text()

    assert "has no name in records" not in text
