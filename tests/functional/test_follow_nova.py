# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler follow` over the logs of one real server create."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from places import ROOT

from demo.places import STATE
from demo.server import configuration
from nova_profiler.cli import main
from tests.functional import nova_suite

pytestmark = [pytest.mark.functional, pytest.mark.slow]

TEST = r"functional\.test_servers\.ServersTest\.test_create_and_delete_server"
SPAWN_MS = 1500
SERVICES = {"nova-api", "nova-compute", "nova-conductor"}
_CREATED = re.compile(
    r'\[None (req-[0-9a-f-]+) [^]]*\] \S+ "POST /v2\S*/servers" status: 202'
)


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def logs(request) -> Path:
    """Return a folder with the logs of three services, one slow to spawn."""
    work = STATE / "follow" / request.param
    shutil.rmtree(work, ignore_errors=True)
    (work / "logs").mkdir(parents=True)
    paste = configuration.with_profiler(
        configuration.nova_paste().read_text(), {"log_calls": "true"}
    )
    paste = re.sub(r"nova_profiler (?=\w)", "nova_profiler split_logs ", paste)
    paste += "\n".join(
        [
            "[filter:split_logs]",
            "paste.filter_factory = "
            "tests.functional.programs.split_logs:filter_factory",
            f"directory = {work / 'logs'}",
            f"spawn_s = {SPAWN_MS / 1000}",
            "",
        ]
    )
    (work / "api-paste.ini").write_text(paste)
    environment = nova_suite.environment(request.param, work / "api-paste.ini")
    ran = subprocess.run(
        [*nova_suite.stestr(), "run", "--concurrency", "1", TEST],
        cwd=work,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]
    return work / "logs"


def created_in(logs: Path) -> str:
    """Return the id of the request that created the server."""
    found = _CREATED.search((logs / "nova-api.log").read_text())
    assert found is not None
    return found[1]


def test_the_service_that_held_the_time_is_named(logs, capsys):
    """Compute was slow to spawn: that gap is the largest, and compute's."""
    assert main(["follow", created_in(logs), str(logs), "--json"]) == 0

    story = json.loads(capsys.readouterr().out)
    held = {one["holder"]: one["ms"] for one in story["held"]}
    gap = story["largest_gap"]
    assert held.keys() >= SERVICES
    assert story["held"][0]["holder"] == "nova-compute"
    assert gap["holder"] == "nova-compute"
    assert gap["ms"] >= SPAWN_MS
    assert "Start spawning" in story["rows"][gap["row"]]["text"]
    assert sum(held.values()) == pytest.approx(story["ms"], abs=0.1)
    assert story["clock_skews"] == []


def test_every_line_of_the_request_is_there(logs, capsys):
    """As many as grep finds, in the order of time, nova-api's first."""
    request_id = created_in(logs)
    expected = sum(
        request_id in line
        for path in logs.iterdir()
        for line in path.read_text().splitlines()
    )

    assert main(["follow", request_id[4:], str(logs), "--json"]) == 0

    story = json.loads(capsys.readouterr().out)
    rows = story["rows"]
    assert sum(len(row["lines"]) for row in rows) == expected
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert rows[0]["service"] == "nova-api"
    assert any(row["kind"] == "db" and row["calls"] > 1 for row in rows)


def test_the_page_says_so_at_its_end(logs, capsys):
    """Which service held the time is what is left on the screen."""
    assert main(["follow", created_in(logs), str(logs)]) == 0

    page = capsys.readouterr().out
    end = page[page.index("Which service held the time") :]
    assert re.search(r"service .*\n  nova-compute ", end)
    assert re.search(r"Largest gap: \d+\.\d ms in nova-compute", end)
