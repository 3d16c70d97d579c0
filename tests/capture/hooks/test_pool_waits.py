# SPDX-License-Identifier: Apache-2.0
"""Work handed to an executor waits for one of its workers."""

from __future__ import annotations

import concurrent.futures
import threading

import pytest
from imported import imported
from serving import added_up, calls_of, recorded, set_clock

from nova_profiler.capture.hooks import pool_waits
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.hooks.spawns.handing_over import handing_over

futurist = imported("futurist")

WAIT_S = 60


@pytest.fixture(autouse=True)
def hooks():
    undos = [pool_waits.install(), thread_spawns.install()]
    yield
    for undo in undos:
        undo()


class Busy:
    """An executor whose only worker is busy until it is let go."""

    def __init__(self, executor):
        self.executor = executor
        self.done = threading.Event()
        started = threading.Event()

        def hold():
            started.set()
            self.done.wait(WAIT_S)

        executor.submit(hold)
        started.wait(WAIT_S)

    def let_go(self):
        self.done.set()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (
            lambda: concurrent.futures.ThreadPoolExecutor(
                1, thread_name_prefix="cells"
            ),
            "cells",
        ),
        (
            lambda: concurrent.futures.ThreadPoolExecutor(1),
            "ThreadPoolExecutor-{id}",
        ),
        (lambda: futurist.ThreadPoolExecutor(1), "ThreadPoolExecutor"),
    ],
)
def test_the_time_until_work_started_has_the_pool_s_name(
    clock, monkeypatch, make, name
):
    """By each kind of executor that nova uses."""
    with make() as executor:
        busy = Busy(executor)
        set_clock(monkeypatch, clock)

        def work():
            future = executor.submit(clock.advance, 2.0)
            clock.advance(3.0)
            busy.let_go()
            future.result(WAIT_S)

        record = recorded(work)

    calls = calls_of(record, "pool")
    assert {name: call.ms for name, call in calls.items()} == pytest.approx(
        {name: 3000}
    )
    assert added_up(record) == pytest.approx(5000)


def test_nova_names_its_executors(clock, monkeypatch):
    """``MainProcess.cell_worker``: the process is not part of it."""
    set_clock(monkeypatch, clock)
    with futurist.ThreadPoolExecutor(1) as executor:
        executor.name = "MainProcess.cell_worker"
        record = recorded(lambda: executor.submit(int).result(WAIT_S))

    assert list(calls_of(record, "pool")) == ["cell_worker"]


def breakdown(clock, monkeypatch, on_cpu_s):
    """Return that of a request that waits 3 s for a worker.

    *on_cpu_s* of them its own thread runs.
    """
    cpu = [0.0]
    set_clock(monkeypatch, clock)
    set_clock(monkeypatch, lambda: cpu[0], "thread_time")
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        busy = Busy(executor)

        def work():
            future = executor.submit(int)
            clock.advance(3.0)
            cpu[0] += on_cpu_s
            busy.let_go()
            future.result(WAIT_S)

        return recorded(work).breakdown_ms


def test_the_request_waits_for_a_worker_while_its_own_thread_waits(
    clock, monkeypatch
):
    found = breakdown(clock, monkeypatch, 1.0)

    assert found == pytest.approx({"pool": 2000, "python": 1000}, abs=0.1)


def test_work_that_the_request_does_not_wait_for(clock, monkeypatch):
    """All that time its own thread had enough to do."""
    found = breakdown(clock, monkeypatch, 3.0)

    assert found == pytest.approx({"python": 3000}, abs=0.1)


def test_without_this_hook_work_is_taken_along_as_before(hooks):
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        undo = pool_waits.install()
        undo()
        undo()
        pool_waits._installers.clear()
        record = recorded(lambda: executor.submit(int).result(WAIT_S))

    assert "pool" not in record.groups


def test_an_executor_with_odd_names_is_named_by_its_kind():
    class Odd:
        name = 5
        _thread_name_prefix = ""

    assert pool_waits.name_of(Odd()) == "Odd"


def test_a_function_by_its_name_waits_as_well(clock, monkeypatch):
    """``submit(fn=...)``, as futurist has it."""
    set_clock(monkeypatch, clock)
    with futurist.ThreadPoolExecutor(1) as executor:
        executor.name = "MainProcess.cell_worker"
        record = recorded(lambda: executor.submit(fn=int).result(WAIT_S))

    assert list(calls_of(record, "pool")) == ["cell_worker"]


def test_a_delay_that_was_asked_for_is_no_wait_for_a_worker():
    """eventlet's spawn_after has seconds where executors have themselves."""
    ran = []
    spawn_after = handing_over(1, "func")(
        lambda seconds, func, *args: func(*args)
    )

    record = recorded(lambda: spawn_after(5, ran.append, 1))

    assert ran == [1]
    assert calls_of(record, "pool") == {}


class Odd(str):
    __hash__ = None


def _raising(self):
    raise ConnectionError("a proxy of something that is gone")


@pytest.mark.parametrize("name", [property(_raising), Odd("pool")])
def test_an_executor_without_a_usable_name_gets_its_work(name):
    """The wait has no name of its own; the application has no error."""

    class Executor(concurrent.futures.ThreadPoolExecutor):
        pass

    Executor.name = name
    with Executor(1) as executor:
        record = recorded(lambda: executor.submit(int).result(WAIT_S))

    assert {*calls_of(record, "pool")} <= {"other"}
