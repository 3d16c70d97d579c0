# SPDX-License-Identifier: Apache-2.0
"""Tasks and periodic tasks of the real nova, with threads and eventlet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from places import PYTHONPATH, ROOT

pytestmark = pytest.mark.functional

MODES = {"threads": "true", "eventlet": "false"}


def callables_of_manual() -> list[str]:
    """Return what the manual names for libvirt and the data of images."""
    text = Path(ROOT, "doc/source/tasks.rst").read_text()
    option = text.partition("timed_callables = ")[2].partition("\n\n")[0]
    return [name.strip() for name in option.split(",")]


@pytest.fixture(scope="module", params=MODES)
def answer(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the program says of its records."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore"),
            *("-m", "tests.functional.programs.nova_tasks"),
            *callables_of_manual(),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": PYTHONPATH,
            "OS_NOVA_DISABLE_EVENTLET_PATCHING": MODES[request.param],
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["is_green"] == (request.param == "eventlet")
    return found


def by_route(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the records that are not of requests."""
    return {
        one["route"]: one
        for one in answer["records"]
        if one["kind"] != "request"
    }


def test_what_goes_on_after_its_parent_has_a_record(
    answer: dict[str, Any],
) -> None:
    """By nova's own names of its pools and of the functions."""
    assert [one["kind"] for one in answer["records"]].count("request") == 2
    assert set(by_route(answer)) == {
        "task LONG_TASK Manager.build",
        "task DEFAULT Event.set",
        "task SYNC_POWER Manager._sync",
        "periodic Manager._heal",
        "periodic Manager._fails",
    }


def test_each_has_its_parent_and_the_ids_of_that(
    answer: dict[str, Any],
) -> None:
    """Those of a round of periodic tasks are that round's."""
    first, second = (
        one for one in answer["records"] if one["kind"] == "request"
    )
    found = by_route(answer)
    build = found["task LONG_TASK Manager.build"]
    sync = found["task SYNC_POWER Manager._sync"]
    heal = found["periodic Manager._heal"]

    assert build["parent_id"] == first["record_id"]
    assert build["request_id"] == first["request_id"]
    assert (build["user_id"], build["project_id"]) == ("user", "project")
    assert found["task DEFAULT Event.set"]["parent_id"] == second["record_id"]
    assert sync["parent_id"] == heal["record_id"]
    assert sync["request_id"] == heal["request_id"]
    assert heal["request_id"] != first["request_id"]


def test_a_request_has_waited_for_networks_and_not_for_the_build(
    answer: dict[str, Any],
) -> None:
    """nova asks neutron for them ahead, by a task of its own."""
    first = answer["records"][0]
    build = by_route(answer)["task LONG_TASK Manager.build"]

    assert first["groups"]["event"]["ms"] >= 50
    assert [one["name"] for one in first["calls"]].count("network_info") == 1
    assert first["counts"]["unfinished_work"] == 1
    # It goes on until the delay of another request's task is over.
    assert build["duration_ms"] > first["duration_ms"]
    assert sum(build["breakdown_ms"].values()) == pytest.approx(
        build["duration_ms"], abs=0.1
    )


def test_a_failure_that_nova_logs_is_in_the_record(
    answer: dict[str, Any],
) -> None:
    """oslo.service goes on with the next task."""
    failed = by_route(answer)["periodic Manager._fails"]

    assert (failed["outcome"], failed["error"]) == ("failed", "LookupError")


def test_all_that_is_hooked_is_in_this_nova(answer: dict[str, Any]) -> None:
    """With all that the manual names; and nothing of ours has failed."""
    assert len(callables_of_manual()) == 5
    assert answer["missing"] == []
    assert answer["failures"] == {}
