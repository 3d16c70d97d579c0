# SPDX-License-Identifier: Apache-2.0
"""A fault at any instruction that a task passes changes nothing of nova's."""

from __future__ import annotations

import concurrent.futures
import sys

import pytest
from imported import imported
from injection import Served, faults_of, places_of
from oslo_config import cfg
from serving import PLAIN
from task_pools import WAIT_S, ExecutorType, Held, module_of

from nova_profiler.capture.hooks import pool_waits
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.served.kinds import periodic_tasks, tasks

# The package's own code is the same on all of them.
pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from 3.12 on tracing misses instructions",
)


class RefusedError(Exception):
    """What the tasks raise."""


def requests_in(records):
    return [one for one in records if one.kind == "request"]


class Tasks(Served):
    """A request whose tasks end before it, span its end, and begin then."""

    def __init__(self, module, **options):
        self._module = module
        self._going_on = []
        super().__init__(self._app_of_tasks, **options)

    def _app_of_tasks(self, environ, start_response):
        seen = environ["test.seen"]

        def spawn(function):
            # Looked up now, as nova does.
            return self._module.spawn_on(ExecutorType.LONG_TASK, function)

        def fails():
            seen.append("failing")
            raise RefusedError("as asked")

        seen.append(spawn(lambda: "before").result(WAIT_S))
        held = Held(lambda: seen.append("spanning"))
        self._going_on += [(held, spawn(held))]
        held.wait()
        later = Held(fails)
        self._going_on += [(later, spawn(later))]
        start_response("200 OK", PLAIN)
        return [b"ok"]

    def _end(self, seen):
        for held, future in self._going_on:
            held.let_go()
            seen.append(str(future.exception(WAIT_S)))
        self._going_on = []

    def plain(self):
        facts = super().plain()
        self._end(facts["seen"])
        return facts

    def once(self):
        try:
            super().once()
        finally:
            seen = self.latest.seen if self.latest else []
            kept = seen.pop() if seen else None
            self._end(seen)
            if kept is not None:
                seen.append(kept)
            # That which fails is kept.
            self.profiled.records = requests_in(self.profiled.records)


def check(served):
    found = places_of(served)
    lines = list(faults_of(served, found))
    shown = "\n".join(lines[:50])
    assert found and not lines, f"{len(lines)} of {len(found)}\n{shown}"


def test_a_fault_in_a_task_changes_nothing(monkeypatch):
    """It runs once, with its own result, and leaves nothing in its thread."""
    executor = concurrent.futures.ThreadPoolExecutor(1)
    module = module_of(executor)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    undos = [pool_waits.install(), thread_spawns.install(), tasks.follow()]
    try:
        check(Tasks(module))
    finally:
        executor.shutdown()
        for undo in undos:
            undo()


class Periodic(Served):
    """A request, after which periodic tasks of an object run."""

    def __init__(self, manager_class):
        self._manager_class = manager_class
        super().__init__(self._app_alone)

    def _app_alone(self, environ, start_response):
        start_response("200 OK", PLAIN)
        return [b"ok"]

    def _run(self, seen):
        manager = self._manager_class(cfg.ConfigOpts())
        manager.seen = seen
        manager.run_periodic_tasks(None)
        seen.append(sorted(vars(manager)))

    def plain(self):
        facts = super().plain()
        self._run(facts["seen"])
        return facts

    def once(self):
        super().once()
        kept = self.latest.seen.pop()
        self._run(self.latest.seen)
        self.latest.seen.append(kept)
        self.profiled.records = requests_in(self.profiled.records)


def test_a_fault_in_a_periodic_task_changes_nothing(monkeypatch):
    """All that are due run, each once, whatever one of them raises."""
    oslo = imported("oslo_service.periodic_task")
    # So long a time that more clocks would be read.
    monkeypatch.setattr(oslo.LOG, "exception", lambda *args: None)

    class Manager(oslo.PeriodicTasks):
        @oslo.periodic_task(run_immediately=True, spacing=60)
        def one(self, context):
            self.seen.append("one")

        @oslo.periodic_task(run_immediately=True, spacing=60)
        def two(self, context):
            self.seen.append("two")
            raise RefusedError("as asked")

    served = Periodic(Manager)
    undo = periodic_tasks.install(served.profiled.worker)
    try:
        check(served)
    finally:
        undo()
