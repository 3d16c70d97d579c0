# SPDX-License-Identifier: Apache-2.0
"""Tasks: lanes of what submitted them, or records of their own."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import sys
import threading
import types

import pytest
from oslo_context import context as oslo_context
from serving import Profiled, added_up, calls_of, during, set_clock
from task_pools import (
    ALL_KINDS,
    WAIT_S,
    Delayed,
    ExecutorType,
    Held,
    module_of,
)

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, current_lane, lane_var
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import pool_waits
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.running.open_calls import open_calls_of
from nova_profiler.capture.served.kinds import task_calls, tasks
from nova_profiler.record.record_ids import RECORD_ID

LONG = ExecutorType.LONG_TASK
REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"


def marked(mark):
    """Do one DB API call named *mark*."""
    return db_api_calls.timed(lambda: mark, CallKey("db_api", mark))()


def marks(record):
    return {n: call.count for n, call in calls_of(record, "db_api").items()}


class Pools:
    """A filter whose applications submit to a pool of *workers* threads."""

    def __init__(self, monkeypatch, workers=4):
        self.executor = concurrent.futures.ThreadPoolExecutor(workers)
        self.module = module_of(self.executor)
        monkeypatch.setitem(sys.modules, self.module.__name__, self.module)
        self.profiled = Profiled(None, log_requests=ALL_KINDS)
        worker = self.profiled.worker
        self.undos = [
            pool_waits.install(),
            thread_spawns.install(),
            tasks.install(worker),
        ]
        self.futures = []

    def spawn(self, function, *args, **kwargs):
        future = self.module.spawn_on(LONG, function, *args, **kwargs)
        self.futures.append(future)
        return future

    def serve(self, work, **environ):
        """Serve one request that does *work*."""
        self.profiled.filter._app = during(work)
        self.profiled.get(**environ)
        return self.profiled.records[-1]

    def ended(self):
        """Return the records of tasks, once all of them have ended."""
        concurrent.futures.wait(self.futures, WAIT_S)
        records = self.profiled.records
        return [one for one in records if one.kind == "task"]

    def end(self):
        self.executor.shutdown()
        for undo in self.undos:
            undo()
        self.profiled.worker.undo()


@pytest.fixture
def pools(monkeypatch):
    made = Pools(monkeypatch)
    yield made
    made.end()
    assert not active


@pytest.fixture
def context():
    """Have nova's context of a request in this thread."""
    found = oslo_context.RequestContext(
        request_id=REQUEST_ID,
        global_request_id=REQUEST_ID.replace("6", "7"),
        user_id="user",
        project_id="project",
        auth_token="hunter2",
    )
    yield found
    oslo_context._request_store.__dict__.clear()


class Manager:
    def build(self, instance):
        marked("build")

    def in_place(self):
        def locked(held, secret):
            return held()

        return locked


# -- whose is it -----------------------------------------------------------


def test_a_task_that_ends_before_its_parent_is_a_lane_of_it(pools):
    """As every piece of work is that a request waits for."""
    record = pools.serve(lambda: pools.spawn(marked, "mark").result(WAIT_S))

    assert pools.ended() == []
    assert marks(record) == {"mark": 1}
    assert record.counts == {}
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_one_that_goes_on_takes_the_trace_along(pools):
    """Of a traceparent; the span is that of its parent."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    held = Held(lambda: marked("after"))

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work, HTTP_TRACEPARENT=f"00-{trace}-00f067aa0ba902b7-01")
    held.let_go()
    (record,) = pools.ended()

    assert (record.trace_id, record.span_id) == (trace, None)


def test_one_that_goes_on_has_a_record_of_its_own(pools, context):
    """With all its calls; the parent has those that ended before it did."""
    held = Held(lambda: marked("after"))

    def task():
        marked("before")
        held()

    def work():
        context.update_store()
        pools.spawn(task)
        held.wait()

    parent = pools.serve(work)
    held.let_go()
    (record,) = pools.ended()

    assert marks(parent) == {"before": 1}
    assert marks(record) == {"before": 1, "after": 1}
    assert (record.kind, record.outcome) == ("task", "ok")
    assert record.route == (
        "task LONG_TASK test_one_that_goes_on_has_a_record_of_its_own.task"
    )
    assert record.parent_id == parent.record_id
    assert RECORD_ID.fullmatch(record.record_id)
    assert record.request_id == REQUEST_ID
    assert (record.user_id, record.project_id) == ("user", "project")
    assert parent.started_at <= record.sent_at <= record.started_at
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)
    assert "hunter2" not in str(record.to_dict())


def test_one_that_begins_after_its_parent_has_waited_for_its_pool(
    monkeypatch, clock, context
):
    """``wait_ms`` is no part of the time that it took."""
    pools = Pools(monkeypatch, workers=1)
    busy, held = Held(), Held()
    pools.executor.submit(busy)
    busy.wait()
    set_clock(monkeypatch, clock)

    def work():
        context.update_store()
        pools.spawn(held)

    parent = pools.serve(work)
    clock.advance(3.0)
    busy.let_go()
    held.wait()
    clock.advance(2.0)
    held.let_go()
    (record,) = pools.ended()
    pools.end()

    assert record.wait_ms == pytest.approx(3000)
    assert record.duration_ms == pytest.approx(2000)
    assert record.parent_id == parent.record_id
    assert record.request_id == REQUEST_ID
    assert record.cpu_ms is not None
    assert parent.counts == {"unfinished_work": 1}


def test_the_wait_for_a_pool_is_in_the_parent_while_it_was_on(
    monkeypatch, clock
):
    """It is ``wait_ms`` of the record, whose own time begins after it."""
    pools = Pools(monkeypatch, workers=1)
    busy, held = Held(), Held(lambda: clock.advance(0.5))
    pools.executor.submit(busy)
    busy.wait()
    set_clock(monkeypatch, clock)

    def work():
        pools.spawn(held)
        clock.advance(3.0)
        busy.let_go()
        held.wait()
        clock.advance(1.0)

    parent = pools.serve(work)
    held.let_go()
    (record,) = pools.ended()
    pools.end()

    assert parent.duration_ms == pytest.approx(4000)
    assert parent.groups["pool"].ms == pytest.approx(3000)
    assert record.wait_ms == pytest.approx(3000)
    assert record.duration_ms == pytest.approx(1500)
    assert "pool" not in record.groups
    assert added_up(record) == pytest.approx(1500)


def test_a_call_that_spans_the_parents_end_is_the_tasks(pools):
    """It is no late call of the parent."""
    held = Held()
    key = CallKey("db_api", "long")

    def work():
        pools.spawn(lambda: db_api_calls.timed(held, key)())
        held.wait()

    parent = pools.serve(work)
    held.let_go()
    (record,) = pools.ended()

    assert marks(parent) == {}
    assert "late_calls" not in parent.counts
    assert marks(record) == {"long": 1}


def test_calls_that_were_added_up_already_are_in_both(pools):
    """Chunks of them, statements, failures."""
    held = Held(lambda: [marked("one") for _ in range(10)])

    def fails():
        raise LookupError

    def task():
        for _ in range(300):
            marked("one")
        failing = db_api_calls.timed(fails, CallKey("db_api", "bad"))
        with pytest.raises(LookupError):
            failing()
        held()

    def work():
        pools.spawn(task)
        held.wait()

    parent = pools.serve(work)
    held.let_go()
    (record,) = pools.ended()

    assert marks(parent) == {"one": 300, "bad": 1}
    assert marks(record) == {"one": 310, "bad": 1}
    assert calls_of(record, "db_api")["bad"].errors == 1


def test_what_a_task_submits_has_the_task_for_a_parent(pools):
    """However late it is known that the task has a record."""
    inner, outer = Held(), Held()

    def task():
        pools.spawn(inner)
        outer()

    def work():
        pools.spawn(task)
        outer.wait()
        inner.wait()

    parent = pools.serve(work)
    outer.let_go()
    pools.futures[0].result(WAIT_S)
    inner.let_go()
    first, second = pools.ended()

    assert first.parent_id == parent.record_id
    assert second.parent_id == first.record_id


def test_what_a_task_with_a_record_submits_is_a_lane_of_it(pools):
    """The task is a parent like any other."""
    held = Held(lambda: pools.spawn(marked, "inner").result(WAIT_S))

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work)
    held.let_go()
    (record,) = pools.ended()

    assert marks(record) == {"inner": 1}
    assert record.counts == {}


def test_what_it_raises_passes_and_is_in_its_record(pools):
    """The future gets the exception itself."""
    fault = KeyError("hunter2")

    def fails():
        raise fault

    held = Held(fails)

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work)
    held.let_go()

    assert pools.futures[0].exception(WAIT_S) is fault
    (record,) = pools.ended()
    assert (record.outcome, record.error) == ("failed", "KeyError")
    assert "hunter2" not in str(record.to_dict())


def test_a_thread_that_is_told_to_end_was_not_a_failure(pools):
    """As greenthreads are."""

    def exits():
        raise SystemExit

    held = Held(exits)

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work)
    held.let_go()
    assert isinstance(pools.futures[0].exception(WAIT_S), SystemExit)
    (record,) = pools.ended()

    assert (record.outcome, record.error) == ("aborted", "SystemExit")


def test_a_parent_is_not_held_open(pools):
    """Its record is there while the task goes on."""
    held = Held()

    def work():
        pools.spawn(held)
        held.wait()

    record = pools.serve(work)

    assert pools.profiled.records == [record]
    assert not pools.futures[0].done()
    assert record.counts == {"unfinished_work": 1}
    held.let_go()
    assert len(pools.ended()) == 1


def test_while_it_goes_on_it_is_known_what_it_is(pools, context):
    """To what looks for all that is on, from another thread."""
    held = Held()

    def work():
        context.update_store()
        pools.spawn(held)
        held.wait()

    parent = pools.serve(work)
    (capture,) = active.values()
    record = pools.profiled.worker.describe(capture, capture.started + 2)
    held.let_go()
    (ended,) = pools.ended()

    assert record.duration_ms == pytest.approx(2000)
    assert (record.kind, record.route) == (ended.kind, ended.route)
    assert record.parent_id == parent.record_id
    assert record.request_id == REQUEST_ID


@pytest.mark.parametrize("is_early", [True, False])
def test_what_it_is_in_is_read_off_its_stack(monkeypatch, is_early):
    """Whether it began before its parent ended or after."""
    pools = Pools(monkeypatch, workers=1)
    busy, held = Held(), Held()
    pools.executor.submit(busy)
    busy.wait()
    call = db_api_calls.timed(held, CallKey("db_api", "long"))

    def work():
        pools.spawn(call)
        if is_early:
            busy.let_go()
            held.wait()

    pools.serve(work)
    busy.let_go()
    held.wait()
    (capture,) = active.values()
    found = open_calls_of([capture], capture.started + 2)[id(capture)]
    held.let_go()
    (record,) = pools.ended()
    pools.end()

    assert [(one.group, one.name) for one in found.calls] == [
        ("db_api", "long")
    ]
    assert found.stacks[0].frames[-1].endswith(" wait")
    assert marks(record) == {"long": 1}


# -- how it was submitted --------------------------------------------------


def test_after_a_delay_it_is_its_parents(pools):
    """The thread that submits it then belongs to no request."""
    delayed = Delayed(15.0, pools.executor)

    def work():
        delayed.submit_with_delay(marked, "mark")
        token = lane_var.set(None)
        delayed.over()
        lane_var.reset(token)

    record = pools.serve(work)

    assert marks(record) == {"mark": 1}
    assert pools.profiled.records == [record]


def test_a_delay_that_was_asked_for_is_no_wait_for_a_pool(
    pools, monkeypatch, clock
):
    """It was to begin 15 s after it was sent, and has begun after 18."""
    pools.executor.name = "MainProcess.default"
    delayed = Delayed(15.0, pools.executor)
    set_clock(monkeypatch, clock)

    parent = pools.serve(lambda: delayed.submit_with_delay(marked, "mark"))
    clock.advance(18.0)
    delayed.over()
    (record,) = pools.ended()

    assert record.wait_ms == pytest.approx(3000)
    assert record.parent_id == parent.record_id
    assert record.route == "task DEFAULT marked"
    assert (record.method, record.path) == ("TASK", "DEFAULT marked")


def test_a_delayed_task_may_span_its_parents_end(pools):
    """It got into the parent's lanes by itself, and leaves them as others."""
    delayed = Delayed(15.0, pools.executor)
    held = Held(lambda: marked("mark"))
    ends = threading.Thread(target=delayed.over)

    def work():
        delayed.submit_with_delay(held)
        token = lane_var.set(None)
        ends.start()
        lane_var.reset(token)
        held.wait()

    parent = pools.serve(work)
    held.let_go()
    ends.join(WAIT_S)
    (record,) = pools.ended()

    assert marks(parent) == {}
    assert marks(record) == {"mark": 1}
    assert pools.executor.submit(current_lane).result(WAIT_S) is None


def test_called_in_its_place_it_is_part_of_what_calls_it(pools):
    """nova's tests have pools that do so."""
    pools.module.spawn_on = tasks._on_pool(
        lambda executor_type, func, *args: func(*args)
    )

    record = pools.serve(lambda: pools.module.spawn_on(LONG, marked, "mark"))

    assert marks(record) == {"mark": 1}
    assert pools.profiled.records == [record]


def test_older_releases_have_it_elsewhere(pools, monkeypatch):
    """``nova.utils``: ``spawn`` ends in ``spawn_on`` of an executor."""
    old = types.ModuleType("nova.utils")
    pools.executor.name = "MainProcess.cell_worker"
    old.spawn_on = lambda executor, func, *args, **kwargs: executor.submit(
        func, *args, **kwargs
    )
    old.spawn = lambda func, *args, **kwargs: old.spawn_on(
        pools.executor, func, *args, **kwargs
    )
    monkeypatch.setitem(sys.modules, "nova.utils", old)
    undo = tasks.install(pools.profiled.worker)
    helds = [Held(), Held()]

    def work():
        pools.futures.append(old.spawn_on(pools.executor, helds[0]))
        pools.futures.append(old.spawn(helds[1]))
        for held in helds:
            held.wait()

    pools.serve(work)
    for held in helds:
        held.let_go()
    routes = [record.route for record in pools.ended()]
    undo()

    assert sorted(routes) == [
        "task CELL_WORKER Held",
        "task DEFAULT Held",
    ]


def test_without_a_parent_functions_go_as_they_are(pools):
    """No task of a service's own threads has a record."""
    seen = []
    original = tasks._on_pool(lambda *args, **kwargs: seen.append(args))

    original(LONG, marked, "mark")
    pools.serve(lambda: original(LONG))

    assert seen == [(LONG, marked, "mark"), (LONG,)]


def test_nova_sees_the_names_of_the_function_that_it_gave(pools):
    """It takes them from there, and asks a plain function for them."""
    seen = []
    spawn_on = tasks._on_pool(lambda pool, func: seen.append(func))
    bound = functools.partial(Manager().build, "hunter2")

    pools.serve(lambda: spawn_on(LONG, Manager.build))
    pools.serve(lambda: spawn_on(LONG, bound))

    assert [type(one) for one in seen] == [types.FunctionType] * 2
    assert seen[0].__name__ == "build"
    assert [one.__wrapped__ for one in seen] == [Manager.build, bound]
    wrapped = functools.wraps(seen[0])(lambda: None)
    assert wrapped.__qualname__ == "Manager.build"
    assert "hunter2" not in repr(seen[1])


def test_undone_all_is_as_before(pools):
    """And what was submitted before goes its way."""
    spawn_on = pools.module.spawn_on
    held = Held()

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work)
    pools.undos.pop()()
    held.let_go()

    assert pools.module.spawn_on is spawn_on.__wrapped__
    assert len(pools.ended()) == 1


# -- trouble ---------------------------------------------------------------


def test_switched_off_meanwhile_there_is_no_record(pools):
    """The lane ends with the parent, as it does for other work."""
    held = Held(lambda: marked("after"))
    settings = pools.profiled.live

    def work():
        pools.spawn(held)
        held.wait()
        settings.current = dataclasses.replace(settings.current, enabled=False)

    parent = pools.serve(work)
    held.let_go()

    assert pools.ended() == []
    assert marks(parent) == {}


def test_a_fault_of_ours_is_not_the_tasks(pools, monkeypatch):
    """It is counted, and the task does what it was to do."""
    monkeypatch.setattr(
        "nova_profiler.capture.served.kinds.task_calls.begun",
        lambda call: 1 / 0,
    )
    before = HOOK_FAILURES.counts().get("task_hook", 0)

    record = pools.serve(lambda: pools.spawn(marked, "mark").result(WAIT_S))

    assert pools.futures[0].result() == "mark"
    assert HOOK_FAILURES.counts()["task_hook"] == before + 1
    assert marks(record) == {"mark": 1}


def test_a_pool_that_has_no_name_has_records(pools):
    """And raises when it is asked for one."""

    class Raising:
        def __getattr__(self, name):
            raise ConnectionError

    held = Held()

    def work():
        call = task_calls.TaskCall(held, current_lane(), Raising())
        pools.futures.append(pools.executor.submit(task_calls.as_task(call)))
        held.wait()

    pools.serve(work)
    held.let_go()
    (record,) = pools.ended()

    assert record.route == "task other other"


def test_a_record_that_cannot_be_made_is_counted(pools, monkeypatch):
    """Nothing of it is left over."""
    worker = pools.profiled.worker
    real = worker.deliver
    held = Held()

    def fails_for_tasks(record, *args):
        if record.kind == "task":
            raise LookupError
        real(record, *args)

    monkeypatch.setattr(worker, "deliver", fails_for_tasks)

    def work():
        pools.spawn(held)
        held.wait()

    pools.serve(work)
    held.let_go()

    assert pools.ended() == []
    assert pools.profiled.failures.counts() == {"task": 1}


def test_each_task_is_one_or_the_other(pools):
    """Where it ends in the moment in which its parent does."""
    pools.futures = futures = []
    rounds, each = 300, 4

    def task():
        marked("one")
        marked("two")

    def work():
        futures.extend(pools.module.spawn_on(LONG, task) for _ in range(each))

    for _ in range(rounds):
        pools.serve(work)
    ended = pools.ended()
    parents = [r for r in pools.profiled.records if r.kind == "request"]

    assert len(parents) == rounds
    # A record of a task has all that the task did. Of the others the parent
    # has all.
    assert {tuple(marks(one).items()) for one in ended} <= {
        (("one", 1), ("two", 1))
    }
    by_parent = dict.fromkeys((one.record_id for one in parents), 0)
    for one in ended:
        by_parent[one.parent_id] += 1
    for parent in parents:
        lanes = each - by_parent[parent.record_id]
        assert marks(parent).get("two", 0) >= lanes
