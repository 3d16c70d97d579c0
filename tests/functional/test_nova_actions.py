# SPDX-License-Identifier: Apache-2.0
"""The record of a request that does something to a server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from demo.databases import sqlite_files
from demo.server import nova_api
from tests.functional.log_files import records_in

pytestmark = pytest.mark.functional


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def api(request: pytest.FixtureRequest) -> Iterator[nova_api.NovaApi]:
    """Return a nova-api with one server."""
    directory = nova_api.new_directory(f"tests/actions-{request.param}")
    urls = sqlite_files.urls(directory, 1, print)
    profiler = {"log_file": str(directory / "requests.jsonl")}
    with nova_api.running(directory, urls, request.param, profiler) as api:
        yield api


def test_a_reboot_has_its_action_and_calls(api: nova_api.NovaApi) -> None:
    """The action is named, the server's id is not in the route."""
    _, answer = api.request("GET", "/servers")
    server = json.loads(answer)["servers"][0]["id"]
    path = f"/servers/{server}/action"

    status, _ = api.request("POST", path, '{"reboot": {"type": "SOFT"}}')

    (record,) = _records_of(api, path)
    assert (status, record.status) == (202, 202)
    assert record.route == "/v2.1/servers/{id}/action"
    assert record.action == "reboot"
    assert {row.name for row in record.calls if row.group == "db_api"} == {
        "action_start",
        "instance_extra_update_by_uuid",
        "instance_get_by_uuid",
        "instance_update_and_get_original",
    }


def test_what_nova_does_not_know_is_unmatched(api: nova_api.NovaApi) -> None:
    """A URL without a route gets one name, whatever it is."""
    status, _ = api.request("GET", "/no-such-thing/7")

    (record,) = _records_of(api, "/no-such-thing/7")
    assert (status, record.status) == (404, 404)
    assert record.route == "unmatched"


def test_a_refused_token_has_a_record_too(api: nova_api.NovaApi) -> None:
    """The filter is outermost: it sees what keystone's filter refuses."""
    status, _ = api.request("GET", "/flavors", token="refused")

    (record,) = _records_of(api, "/flavors")
    assert (status, record.status) == (401, 401)
    assert record.user_id is None


def _records_of(api: nova_api.NovaApi, path: str) -> list:
    return [
        record
        for record in records_in(api.directory / "requests.jsonl")
        if record.path == f"/v2.1{path}"
    ]
