# SPDX-License-Identifier: Apache-2.0
"""Some of nova's own functional tests, with nova-profiler and without."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from nova_profiler.record import RequestRecord
from tests.functional import nova_suite

pytestmark = [pytest.mark.functional, pytest.mark.slow]

# Few enough for every run; `make nova-functional` has many more.
REGEX = (
    r"functional\.test_servers\.(ServersTest\."
    r"(test_create_and_rebuild_server|test_create_server_with_error"
    r"|test_create_multiple_servers|test_get_servers|test_server_metadata)"
    r"|ServerMovingTests\.test_live_migrate$)"
    r"|functional\.test_multiattach\."
)
WITH_STACKS = (
    r"functional\.test_servers\.ServersTest\."
    r"(test_create_and_rebuild_server|test_server_metadata)"
)

DATABASE = {"db_api", "sql", "fetch", "transaction"}
# By title: groups that some record of it has, and names of what it sends,
# without ids. In most of these tests a cast waits, as a call does: those of
# the live migration are casts. Neutron, glance and cinder are stand-ins in
# place of nova's clients, which send no HTTP: test_demo_cloud has theirs.
SENT: dict[str, tuple[set[str], set[str]]] = {
    "POST /v2.1/servers": (
        DATABASE | {"rpc_serialise", "pool"},
        {"rpc conductor schedule_and_build_instances cast"},
    ),
    "POST /v2/servers/{id}/action rebuild": (
        DATABASE | {"rpc_serialise"},
        {"rpc conductor rebuild_instance"},
    ),
    "POST /v2.1/servers/{id}/action os-migrateLive": (
        DATABASE | {"rpc_serialise"},
        {"rpc conductor live_migrate_instance cast"},
    ),
    "POST /v2.1/servers/{server_id}/os-volume_attachments": (
        DATABASE | {"rpc_serialise"},
        {"rpc conductor attach_volume"},
    ),
    "CALL rpc conductor attach_volume": (
        DATABASE | {"rpc_serialise"},
        {
            "rpc compute reserve_block_device_name",
            "rpc compute attach_volume",
        },
    ),
    "CALL rpc scheduler select_destinations": (
        DATABASE,
        {
            "http GET /placement/allocation_candidates",
            "http PUT /placement/allocations/{id}",
        },
    ),
    "CAST rpc conductor schedule_and_build_instances": (
        DATABASE | {"rpc_serialise"},
        {
            "rpc scheduler select_destinations",
            "rpc compute build_and_run_instance cast",
        },
    ),
    "CAST rpc conductor live_migrate_instance": (
        DATABASE | {"rpc_serialise"},
        {
            "http GET /placement/allocations/{id}",
            "http POST /placement/allocations",
            "rpc scheduler select_destinations",
            "rpc compute check_can_live_migrate_destination",
            "rpc compute-alt live_migration cast",
        },
    ),
    "task LIVE_MIGRATION ComputeManager._do_live_migration": (
        DATABASE,
        {
            "http PUT /placement/allocations/{id}",
            "rpc compute-alt pre_live_migration",
            "rpc compute-alt post_live_migration_at_destination",
        },
    ),
    "task LONG_TASK ComputeManager.build_and_run_instance."
    "_locked_do_build_and_run_instance": (
        DATABASE | {"event"},
        {
            "http GET /placement/allocations/{id}",
            "event network_info",
            "rpc scheduler update_instance_info",
        },
    ),
}


class Ran(NamedTuple):
    """How nova's tests ended, and what was recorded meanwhile."""

    outcome: nova_suite.Outcome
    records: list[RequestRecord]


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def mode(request: pytest.FixtureRequest) -> str:
    """Return one of the two ways in which nova runs its threads."""
    return str(request.param)


@pytest.fixture(scope="module")
def without(mode: str) -> nova_suite.Outcome:
    """Return how nova's tests end without the filter."""
    return nova_suite.run(mode, nova_suite.BARE, REGEX)


@pytest.fixture(scope="module")
def ran(mode: str) -> Ran:
    """Return how they end with filter and driver, and all records."""
    outcome = nova_suite.run(mode, "none", REGEX)
    return Ran(outcome, list(nova_suite.records(mode, "none")))


def test_novas_own_tests_pass_as_without_the_filter(
    without: nova_suite.Outcome, ran: Ran
) -> None:
    """The same of nova's tests pass.

    The filter did see requests, and the driver messages and tasks.
    """
    assert without.passed
    assert ran.outcome.passed == without.passed
    assert ran.outcome.failed == without.failed
    assert ran.outcome.records > 0
    assert ran.outcome.messages > 0
    assert ran.outcome.tasks > 0


@pytest.mark.parametrize("title", SENT)
def test_what_they_wait_for_is_in_the_records(ran: Ran, title: str) -> None:
    """Placement by HTTP, calls and casts, the database, events."""
    found = [one for one in ran.records if _title_of(one) == title]
    groups, names = SENT[title]

    assert {name for one in found for name in one.groups} >= groups
    assert {name for one in found for name in _sent(one)} >= names


def test_locks_are_counted_whether_they_were_free_or_not(ran: Ran) -> None:
    """Who waits for one depends on who is quicker."""
    title = "task LIVE_MIGRATION ComputeManager._do_live_migration"
    found = [one for one in ran.records if _title_of(one) == title]

    assert found
    assert all(one.counts["locks"] > 0 for one in found)


def test_each_moment_of_them_has_one_part(ran: Ran) -> None:
    """Parts add up to the whole; calls and lanes are all there."""
    for record in ran.records:
        assert sum(record.breakdown_ms.values()) == pytest.approx(
            record.duration_ms, abs=0.1
        )
        assert not record.counts.get("lanes_missing")


@pytest.mark.parametrize("profiler", ["stacks", "pyinstrument"])
def test_they_pass_with_the_stacks_of_every_request(
    mode: str, profiler: str, without: nova_suite.Outcome
) -> None:
    """Fewer of them: each engine starts nova's services once more."""
    with_stacks = nova_suite.run(mode, profiler, WITH_STACKS)

    assert with_stacks.passed
    assert with_stacks.passed == {
        test for test in without.passed if re.search(WITH_STACKS, test)
    }
    assert not with_stacks.failed
    assert with_stacks.stacks > 0


def _title_of(record: RequestRecord) -> str:
    """Return method, route and action; a task's route has its method."""
    words = [record.method, record.route, record.action or ""]
    return " ".join(words[1:] if record.kind == "task" else words).strip()


def _sent(record: RequestRecord) -> set[str]:
    """Return the names of calls; of HTTP without the stand-in's host."""
    return {
        f"{call.group} {call.name.partition(' ')[2]}"
        if call.group == "http"
        else f"{call.group} {call.name}"
        for call in record.calls
    }
