# SPDX-License-Identifier: Apache-2.0
"""Which tasks and periodic tasks are kept, and what becomes of the others."""

from __future__ import annotations

import concurrent.futures
import sys

import pytest
from fake_engines import FakeEngine
from imported import imported
from oslo_config import cfg
from oslo_context import context as oslo_context
from serving import Profiled, during, set_clock
from task_pools import WAIT_S, ExecutorType, Held, module_of

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.served.kinds import periodic_tasks, tasks

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"


class Sums:
    """A sink that has figures of what has no record."""

    name = "sums"

    def __init__(self):
        self.added = []

    def emit(self, record):
        """Have records elsewhere."""

    def add_up(self, kind, route, ms, wait_ms, lanes):
        names = [name for lane in lanes for _, name, _, _, _ in lane]
        self.added.append((kind, route, ms, wait_ms, names))


class Service:
    """A filter and a pool of one thread, which tasks outlive."""

    def __init__(self, monkeypatch, clock, **options):
        self.sums = Sums()
        self.profiled = Profiled(None, self.sums, **options)
        self.executor = concurrent.futures.ThreadPoolExecutor(1)
        self.clock = clock
        module = module_of(self.executor)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        self.module = module
        self.undos = [
            thread_spawns.install(),
            tasks.install(self.profiled.worker),
        ]
        set_clock(monkeypatch, clock)

    def serve(self, seconds, work=lambda: None, parent_s=0.0):
        """Serve a request of *parent_s*, and *seconds* of its task then."""
        held = Held(work)

        def ask():
            future = self.module.spawn_on(ExecutorType.LONG_TASK, held)
            held.wait()
            self.clock.advance(parent_s)
            return future

        futures = []
        self.profiled.filter._app = during(lambda: futures.append(ask()))
        self.profiled.get()
        self.clock.advance(seconds)
        held.let_go()
        concurrent.futures.wait(futures, WAIT_S)
        return [one for one in self.profiled.records if one.kind == "task"]

    def end(self):
        self.executor.shutdown()
        for undo in self.undos:
            undo()
        self.profiled.worker.undo()


@pytest.fixture
def service(monkeypatch, clock, tmp_path):
    """Return what makes a service with options; dumps have a folder."""
    made = []

    def make(**options):
        options = {"dump_dir": str(tmp_path), "slow_ms": 1000, **options}
        made.append(Service(monkeypatch, clock, **options))
        return made[0]

    yield make
    for one in made:
        one.end()


def fails():
    raise LookupError


def test_most_tasks_are_added_up_and_have_no_record(service):
    """By their pool and function, with their wait and their calls."""
    one = service()
    work = db_api_calls.timed(lambda: None, CallKey("db_api", "mark"))

    assert one.serve(0.5, work) == []
    assert one.sums.added == [
        ("task", "task LONG_TASK Held", pytest.approx(500), 0.0, ["mark"])
    ]


@pytest.mark.parametrize(
    ("seconds", "work", "options"),
    [
        (1.5, lambda: None, {}),
        (0.5, fails, {}),
        (0.5, lambda: None, {"dump_when": ("task:all",)}),
    ],
)
def test_what_is_slow_or_has_failed_is_kept(service, seconds, work, options):
    """Or what the options ask for."""
    one = service(**options)

    (record,) = one.serve(seconds, work)

    assert record.timeline is not None
    assert record.is_kept
    assert one.sums.added == []


def test_what_belongs_to_a_kept_request_is_kept(service):
    """So that the whole of it can be looked at."""
    one = service()

    (record,) = one.serve(0.1, parent_s=1.5)

    assert record.duration_ms == pytest.approx(1600)
    one.profiled.records.clear()
    assert one.serve(0.1, parent_s=0.5) == []


def test_with_no_destination_at_all_it_costs_nothing(service):
    """Then the lane ends with its parent, as it always did."""
    one = service(dump_dir=None, log_requests=False)
    one.profiled.worker.recorder.has_sinks = False
    one.profiled.worker.servings.clear()

    assert one.serve(5.0) == []
    assert one.sums.added == []


def test_where_threads_are_not_followed_tasks_are_not(service):
    """The option ``hooks`` has it out."""
    one = service(hooks=("db_api",))
    one.undos.pop()()

    before = one.module.spawn_on
    undo = tasks.install(one.profiled.worker)

    assert one.module.spawn_on is before
    undo()


def test_an_engine_watches_a_task_that_begins_on_its_own(monkeypatch):
    """Chosen by the id that the request has in all services."""
    engine = FakeEngine()
    profiled = Profiled(
        None,
        load=lambda name, note: engine,
        profiler="cprofile",
        profile_when=("rate",),
        profile_rate=1.0,
        log_requests=("task:all",),
    )
    executor = concurrent.futures.ThreadPoolExecutor(1)
    module = module_of(executor)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    undos = [thread_spawns.install(), tasks.install(profiled.worker)]
    busy = Held()
    executor.submit(busy)
    arguments = []
    futures = []

    def work():
        oslo_context.RequestContext(request_id=REQUEST_ID)
        futures.append(
            module.spawn_on(
                ExecutorType.DEFAULT,
                lambda one, two: arguments.append((one, two)),
                1,
                two=2,
            )
        )

    profiled.filter._app = during(work)
    profiled.get()
    busy.let_go()
    futures[0].result(WAIT_S)
    executor.shutdown()
    for undo in undos:
        undo()
    profiled.worker.undo()
    oslo_context._request_store.__dict__.clear()

    (record,) = [one for one in profiled.records if one.kind == "task"]
    assert record.profile["engine"] == engine.name
    assert record.profile["chosen_by"] == "rate"
    assert record.request_id == REQUEST_ID
    assert arguments == [(1, 2)]


def test_periodic_tasks_are_added_up_unless_they_are_slow(
    service, clock, monkeypatch
):
    """Or have failed."""
    oslo = imported("oslo_service.periodic_task")
    one = service()
    undo = periodic_tasks.install(one.profiled.worker)

    class Manager(oslo.PeriodicTasks):
        @oslo.periodic_task(run_immediately=True, spacing=60)
        def quick(self, context):
            clock.advance(0.5)

        @oslo.periodic_task(run_immediately=True, spacing=60)
        def slow(self, context):
            clock.advance(1.5)

        @oslo.periodic_task(run_immediately=True, spacing=60)
        def broken(self, context):
            raise LookupError

    Manager(cfg.ConfigOpts()).run_periodic_tasks(None)
    undo()

    routes = {record.route for record in one.profiled.records}
    assert routes == {"periodic Manager.slow", "periodic Manager.broken"}
    assert one.sums.added == [
        ("periodic", "periodic Manager.quick", pytest.approx(500), None, [])
    ]


def test_tasks_of_what_is_kept_are_few(service):
    """Beyond that they are added up, and counted."""
    one = service(dump_when=("request:all", "task:slow"))
    assert len(one.serve(0.1)) == 1
    one.profiled.records.clear()
    one.profiled.worker.parts.take = lambda: False

    assert one.serve(0.1) == []
    assert one.profiled.failures.counts() == {"parts_left_out": 1}
    assert [kind for kind, *_ in one.sums.added] == ["task"]
