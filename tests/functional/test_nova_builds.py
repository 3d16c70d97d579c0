# SPDX-License-Identifier: Apache-2.0
"""What goes on in the real nova-compute when its message is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import PYTHONPATH, ROOT

from demo.server import configuration
from tests.functional import nova_suite

pytestmark = pytest.mark.functional

BUILD = (
    "task LONG_TASK ComputeManager.build_and_run_instance."
    "_locked_do_build_and_run_instance"
)
MIGRATION = "task LIVE_MIGRATION ComputeManager._do_live_migration"
SNAPSHOT = "task LONG_TASK ComputeManager.snapshot_instance."
# Which message has submitted which task.
PARENTS = {
    BUILD: "rpc compute build_and_run_instance",
    MIGRATION: "live_migration",
    f"{SNAPSHOT}do_snapshot_instance": "rpc compute snapshot_instance",
}


@pytest.fixture(scope="module", params=nova_suite.MODES)
def answer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Return what the program has recorded in one mode."""
    records: Path = tmp_path_factory.mktemp("builds") / "records.json"
    paste = configuration.nova_paste()
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "testtools.run"),
            "tests.functional.programs.nova_builds",
        ],
        cwd=ROOT,
        env={
            **nova_suite.environment(request.param, paste),
            "PYTHONPATH": PYTHONPATH,
            "RECORDS": str(records),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield json.loads(records.read_text())


def of_kind(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in answer["records"] if one["kind"] == kind]


def by_route(answer: dict[str, Any], route: str) -> list[dict[str, Any]]:
    return [one for one in answer["records"] if one["route"] == route]


def test_builds_migrations_and_snapshots_have_records(
    answer: dict[str, Any],
) -> None:
    """Each leads to its message, and has the ids of the API's request."""
    by_id = {one["record_id"]: one for one in answer["records"]}
    tasks = {one["route"]: one for one in of_kind(answer, "task")}

    assert set(tasks) >= set(PARENTS)
    for route, submitted_by in PARENTS.items():
        task = tasks[route]
        parent = by_id[task["parent_id"]]
        assert parent["kind"] == "message"
        assert parent["route"].endswith(submitted_by)
        assert task["request_id"] == parent["request_id"]
        assert task["project_id"] == parent["project_id"]
        assert task["sent_at"] >= parent["started_at"]
        assert task["wait_ms"] >= 0
        assert task["outcome"] == "ok"


def test_a_task_has_its_own_calls(answer: dict[str, Any]) -> None:
    """A message that only submits it has next to none."""
    (build,) = (
        one for one in of_kind(answer, "task") if one["route"] == BUILD
    )

    assert build["groups"]["db_api"]["calls"] > 10
    assert build["groups"]["sql"]["calls"] > 10
    names = {one["name"] for one in build["calls"]}
    assert "network_info" in names
    assert sum(build["breakdown_ms"].values()) == pytest.approx(
        build["duration_ms"], abs=0.1
    )


def test_what_a_task_sends_leads_to_the_task(answer: dict[str, Any]) -> None:
    """A live migration asks the other compute, which serves messages.

    What it sends before its own message is answered leads to that.
    """
    (task,) = by_route(answer, MIGRATION)

    parents = {
        one["route"].rpartition(" ")[2]: one.get("parent_id")
        for one in of_kind(answer, "message")
    }
    assert parents["pre_live_migration"] in (
        task["record_id"],
        task["parent_id"],
    )
    # That is more than a hundred milliseconds later.
    later = parents["post_live_migration_at_destination"]
    assert later == task["record_id"]


def test_periodic_tasks_have_records(answer: dict[str, Any]) -> None:
    """By the class of the manager; a round has one id."""
    periodic = of_kind(answer, "periodic")

    assert periodic
    assert {one["route"].partition(".")[0] for one in periodic} == {
        "periodic ComputeManager"
    }
    assert len({one["request_id"] for one in periodic}) == 1


def test_all_that_is_hooked_is_in_this_nova(answer: dict[str, Any]) -> None:
    """And nothing of ours has failed."""
    assert answer["missing"] == []
    assert answer["failures"] == {}
