# SPDX-License-Identifier: Apache-2.0
"""Threads that live on belong to no request; their work to who handed it."""

from __future__ import annotations

import concurrent.futures
import gc
import queue
import threading
import types
from multiprocessing import pool as process_pool

import pytest
from serving import calls_of, recorded

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane, lane_var
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns

WAIT_S = 60


def marked(mark):
    """Do one DB API call named *mark*."""
    return db_api_calls.timed(lambda: mark, CallKey("db_api", mark))()


def marks(record):
    """Return how often each mark was called."""
    return {n: call.count for n, call in calls_of(record, "db_api").items()}


@pytest.fixture(autouse=True)
def hook():
    """Install the hook for one test."""
    undo = thread_spawns.install()
    yield
    undo()


class Consumer:
    """A thread that works off a queue, for whoever puts work into it."""

    def __init__(self):
        self._queue = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._consume)

    def _consume(self):
        while (piece := self._queue.get()) is not None:
            work, done = piece
            work()
            done.set()

    def work(self, function):
        done = threading.Event()
        self._queue.put((function, done))
        assert done.wait(WAIT_S)

    def end(self):
        self._queue.put(None)
        self.thread.join(WAIT_S)


@pytest.fixture
def consumer():
    one = Consumer()
    yield one
    one.end()


def test_a_consumer_that_a_request_started_works_for_others_afterwards(
    consumer,
):
    """The first call afterwards counts as late, the next are another's."""

    def first():
        consumer.thread.start()
        consumer.work(lambda: marked("first"))

    late = HOOK_FAILURES.counts().get("late_hooks", 0)
    one = recorded(first)
    consumer.work(lambda: marked("between"))
    two = recorded(lambda: consumer.work(lambda: marked("second")))
    lanes = []
    consumer.work(lambda: lanes.append(lane_var.get()))

    assert marks(one) == {"first": 1}
    assert one.counts["unfinished_work"] == 1
    assert marks(two) == {}
    # It is not known whose that was; it may have been this request's.
    assert two.counts["unclaimed_calls"] == 1
    assert HOOK_FAILURES.counts()["late_hooks"] == late + 1
    assert lanes == [None]


def test_work_of_no_request_marks_only_those_that_were_on(consumer):
    """What ran before or after cannot be theirs."""
    consumer.thread.start()

    before = recorded(lambda: marked("own"))
    consumer.work(lambda: marked("nobody's"))
    after = recorded(lambda: marked("own"))

    assert "unclaimed_calls" not in before.counts
    assert "unclaimed_calls" not in after.counts


def by_executor(pools):
    executor = pools.setdefault("pool", concurrent.futures.ThreadPoolExecutor)
    if isinstance(executor, type):
        executor = pools["pool"] = executor(1)
    return lambda work: executor.submit(work).result(WAIT_S)


def by_thread_pool(pools):
    if "pool" not in pools:
        pools["pool"] = process_pool.ThreadPool(1)
    return lambda work: pools["pool"].apply_async(work).get(WAIT_S)


def by_map(pools):
    if "pool" not in pools:
        pools["pool"] = process_pool.ThreadPool(1)
    return lambda work: pools["pool"].map(lambda item: work(), [1])


def by_starmap(pools):
    if "pool" not in pools:
        pools["pool"] = process_pool.ThreadPool(1)
    return lambda work: pools["pool"].starmap(lambda item: work(), [(1,)])


def by_imap(pools):
    if "pool" not in pools:
        pools["pool"] = process_pool.ThreadPool(1)
    return lambda work: list(pools["pool"].imap(lambda item: work(), [1]))


WAYS = (by_executor, by_thread_pool, by_map, by_starmap, by_imap)


@pytest.mark.parametrize("way", WAYS)
def test_a_pool_that_a_request_made_works_for_whoever_hands_it_work(way):
    """Made lazily by the first, used by the second, and between them."""
    pools = {}
    lanes = []

    def between():
        lanes.append(current_lane())
        marked("between")

    first = recorded(lambda: way(pools)(lambda: marked("first")))
    way(pools)(between)
    second = recorded(lambda: way(pools)(lambda: marked("second")))
    pool = pools["pool"]
    getattr(pool, "shutdown", getattr(pool, "terminate", None))()

    assert marks(first) == {"first": 1}
    assert marks(second) == {"second": 1}
    assert lanes == [None]
    assert first.counts == {}
    assert second.counts == {}


@pytest.mark.parametrize("way", WAYS)
def test_a_shared_pool_keeps_requests_apart_that_run_at_once(way):
    """The one that made the pool is still on when the other uses it."""
    pools = {}
    records = []

    def first():
        way(pools)(lambda: marked("first"))
        other = threading.Thread(
            target=lambda: records.append(
                recorded(lambda: way(pools)(lambda: marked("second")))
            )
        )
        token = lane_var.set(None)
        other.start()
        other.join(WAIT_S)
        lane_var.reset(token)

    one = recorded(first)
    pool = pools["pool"]
    getattr(pool, "shutdown", getattr(pool, "terminate", None))()

    assert marks(one) == {"first": 1}
    assert marks(records[0]) == {"second": 1}


def test_a_pool_of_processes_gets_its_functions_as_they_are(monkeypatch):
    """They are pickled; what the pool starts belongs to no request."""
    seen = []

    class Pool:
        def submit(self, fn, /, *args):
            seen.append((fn, args, current_lane()))

    monkeypatch.setitem(
        __import__("sys").modules,
        "concurrent.futures.process",
        types.SimpleNamespace(ProcessPoolExecutor=Pool),
    )
    undo = thread_spawns.install()
    recorded(lambda: Pool().submit(marked, "mark"))
    undo()
    Pool().submit(marked, "mark")

    assert seen == [(marked, ("mark",), None)] * 2


def test_work_that_has_not_begun_is_unfinished():
    """A timer that fires later, a future that waits for its turn."""
    go_on = threading.Event()
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def app():
        pool.submit(go_on.wait, WAIT_S)
        pool.submit(marked, "late")
        pool.submit(marked, "later")

    record = recorded(app)
    go_on.set()
    pool.shutdown()

    assert record.counts == {"unfinished_work": 3}


def test_work_that_has_ended_is_no_remark():
    """Whichever way it went there, and if it failed."""

    def fails():
        raise LookupError

    def app():
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            pool.submit(fails).exception(WAIT_S)
            list(pool.map(marked, ["one", "two"]))
        thread = threading.Thread(target=marked, args=["three"])
        thread.start()
        thread.join(WAIT_S)
        with process_pool.ThreadPool(2) as threads:
            threads.map(marked, ["four"] * 10)

    record = recorded(app)

    assert record.counts == {}
    assert marks(record) == {"one": 1, "two": 1, "three": 1, "four": 10}


def test_a_thread_that_lives_on_holds_none_of_its_own_calls(consumer):
    """A worker that the first request starts lives as long as the process."""

    def first():
        consumer.thread.start()
        consumer.work(lambda: [marked("mark") for _ in range(123)])

    record = recorded(first)
    gc.collect()
    held = [
        one
        for one in gc.get_objects()
        if isinstance(one, list)
        and len(one) == 123
        and isinstance(one[0], tuple)
    ]

    assert marks(record) == {"mark": 123}
    assert held == []
