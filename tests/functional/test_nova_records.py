# SPDX-License-Identifier: Apache-2.0
"""The records of the real nova-api: what was called, and all of it."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from demo import identity, load
from demo.databases import mysql_server, sqlite_files
from demo.server import nova_api
from nova_profiler.record import RequestRecord
from nova_profiler.record.json_schema import schema_of
from tests.functional.log_files import records_in

pytestmark = pytest.mark.functional

CLIENTS = 16
REQUESTS = 5
INSTANCES = 10
SECRET = "a-token-that-must-not-be-kept"

LISTED = {"instance_get_all_by_filters_sort": 3}
DETAILED = {
    **LISTED,
    "instance_fault_get_by_instance_uuids": 2,
    "block_device_mapping_get_all_by_instance_uuids": 1,
}


class Run(NamedTuple):
    """One nova-api that was asked by 16 clients at once, and has ended."""

    directory: Path
    records: list[RequestRecord]

    def of(self, route: str) -> list[RequestRecord]:
        """Return the records of one route."""
        return [record for record in self.records if record.route == route]


@pytest.fixture(
    scope="module",
    params=[
        "threads-sqlite",
        "eventlet-sqlite",
        "uwsgi-sqlite",
        pytest.param("threads-mysql", marks=pytest.mark.services),
        pytest.param("eventlet-mysql", marks=pytest.mark.services),
        pytest.param("uwsgi-mysql", marks=pytest.mark.services),
    ],
)
def run(request: pytest.FixtureRequest) -> Run:
    """Return a run in one mode on one database."""
    mode, _, database = request.param.partition("-")
    directory = nova_api.new_directory(f"tests/{request.param}")
    if database == "mysql":
        server = request.getfixturevalue("mysql_server")
        urls = mysql_server.urls(server, INSTANCES, print)
    else:
        urls = sqlite_files.urls(directory, INSTANCES, print)
    profiler = {
        "log_file": str(directory / "requests.jsonl"),
        "dump_dir": str(directory / "dumps"),
        "dump_when": "all",
        "log_calls": "true",
    }
    token = identity.token(SECRET)
    with nova_api.running(directory, urls, mode, profiler, CLIENTS) as api:
        for path in ("/v2.1/servers", "/v2.1/servers/detail"):
            load.run(api.port, path, CLIENTS, REQUESTS, token=token)
    return Run(directory, records_in(directory / "requests.jsonl"))


def test_every_request_has_its_record(run: Run) -> None:
    """There are as many records as requests, each with an id of its own."""
    ids = {record.request_id for record in run.records}

    assert len(run.records) == 2 * CLIENTS * REQUESTS
    assert len(ids) == 2 * CLIENTS * REQUESTS


def test_every_line_and_dump_fits_the_schema(run: Run) -> None:
    """What a real nova-api wrote is what the JSON Schema describes."""
    lines = (run.directory / "requests.jsonl").read_text().splitlines()
    dumps = list((run.directory / "dumps").glob("2*/*.json"))

    for line in lines:
        Draft202012Validator(schema_of("record")).validate(json.loads(line))
    for dump in dumps:
        Draft202012Validator(schema_of("dump")).validate(
            json.loads(dump.read_text())
        )
    assert len(lines) == len(dumps) == 2 * CLIENTS * REQUESTS


def test_a_list_of_servers_calls_the_db_api_three_times(run: Run) -> None:
    """GET servers: cell0 once, two pages of cell1; in every request."""
    records = run.of("/v2.1/servers")

    assert len(records) == CLIENTS * REQUESTS
    assert [_db_api(record) for record in records] == [LISTED] * len(records)


def test_details_of_servers_call_the_db_api_six_times(run: Run) -> None:
    """GET servers/detail: also what runs in the threads of the cells."""
    records = run.of("/v2.1/servers/detail")

    assert len(records) == CLIENTS * REQUESTS
    assert [_db_api(record) for record in records] == [DETAILED] * len(records)


def test_every_request_of_a_route_has_the_same_statements(run: Run) -> None:
    """The statements of a request do not depend on those beside it."""
    for route in ("/v2.1/servers", "/v2.1/servers/detail"):
        statements = Counter(
            frozenset(_calls(record, "sql").items())
            for record in run.of(route)
        )
        # A process's first requests also look at the schema and the cells.
        _, usual = statements.most_common(1)[0]

        assert usual > CLIENTS * REQUESTS / 2, (route, statements)


def test_the_breakdown_adds_up_in_every_record(run: Run) -> None:
    """The buckets are the request's time, to a tenth of a millisecond."""
    gaps = [
        abs(sum(record.breakdown_ms.values()) - record.duration_ms)
        for record in run.records
    ]

    assert max(gaps) <= 0.1


def test_no_part_of_the_breakdown_is_negative(run: Run) -> None:
    """No bucket takes from another what was not there."""
    least = min(min(record.breakdown_ms.values()) for record in run.records)

    assert least >= 0


def test_the_driver_took_part_of_each_db_api_call(run: Run) -> None:
    """Of every DB API function some time, not all, is the driver's."""
    for record in run.records:
        for row in record.calls:
            if row.group == "db_api":
                assert row.driver_ms is not None
                assert 0 < row.driver_ms < row.ms


def test_cells_are_asked_by_workers_of_their_pool(run: Run) -> None:
    """Each piece of work for a cell waited for one of them, if not long."""
    for route in ("/v2.1/servers", "/v2.1/servers/detail"):
        pools = {
            tuple(_calls(record, "pool").items()) for record in run.of(route)
        }

        ((name, pieces),) = pools.pop()
        assert (name, pools) == ("cell_worker", set())
        assert pieces >= 2


def test_a_request_checks_policy_and_takes_locks(run: Run) -> None:
    """As often as the others of its route; locks also for what is made."""
    for route in ("/v2.1/servers", "/v2.1/servers/detail"):
        counts = [record.counts for record in run.of(route)]

        assert len({one["policy_checks"] for one in counts}) == 1
        assert min(one["locks"] for one in counts) >= 2


def test_a_record_knows_who_asked(run: Run) -> None:
    """User and project are those that the token stood for."""
    assert {record.user_id for record in run.records} == {identity.USER_ID}
    assert {record.project_id for record in run.records} == {
        identity.PROJECT_ID
    }


def test_no_token_is_in_any_file(run: Run) -> None:
    """Nothing that was written while nova-api ran has the token in it."""
    kept = [
        path
        for folder, _, names in os.walk(run.directory)
        for path in (Path(folder, name) for name in names)
        # The socket of a worker has no content.
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]

    assert kept == []


def _calls(record: RequestRecord, group: str) -> dict[str, int]:
    return {
        row.name: row.count - row.nested
        for row in record.calls
        if row.group == group
    }


def _db_api(record: RequestRecord) -> dict[str, int]:
    return _calls(record, "db_api")
