# SPDX-License-Identifier: Apache-2.0
"""Tasks in greenthreads, in forked workers, and very many of them."""

from __future__ import annotations

import concurrent.futures
import functools
import gc
import sys
import threading

import pytest
from programs import answer_of
from serving import Profiled, during
from task_pools import ALL_KINDS, WAIT_S, ExecutorType, module_of

from nova_profiler.capture.captures import OVER, Capture
from nova_profiler.capture.current import active
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.lanes import Lane, PieceLane
from nova_profiler.capture.served.kinds import tasks
from nova_profiler.capture.served.kinds.task_calls import Task, TaskCall

GREEN = """
    import eventlet
    eventlet.monkey_patch()
    import json, sys
    import eventlet.event
    import futurist
    from serving import Profiled, calls_of, during
    from task_pools import ALL_KINDS, ExecutorType, module_of
    from nova_profiler.capture.calls import CallKey
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.hooks import pool_waits
    from nova_profiler.capture.served.kinds import tasks

    executor = futurist.GreenThreadPoolExecutor(3)
    module = module_of(executor)
    sys.modules[module.__name__] = module
    profiled = Profiled(None, log_requests=ALL_KINDS)
    for undo in (pool_waits, thread_spawns):
        undo.install()
    tasks.install(profiled.worker)

    def marked(mark):
        db_api_calls.timed(lambda: mark, CallKey("db_api", mark))()

    def task(name, begun, go_on):
        marked(name)
        begun.send()
        go_on.wait()
        # Others of the same thread run meanwhile.
        eventlet.sleep(0)
        marked(name + " after")

    futures = []
    go_on = eventlet.event.Event()

    def work():
        for name in "abcde":
            begun = eventlet.event.Event()
            futures.append(module.spawn_on(
                ExecutorType.LONG_TASK, task, name, begun, go_on))
            if name in "ab":
                begun.wait()

    profiled.filter._app = during(work)
    profiled.get()
    go_on.send()
    for future in futures:
        future.result(60)
    print(json.dumps([
        [one.kind, one.cpu_ms,
         {n: call.count for n, call in calls_of(one, "db_api").items()},
         one.counts,
         abs(sum(one.breakdown_ms.values()) - one.duration_ms) < 0.01]
        for one in profiled.records
    ]))
"""

FORKED = """
    import concurrent.futures, json, os, sys, threading
    from serving import Profiled, during
    from task_pools import ALL_KINDS, ExecutorType, Held, module_of
    from nova_profiler.capture.current import active, lane_var
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.served.kinds import tasks

    profiled = Profiled(None, log_requests=ALL_KINDS)
    thread_spawns.install()

    def serve():
        executor = concurrent.futures.ThreadPoolExecutor(1)
        module = module_of(executor)
        sys.modules["nova.thread_pool_factory"] = module
        undo = tasks.install(profiled.worker)
        held = Held()

        def work():
            module.spawn_on(ExecutorType.LONG_TASK, held)
            held.wait()

        profiled.filter._app = during(work)
        profiled.get()
        return held, executor, undo

    held, executor, undo = serve()
    # A worker is forked while a task goes on that outlived its request.
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        seen = [len(active), lane_var.get() is None]
        before = len(profiled.records)
        theirs, pool, _ = serve()
        theirs.let_go()
        pool.shutdown()
        new = profiled.records[before:]
        ids = [one.record_id for one in new]
        answer = json.dumps([seen, [one.kind for one in new], ids])
        os.write(writing, answer.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    held.let_go()
    executor.shutdown()
    mine = [one.record_id for one in profiled.records]
    seen, kinds, theirs = json.loads(os.read(reading, 10_000))
    own_kinds = [one.kind for one in profiled.records]
    print(json.dumps([seen, kinds, own_kinds, bool({*mine} & {*theirs})]))
"""


def test_greenthreads_of_one_thread_are_kept_apart():
    """Three at once, of five: two begin when the others have ended."""
    parent, *ended = answer_of(GREEN)

    kind, _, marks, counts, is_whole = parent
    assert (kind, is_whole) == ("request", True)
    assert marks.items() >= {("a", 1), ("b", 1)}
    assert counts["unfinished_work"] == 5
    assert len(ended) == 5
    for kind, cpu_ms, _, _, is_whole in ended:
        # The thread's CPU clock says nothing of one greenthread.
        assert (kind, cpu_ms, is_whole) == ("task", None, True)
    assert sorted(sorted(marks) for _, _, marks, _, _ in ended) == [
        [name, f"{name} after"] for name in "abcde"
    ]
    assert all(counts == {} for _, _, _, counts, _ in ended)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_worker_begins_without_tasks():
    """And has ids of its own for those that it runs."""
    seen, kinds, own_kinds, are_shared = answer_of(FORKED)

    assert seen == [0, True]
    assert kinds == own_kinds == ["request", "task"]
    assert not are_shared


class NoRecords(Profiled):
    """Counts records and keeps none."""

    def __init__(self):
        super().__init__(None, log_requests=ALL_KINDS)
        self.kinds = {"request": 0, "task": 0}

    def emit(self, record):
        self.kinds[record.kind] += 1


def left_over():
    """Return how many of our objects are alive."""
    gc.collect()
    return sum(
        type(one) in (Task, TaskCall, Capture, Lane, PieceLane)
        for one in gc.get_objects()
    )


def _many_tasks(monkeypatch, number, each):
    """Return the kinds of *number* tasks, by *each* of which one parent."""
    executor = concurrent.futures.ThreadPoolExecutor(4)
    module = module_of(executor)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    profiled = NoRecords()
    undos = [thread_spawns.install(), tasks.install(profiled.worker)]
    futures = []

    def work():
        futures.extend(
            module.spawn_on(ExecutorType.DEFAULT, int) for _ in range(each)
        )

    profiled.filter._app = during(work)
    for _ in range(number // each):
        profiled.get()
        for future in futures:
            future.result()
        futures.clear()
    executor.shutdown()
    for undo in undos:
        undo()
    profiled.worker.undo()
    return profiled.kinds


def check_that_nothing_is_left(monkeypatch, number, each):
    before = left_over()
    failures = HOOK_FAILURES.counts()

    kinds = _many_tasks(monkeypatch, number, each)

    assert kinds["request"] == number // each
    assert left_over() == before
    assert not active
    assert OVER.lanes == [OVER.main]
    assert HOOK_FAILURES.counts() == failures


def test_nothing_of_tasks_is_left_over(monkeypatch):
    """Of those that end with their parent, after it, and in the moment."""
    check_that_nothing_is_left(monkeypatch, 2_000, 20)


@pytest.mark.slow
@pytest.mark.parametrize("each", [10, 50_000])
def test_nothing_of_very_many_tasks_is_left_over(monkeypatch, each):
    """Nor of those that wait for their pool by the ten thousand."""
    check_that_nothing_is_left(monkeypatch, 100_000, each)


class Chain:
    """Tasks each of which submits the next, and ends when that has begun.

    The next one goes on when the one before it has ended.
    """

    def __init__(self, spawn):
        self._spawn = spawn
        self.counted = 0
        self.done = threading.Event()

    def submit(self, left, before_ended):
        begun, ended = threading.Event(), threading.Event()
        future = self._spawn(self._run, left, begun, before_ended, ended)
        future.add_done_callback(lambda done: ended.set())
        assert begun.wait(WAIT_S)

    def _run(self, left, begun, before_ended, ended):
        begun.set()
        assert before_ended.wait(WAIT_S)
        if left:
            self.submit(left - 1, ended)
        else:
            self.counted = left_over()
            self.done.set()


def test_a_task_that_submits_the_next_is_not_held_by_it(monkeypatch):
    """Each is the next one's parent, as long as that wants to know."""
    executor = concurrent.futures.ThreadPoolExecutor(3)
    module = module_of(executor)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    profiled = NoRecords()
    undos = [thread_spawns.install(), tasks.install(profiled.worker)]
    chain = Chain(functools.partial(module.spawn_on, ExecutorType.DEFAULT))
    ended = threading.Event()
    before = left_over()

    profiled.filter._app = during(lambda: chain.submit(200, ended))
    profiled.get()
    ended.set()
    assert chain.done.wait(WAIT_S)
    executor.shutdown()
    for undo in undos:
        undo()
    profiled.worker.undo()

    assert profiled.kinds == {"request": 1, "task": 201}
    assert chain.counted - before < 20
    assert left_over() == before
