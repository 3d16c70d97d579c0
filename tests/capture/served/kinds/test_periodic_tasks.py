# SPDX-License-Identifier: Apache-2.0
"""Each periodic task that is due has a record; oslo.service sees no change."""

from __future__ import annotations

import pytest
from imported import imported
from oslo_config import cfg
from oslo_context import context as oslo_context
from serving import Profiled, calls_of, during
from task_pools import ALL_KINDS

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.served.kinds import periodic_tasks
from nova_profiler.record.record_ids import RECORD_ID

oslo = imported("oslo_service.periodic_task")

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"


def manager_class():
    """Return a class of its own: oslo.service keeps tasks in classes."""

    class Manager(oslo.PeriodicTasks):
        ran = ()

        @oslo.periodic_task(spacing=60, run_immediately=True)
        def _heal(self, context):
            self.ran += ("heal",)
            db_api_calls.timed(lambda: 1, CallKey("db_api", "heal"))()

        @oslo.periodic_task(spacing=60, run_immediately=True)
        def _sync(self, context):
            self.ran += ("sync",)
            raise LookupError("hunter2")

        @oslo.periodic_task(spacing=600)
        def _later(self, context):
            raise AssertionError("it is not due")

    return Manager


@pytest.fixture
def profiled():
    """Return a worker that makes records of periodic tasks."""
    made = Profiled(None, log_requests=ALL_KINDS)
    undo = periodic_tasks.install(made.worker)
    yield made
    undo()
    made.worker.undo()
    assert not active


@pytest.fixture
def manager():
    return manager_class()(cfg.ConfigOpts())


@pytest.fixture
def context():
    return oslo_context.RequestContext(
        request_id=REQUEST_ID, auth_token="hunter2", overwrite=False
    )


def test_each_that_is_due_has_a_record(profiled, manager, context):
    """By the class of the object; what is not due has none."""
    manager.run_periodic_tasks(context)

    heal, sync = sorted(profiled.records, key=lambda one: one.route)
    assert heal.route == "periodic Manager._heal"
    assert (heal.kind, heal.outcome) == ("periodic", "ok")
    assert heal.request_id == REQUEST_ID
    assert calls_of(heal, "db_api")["heal"].count == 1
    assert RECORD_ID.fullmatch(heal.record_id)
    assert heal.parent_id is None
    assert heal.wait_ms is None
    assert sync.route == "periodic Manager._sync"
    assert "hunter2" not in str([heal.to_dict(), sync.to_dict()])


def test_a_failure_is_in_the_record_though_it_is_swallowed(
    profiled, manager, context
):
    """oslo.service logs it, and runs the next one."""
    manager.run_periodic_tasks(context)

    failed = [one for one in profiled.records if one.outcome == "failed"]
    assert [(one.route, one.error) for one in failed] == [
        ("periodic Manager._sync", "LookupError")
    ]
    assert sorted(manager.ran) == ["heal", "sync"]


def test_a_failure_that_is_to_pass_does(profiled, manager, context):
    with pytest.raises(LookupError, match="hunter2"):
        manager.run_periodic_tasks(context, raise_on_error=True)


def test_the_class_and_the_object_are_as_they_were(profiled, manager, context):
    """Also while they run: tasks keep what oslo.service notes on them."""
    before = list(type(manager)._periodic_tasks)
    seen = []

    @oslo.periodic_task(spacing=60, run_immediately=True)
    def look(self, context):
        seen.extend(self._periodic_tasks)

    manager.add_periodic_task(look)
    manager.run_periodic_tasks(context)

    assert type(manager)._periodic_tasks == [*before, ("look", look)]
    assert "_periodic_tasks" not in vars(manager)
    for (name, wrapped), (own_name, task) in zip(
        seen, type(manager)._periodic_tasks, strict=True
    ):
        assert name == own_name
        assert wrapped.__wrapped__ is task
        assert vars(task).items() <= vars(wrapped).items()


def test_how_long_until_the_next_is_the_same(profiled, context, monkeypatch):
    """oslo.service decides what is due, and when."""
    monkeypatch.setattr(oslo, "now", lambda: 1000.0)
    monkeypatch.setattr(oslo.random, "random", lambda: 0.0)
    managers = [manager_class()(cfg.ConfigOpts()) for _ in range(2)]

    with_records = managers[0].run_periodic_tasks(context)
    profiled.live.current = profiled.live.current.__class__(enabled=False)
    without = managers[1].run_periodic_tasks(context)

    assert with_records == without
    assert managers[0]._periodic_last_run == managers[1]._periodic_last_run
    assert len(profiled.records) == 2


def test_a_worker_that_is_not_to_know_of_threads_has_no_records():
    """They are a part of that hook."""
    made = Profiled(None, log_requests=ALL_KINDS, hooks=("sqlalchemy",))
    found = oslo.PeriodicTasks.run_periodic_tasks
    undo = periodic_tasks.install(made.worker)

    assert oslo.PeriodicTasks.run_periodic_tasks is found
    undo()
    made.worker.undo()


def test_switched_off_there_are_no_records(profiled, manager, context):
    profiled.live.current = profiled.live.current.__class__(enabled=False)

    manager.run_periodic_tasks(context)

    assert profiled.records == []
    assert sorted(manager.ran) == ["heal", "sync"]


def test_within_a_request_they_are_part_of_it(profiled, manager, context):
    """A record in a record would count twice."""
    profiled.filter._app = during(lambda: manager.run_periodic_tasks(context))

    profiled.get()

    (record,) = profiled.records
    assert record.kind == "request"
    assert calls_of(record, "db_api")["heal"].count == 1


def test_a_task_may_run_the_tasks_of_another_object(
    profiled, context, manager
):
    """Then these are part of it, and no list is left over."""
    inner = manager_class()(cfg.ConfigOpts())

    @oslo.periodic_task(spacing=60, run_immediately=True)
    def outer(self, context):
        inner.run_periodic_tasks(context)
        manager.run_periodic_tasks(context)

    manager.add_periodic_task(outer)
    manager.run_periodic_tasks(context)

    assert len(profiled.records) == 3
    assert "_periodic_tasks" not in {*vars(manager), *vars(inner)}


def test_an_object_that_cannot_have_a_list_runs_its_tasks(profiled, context):
    """The fault is ours and is counted."""

    class Slotted:
        __slots__ = ()
        run_periodic_tasks = periodic_tasks._recorded(
            lambda self, context: "ran"
        )

    before = HOOK_FAILURES.counts().get("periodic_hook", 0)

    assert Slotted().run_periodic_tasks(context) == "ran"
    assert HOOK_FAILURES.counts()["periodic_hook"] == before + 1


def test_nothing_is_left_in_the_thread(profiled, manager, context):
    manager.run_periodic_tasks(context)

    assert current_lane() is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_undo_puts_everything_back(order, manager, context):
    """Installed twice, undone in any order."""
    before = oslo.PeriodicTasks.run_periodic_tasks
    several = [
        Profiled(None, log_requests=ALL_KINDS),
        Profiled(None, log_requests=ALL_KINDS),
    ]
    undos = [periodic_tasks.install(one.worker) for one in several]

    undos[order[0]]()
    undos[order[0]]()
    manager.run_periodic_tasks(context)
    undos[order[1]]()

    assert oslo.PeriodicTasks.run_periodic_tasks is before
    assert [len(several[place].records) for place in order] == [0, 2]
