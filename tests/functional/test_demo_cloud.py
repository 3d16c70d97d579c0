# SPDX-License-Identifier: Apache-2.0
"""``make demo-cloud`` with few servers: nova's services over one request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from places import ROOT
from services import missing

from demo.cloud import broker
from demo.places import STATE
from nova_profiler.reading.over_services.relations.links import BY_CALL

pytestmark = [
    pytest.mark.functional,
    pytest.mark.services,
    pytest.mark.slow,
]

SERVERS = 4
SERVICES = {
    "nova-api",
    "nova-compute",
    "nova-conductor",
    "nova-scheduler",
    "placement",
}
# What each of them asks others by HTTP.
ASKED = {
    "nova-api": {"network GET /v2.0/networks", "image GET /v2/images/{id}"},
    "nova-scheduler": {
        "placement GET /allocation_candidates",
        "placement PUT /allocations/{id}",
    },
    "nova-compute": {
        "network POST /v2.0/ports",
        "network GET /v2.0/subnets",
        "image GET /v2/images/{id}",
        "placement GET /allocations/{id}",
    },
}
NAME = f"cloud-of-tests-{os.getpid()}"
LONGEST_S = 540
# As a run leaves it that was killed.
LEFT_OVER = f"nova_profiler_cloud_run_{os.getpid():08x}_api"


class Ran(NamedTuple):
    """What a run printed, and where its records are."""

    output: str
    dumps: Path
    databases: list[str]

    def of(self, pattern: str) -> list[Path]:
        """Return the dumps whose names have *pattern*."""
        return sorted(self.dumps.rglob(f"*{pattern}*.json"))


def _demo(
    name: str, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo.cloud", "--state", name, *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@pytest.fixture(scope="module")
def ran(mysql_server: str) -> Iterator[Ran]:
    """Run the demo once, for all tests."""
    reason = broker.missing()
    if reason is not None:
        missing(reason)
    engine = sa.create_engine(mysql_server)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {LEFT_OVER}")
    done = _demo(
        NAME,
        *("--servers", str(SERVERS), "--clients", "2"),
        *("--neutron-ms", "30", "--glance-ms", "300"),
        MYSQL_URL=mysql_server,
    )
    assert done.returncode == 0, done.stdout
    with engine.connect() as connection:
        names = sa.inspect(connection).get_schema_names()
    yield Ran(done.stdout, STATE / NAME / "dumps", names)
    shutil.rmtree(STATE / NAME)


def _show(ran: Ran, dump: Path, *words: str) -> str:
    """Return what ``show`` prints of the request of *dump*."""
    request_id = json.loads(dump.read_text())["request_id"]
    program = Path(sys.executable).with_name("nova-profiler")
    places = ("--dump-dir", str(ran.dumps))
    return subprocess.run(
        [program, "show", request_id, *words, *places],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _picture(ran: Ran, dump: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_show(ran, dump, "--json"))
    return found


def test_it_ends_with_the_slowest_create(ran):
    """The waterfall, the critical path in one sentence, and commands."""
    waterfall = ran.output.index("Until all was done")
    sentence = ran.output.index("The slowest create was answered after")
    commands = ran.output.index("read on")

    assert waterfall < sentence < commands
    assert "create   4 servers" in ran.output
    for service in SERVICES:
        assert service in ran.output[waterfall:sentence]


def test_each_create_is_one_picture_over_all_services(ran):
    """Each message and task has the parent that sent it."""
    creates = ran.of("POST-v2_1_servers-")
    assert len(creates) == SERVERS
    for create in creates:
        picture = _picture(ran, create)

        records = picture["records"]
        assert {one["service"] for one in records} == SERVICES
        for one in records:
            if one["kind"] in ("message", "task"):
                assert one["parent_by"] in _ways_to_know(records, one)
                assert one["doubt"] is None
        shares = picture["until_done"]["shares"]
        assert sum(one["share"] for one in shares) == pytest.approx(
            1, abs=0.01
        )
        assert picture["until_done"]["ms"] > picture["until_answer"]["ms"]


def _ways_to_know(
    records: list[dict[str, Any]], one: dict[str, Any]
) -> set[str]:
    """Return how the parent of *one* may be known.

    A task that is quicker than the end of its parent sends with its parent's
    id, and has the call.
    """
    if records[one["parent"]]["kind"] == "task" and one["kind"] == "message":
        return {"id", BY_CALL}
    return {"id"}


def test_the_build_goes_on_in_a_task_of_nova_compute(ran):
    """It is submitted by a message that ends at once."""
    tasks = [json.loads(path.read_text()) for path in ran.of("build_and_run")]

    assert len([one for one in tasks if one["kind"] == "task"]) == SERVERS
    assert {one["service"] for one in tasks} == {"nova-compute"}
    assert {one["outcome"] for one in tasks} == {"ok"}


def test_what_is_asked_by_http_has_its_service_and_route(ran):
    """Neutron, glance and placement, by each service that asks them."""
    found: dict[str, set[str]] = {service: set() for service in SERVICES}
    for path in ran.dumps.rglob("*.json"):
        record = json.loads(path.read_text())
        found[record["service"]] |= {
            call["name"] for call in record["calls"] if call["group"] == "http"
        }

    for service, names in ASKED.items():
        assert found[service] >= names


def test_a_rebuild_that_is_slow_before_its_cast_is_so_in_three_lines(ran):
    """nova-api itself waits for glance, before anything is sent on."""
    rebuilds = [
        path
        for path in ran.of("POST-v2_1_servers_id_action-")
        if json.loads(path.read_text())["action"] == "rebuild"
    ]

    assert len(rebuilds) == SERVERS
    for rebuild in rebuilds:
        first = " ".join(_show(ran, rebuild).splitlines()[:3])
        assert "rebuild 202" in first
        assert "nova-api" in first
        assert "before casting rebuild_instance" in first


def test_rebuilds_and_deletes_are_there_too(ran):
    """Each with messages of its own in nova-compute."""
    for method in ("rebuild_instance", "terminate_instance"):
        records = ran.of(f"CAST-rpc_compute_{method}")

        assert len(records) == SERVERS, method


def test_nothing_is_left_but_the_records(ran):
    """No process, no file."""
    left = [path.name for path in (STATE / NAME).iterdir()]
    running = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if NAME in _command_line(path)
    ]

    assert left == ["dumps"]
    assert running == []


def test_what_a_killed_run_has_left_goes_with_the_next(ran):
    """Its databases; the schemas that runs copy stay."""
    assert LEFT_OVER not in ran.databases
    assert "nova_profiler_cloud_template_cell" in ran.databases


def _command_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        # It has ended meanwhile.
        return ""


def test_without_a_database_server_it_says_what_to_install():
    """In one line, before anything is started."""
    name = f"{NAME}-not"
    done = _demo(name, MYSQL_URL="mysql+pymysql://root@127.0.0.1:1")

    shutil.rmtree(STATE / name)
    assert done.returncode == 2
    line = done.stdout.splitlines()[-1]
    assert "apt-get install mariadb-server" in line
    assert "MYSQL_URL" in line
