# SPDX-License-Identifier: Apache-2.0
"""Stacks of the real nova-api: for which requests, and what is in them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from places import ROOT

from demo import identity
from demo.databases import sqlite_files
from demo.server import nova_api

pytestmark = pytest.mark.functional

KEY = "0123456789abcdef0123456789abcdef"
DETAIL = "/servers/detail"
SERVERS = "nova/api/openstack/compute/servers.py"


class Dump(NamedTuple):
    """A dump, and the text of its stacks; empty without any."""

    record: dict[str, Any]
    stacks: bytes

    @property
    def chosen_by(self) -> str | None:
        """Return why this request was profiled."""
        profile = self.record["profile"] or {}
        return profile.get("chosen_by")


@pytest.fixture(
    scope="module",
    params=[
        "pyinstrument-threads",
        "pyinstrument-eventlet",
        "pyinstrument-uwsgi",
        "cprofile-threads",
        "cprofile-eventlet",
    ],
)
def dumps(request: pytest.FixtureRequest) -> list[Dump]:
    """Return the dumps of an engine that is armed and signed for.

    Every request is slow, on purpose. A list of servers is asked for five
    times; then the flavors, with a trigger that is good and one that is not.
    """
    engine, _, mode = request.param.partition("-")
    directory = nova_api.new_directory(f"tests/stacks-{request.param}")
    urls = sqlite_files.urls(directory, 10, print)
    profiler = {
        "profiler": engine,
        "profiler_interval_ms": "1",
        "profile_keys": KEY,
        "slow_ms": "1",
        "dump_dir": str(directory / "dumps"),
    }
    with nova_api.running(directory, urls, mode, profiler, 1) as api:
        for _ in range(5):
            assert api.request("GET", DETAIL)[0] == 200
        _ask_signed(api.port, "/v2.1/flavors", "/v2.1/flavors")
        _ask_signed(api.port, "/v2.1/servers", "/v2.1/os-keypairs")
    return _dumps_in(directory / "dumps")


def test_a_slow_route_arms_itself(dumps: list[Dump]) -> None:
    """The second slow call has its stacks, without a change of options."""
    detailed = [d for d in dumps if d.record["path"] == f"/v2.1{DETAIL}"]

    assert [d.chosen_by for d in detailed] == [
        *(None, "armed", "armed", "armed", None)
    ]
    for dump in detailed[1:4]:
        assert SERVERS.encode() in dump.stacks


def test_a_signed_request_has_its_stacks(dumps: list[Dump]) -> None:
    """By the header that the command prints."""
    (signed,) = [d for d in dumps if d.record["path"] == "/v2.1/flavors"]

    assert signed.chosen_by == "signed"
    assert b"flavors.py" in signed.stacks


def test_a_trigger_for_another_request_is_refused(dumps: list[Dump]) -> None:
    """The request is served like any other."""
    (refused,) = [d for d in dumps if d.record["path"] == "/v2.1/os-keypairs"]

    assert refused.record["status"] == 200
    assert refused.chosen_by is None


def _ask_signed(port: int, signed: str, asked: str) -> None:
    """Ask for a path with a header that was signed for *signed*."""
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("nova-profiler")), "sign"),
            *("GET", signed, "--key", KEY, "--json"),
        ],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    headers = json.loads(done.stdout)["headers"]
    connection = http.client.HTTPConnection("127.0.0.1", port, 60)
    try:
        headers["X-Auth-Token"] = identity.token()
        connection.request("GET", asked, headers=headers)
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    finally:
        connection.close()


def _dumps_in(directory: Path) -> list[Dump]:
    """Return the dumps in the order of their requests."""
    found = []
    for path in sorted(directory.glob("*/*.json")):
        record = json.loads(path.read_bytes())
        name = (record["profile"] or {}).get("file")
        stacks = path.with_name(name).read_bytes() if name else b""
        found.append(Dump(record, stacks))
    return found
