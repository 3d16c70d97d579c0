# SPDX-License-Identifier: Apache-2.0
"""Every statement is found in the record of the request that ran it."""

from __future__ import annotations

from collections import Counter

import pytest

from demo import load
from nova_profiler.record import RequestRecord
from tests.functional.log_files import records_in
from tests.functional.programs import marked_server
from tests.functional.programs.marked_app import CLIENTS

pytestmark = pytest.mark.functional

REQUESTS_PER_CLIENT = 313


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def records(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[RequestRecord]:
    """Return the records of all clients having asked side by side."""
    directory = tmp_path_factory.mktemp(f"marks-{request.param}")
    log_file = directory / "requests.jsonl"
    url = f"sqlite:///{directory / 'marks.sqlite'}"
    with marked_server.running(request.param, url, log_file) as port:
        _ask_side_by_side(port)
    return records_in(log_file)


def test_no_request_is_without_a_record(records: list[RequestRecord]) -> None:
    """Each request of each client has exactly one record."""
    asked = Counter(
        path for client in range(CLIENTS) for path in _paths(client)
    )

    assert Counter(record.path for record in records) == asked


@pytest.mark.parametrize(
    ("group", "name", "is_statement"),
    [
        ("sql", "SELECT marks_{:02}", True),
        ("db_api", "marks_{:02}", True),
        ("http", "marks-{:02}.example GET /v2.0/ports", False),
        ("rpc", "conductor marks_{:02} cast", False),
        ("process", "nova.privsep.marks_{:02}", False),
    ],
)
def test_no_call_is_missing_or_elsewhere(
    group: str, name: str, is_statement: bool, records: list[RequestRecord]
) -> None:
    """A record has its own client's calls, all and no others."""
    misplaced = [
        (record.path, found)
        for record in records
        if (found := _counts(record, group))
        != _expected(record, name, is_statement)
    ]

    assert misplaced == []


def _paths(client: int) -> list[str]:
    """Return what a client asks for: different requests, one by one."""
    return [
        f"/marks/{client}/{1 + number % 4}/{1 + (number + client) % 3}"
        for number in range(REQUESTS_PER_CLIENT)
    ]


def _ask_side_by_side(port: int) -> None:
    failures: list[Exception] = []

    def client(number: int) -> None:
        try:
            load.ask_each(port, _paths(number))
        except load.LoadError as exc:
            failures.append(exc)

    load.at_once(client, CLIENTS)

    assert failures == []


def _expected(
    record: RequestRecord, name: str, is_statement: bool
) -> dict[str, int]:
    """Return the calls of one name: for each statement, or each thread."""
    client, own, pool = (int(word) for word in record.path.split("/")[2:])
    return {name.format(client): own + 3 * pool if is_statement else 4}


def _counts(record: RequestRecord, group: str) -> dict[str, int]:
    return {row.name: row.count for row in record.calls if row.group == group}
