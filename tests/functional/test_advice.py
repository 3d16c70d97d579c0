# SPDX-License-Identifier: Apache-2.0
"""The real nova-api waits for a slow neutron: the advice names it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.cli import main

pytestmark = pytest.mark.functional

NEUTRON_MS = 300
REQUESTS = 3
# servers/detail asks for ports, then for security groups.
ASKED = 2


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def directory(request: pytest.FixtureRequest) -> Path:
    """Return the files of a few requests for details of servers."""
    directory = nova_api.new_directory(f"tests/advice-{request.param}")
    urls = sqlite_files.urls(directory, 2, print)
    profiler = {
        "dump_dir": str(directory / "dumps"),
        "dump_when": "all",
        "log_file": str(directory / "requests.jsonl"),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEUTRON_MS", str(NEUTRON_MS))
        with nova_api.running(directory, urls, request.param, profiler) as api:
            for _ in range(REQUESTS):
                status, _ = api.request("GET", "/servers/detail")
                assert status == 200
    return directory


def test_the_first_advice_on_a_request_names_neutron(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the request that took longest, and what could be saved."""
    dumps = str(directory / "dumps")
    assert main(["show", "--last", "--json", "--dump-dir", dumps]) == 0
    record = json.loads(capsys.readouterr().out)

    first = record["advice"][0]

    assert first["rule"] == "slow_service"
    assert "waiting for neutron is the largest part" in first["text"]
    assert "network GET /v2.0/" in first["text"]
    # The line of nova that made the longest of its requests.
    assert re.search(r", from nova/network/\S+:\d+ \w+\)", first["text"])
    assert first["saves_at_most_ms"] >= ASKED * NEUTRON_MS
    assert first["saves_at_most_ms"] <= record["duration_ms"]


def test_that_one_waits_for_the_other_is_second(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two answers at once, one takes no time of its own."""
    dumps = str(directory / "dumps")
    assert main(["show", "--last", "--json", "--dump-dir", dumps]) == 0
    advice = json.loads(capsys.readouterr().out)["advice"]

    (row,) = (one for one in advice if one["rule"] == "requests_in_a_row")

    assert row["text"].startswith(
        "2 requests to neutron (GET /v2.0/ports, GET /v2.0/security-groups)"
    )
    assert NEUTRON_MS <= row["saves_at_most_ms"] < ASKED * NEUTRON_MS


@pytest.mark.parametrize("command", ["calls", "report"])
def test_so_does_the_advice_on_the_route(
    directory: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """From lines, which have no timeline."""
    assert main([command, str(directory / "requests.jsonl")]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    # The first request has much else to wait for: imports, connections.
    assert re.search(
        rf"in (?:each|\d) of {REQUESTS} requests waiting for neutron is the "
        rf"largest part",
        shown,
    )
