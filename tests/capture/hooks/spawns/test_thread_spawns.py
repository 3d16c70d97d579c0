# SPDX-License-Identifier: Apache-2.0
"""Work that a request hands to threads and greenthreads stays its own."""

from __future__ import annotations

import concurrent.futures
import gc
import itertools
import sys
import threading
import types

import pytest
from oslo_context import context as oslo_context
from programs import answer_of
from serving import (
    Profiled,
    added_up,
    calls_of,
    during,
    recorded,
    set_clock,
)

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns

WAIT_S = 60


def marked(mark):
    """Do one DB API call named *mark*."""
    key = CallKey("db_api", mark)
    return db_api_calls.timed(lambda: mark, key)()


@pytest.fixture
def hook():
    """Install the hook for one test."""
    undo = thread_spawns.install()
    yield
    undo()


def marks(record):
    """Return how often each mark was called."""
    return {n: call.count for n, call in calls_of(record, "db_api").items()}


def run_thread(mark):
    thread = threading.Thread(target=marked, args=(mark,))
    thread.start()
    thread.join(WAIT_S)


def run_subclass(mark):
    class Thread(threading.Thread):
        def run(self):
            marked(mark)

    thread = Thread()
    thread.start()
    thread.join(WAIT_S)


def run_timer(mark):
    timer = threading.Timer(0, marked, [mark])
    timer.start()
    timer.join(WAIT_S)


def run_submit(mark):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(marked, mark).result(WAIT_S) == mark


def run_map(mark):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(marked, [mark])) == [mark]


def run_within(mark):
    def inner():
        run_submit(mark)

    thread = threading.Thread(target=inner)
    thread.start()
    thread.join(WAIT_S)


@pytest.mark.parametrize(
    "run",
    [run_thread, run_subclass, run_timer, run_submit, run_map, run_within],
)
def test_work_in_a_thread_is_the_requests(hook, run):
    """Whichever way it got there; the thread of the request has a lane 0."""
    record = recorded(lambda: run("mark"))

    assert marks(record) == {"mark": 1}
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_a_watchdog_of_a_long_message_has_no_lane(hook):
    """It sends heartbeats beside the work, and is none of it."""
    seen = []

    class Dispatcher:
        def _watchdog(self):
            seen.append(current_lane())
            marked("beside")

    def work():
        thread = threading.Thread(target=Dispatcher()._watchdog)
        thread.start()
        thread.join(WAIT_S)
        seen.append(current_lane() is not None)

    record = recorded(work)

    assert seen == [None, True]
    assert marks(record) == {}
    assert "unfinished_work" not in record.counts


def test_without_a_request_threads_start_as_ever(hook):
    """Nothing is wrapped, nothing is kept."""
    thread = threading.Thread(target=marked, args=("mark",))

    thread.start()
    thread.join(WAIT_S)

    assert "run" not in vars(thread)


def test_each_piece_of_work_has_a_lane(hook, tmp_path):
    """The timeline tells what ran side by side."""
    both = threading.Barrier(2)

    def work(mark):
        both.wait(WAIT_S)
        marked(mark)

    def app():
        marked("own")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(work, ["one", "two"]))

    record = recorded(app, dump_dir=str(tmp_path), dump_when=("all",))

    lanes = {entry.name: entry.lane for entry in record.timeline}
    assert lanes["own"] == 0
    assert {lanes["one"], lanes["two"]} == {1, 2}


def test_parallel_calls_have_a_sum_and_a_cover(hook, monkeypatch, clock):
    """Two calls of 2 s over each other: 4 s added up, 3 s of the clock."""
    set_clock(monkeypatch, clock)
    calls = [HeldCall("first"), HeldCall("second")]

    def app():
        calls[0].start()
        clock.advance(1.0)
        calls[1].start()
        clock.advance(1.0)
        calls[0].end()
        clock.advance(1.0)
        calls[1].end()

    record = recorded(app)
    group = record.groups["db_api"]

    assert group == pytest.approx((2, 4000, 3000))
    assert record.breakdown_ms["sqlalchemy"] == pytest.approx(3000)
    assert added_up(record) == pytest.approx(3000)


class HeldCall:
    """A DB API call in a thread that ends when it is told to."""

    def __init__(self, name):
        call = db_api_calls.timed(self._body, CallKey("db_api", name))
        self._begun = threading.Event()
        self._go_on = threading.Event()
        self._thread = threading.Thread(target=call)

    def _body(self):
        self._begun.set()
        assert self._go_on.wait(WAIT_S)

    def start(self):
        self._thread.start()
        assert self._begun.wait(WAIT_S)

    def end(self):
        self._go_on.set()
        self._thread.join(WAIT_S)


def test_a_worker_does_not_belong_to_who_started_it(hook):
    """A pool's thread is made by one request and works for many."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    ask, answered = threading.Event(), threading.Event()

    def foreign():
        assert ask.wait(WAIT_S)
        pool.submit(marked, "foreign").result(WAIT_S)
        answered.set()

    def app():
        pool.submit(marked, "first").result(WAIT_S)
        # Handed over by nobody's thread, while this request still runs.
        ask.set()
        assert answered.wait(WAIT_S)

    service = threading.Thread(target=foreign)
    service.start()
    first = recorded(app)
    second = recorded(lambda: pool.submit(marked, "second").result(WAIT_S))
    pool.shutdown()
    service.join(WAIT_S)

    assert marks(first) == {"first": 1}
    assert marks(second) == {"second": 1}


def test_two_requests_at_once_are_not_mixed(hook):
    """Each finds exactly its own marks, whichever thread did the work."""
    pool = concurrent.futures.ThreadPoolExecutor(4)
    both = threading.Barrier(2)

    def request(name):
        def work():
            both.wait(WAIT_S)
            for _ in range(50):
                pool.submit(marked, name).result(WAIT_S)

        return recorded(work)

    with concurrent.futures.ThreadPoolExecutor(2) as clients:
        records = list(clients.map(request, ["one", "two"]))
    pool.shutdown()

    assert [marks(record) for record in records] == [{"one": 50}, {"two": 50}]


def test_late_work_is_dropped_and_counted(hook):
    """A thread that goes on after the response adds to no record."""
    begun, go_on = threading.Event(), threading.Event()
    lanes = []

    def work():
        marked("in time")
        begun.set()
        assert go_on.wait(WAIT_S)
        lanes.append(current_lane())
        marked("late")

    threads = []

    def app():
        threads.append(threading.Thread(target=work))
        threads[0].start()
        assert begun.wait(WAIT_S)

    before = HOOK_FAILURES.counts().get("late_hooks", 0)
    record = recorded(app)
    go_on.set()
    threads[0].join(WAIT_S)

    assert marks(record) == {"in time": 1}
    assert HOOK_FAILURES.counts()["late_hooks"] == before + 1


def test_a_call_that_is_open_at_the_end_is_counted(hook):
    """It began in the request, and nobody will know how long it took."""
    call = HeldCall("open")

    record = recorded(call.start)
    call.end()

    assert record.counts["late_calls"] == 1
    assert marks(record) == {}


def test_a_thread_that_lives_on_holds_nothing_of_the_request(hook):
    """A heartbeat that the first request starts must not pin its calls."""
    go_on = threading.Event()
    threads = []
    mark = db_api_calls.timed(lambda: 1, CallKey("db_api", "mark"))

    def app():
        for _ in range(100):
            mark()
        threads.append(threading.Thread(target=go_on.wait, args=(WAIT_S,)))
        threads[0].start()

    recorded(app)
    gc.collect()
    held = [
        one
        for one in gc.get_objects()
        if isinstance(one, list) and len(one) == 100
        if type(one[0]) is tuple
    ]
    go_on.set()
    threads[0].join(WAIT_S)

    assert held == []


# -- found by the request id -----------------------------------------------


@pytest.fixture
def nova_context():
    """Return what makes a thread's oslo.context, as nova carries it."""
    yield oslo_context.RequestContext
    if hasattr(oslo_context._request_store, "context"):
        del oslo_context._request_store.context


def in_foreign_thread(work):
    """Run *work* in a thread that no hook took along."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(WAIT_S)


def test_the_request_id_finds_the_request(nova_context):
    """Where no ContextVar came along, nova's context did."""
    request_id = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"

    def work():
        nova_context(request_id=request_id)
        marked("found")
        marked("found")

    profiled = Profiled(during(lambda: in_foreign_thread(work)))
    profiled.get(**{"openstack.request_id": request_id})

    assert marks(profiled.record) == {"found": 2}


@pytest.mark.parametrize("request_id", [None, "req-other"])
def test_another_request_id_finds_nothing(nova_context, request_id):
    """Not this request's, so not counted here."""

    def work():
        nova_context(request_id=request_id)
        marked("lost")

    profiled = Profiled(during(lambda: in_foreign_thread(work)))
    profiled.get(**{"openstack.request_id": "req-1"})

    assert marks(profiled.record) == {}


def test_a_request_that_ended_is_not_found(nova_context):
    """Its id is forgotten with it."""
    profiled = Profiled(during(lambda: None))
    profiled.get(**{"openstack.request_id": "req-1"})

    def work():
        nova_context(request_id="req-1")
        marked("late")

    in_foreign_thread(work)

    assert marks(profiled.record) == {}


def test_more_threads_than_lanes(hook):
    """A request may start any number; all of their calls count."""
    record = recorded(lambda: [run_thread(f"mark{n % 7}") for n in range(300)])

    assert sum(marks(record).values()) == 300


# -- executors of OpenStack, eventlet: in processes of their own -----------


FUTURIST = """
    import json
    import futurist
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.calls import CallKey
    from serving import calls_of, recorded

    before = vars(futurist.ThreadPoolExecutor).get("submit")
    undo = thread_spawns.install()

    def marked():
        return db_api_calls.timed(lambda: 1, CallKey("db_api", "mark"))()

    def work():
        for kind in (
            futurist.ThreadPoolExecutor, futurist.SynchronousExecutor,
        ):
            with kind() as pool:
                assert pool.submit(marked).result() == 1

    record = recorded(work)
    undo()
    after = vars(futurist.ThreadPoolExecutor).get("submit")
    print(json.dumps([
        calls_of(record, "db_api")["mark"].count, before is after
    ]))
"""

EVENTLET = """
    import eventlet
    eventlet.monkey_patch()
    import json
    import futurist
    from eventlet import greenpool
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.calls import CallKey
    from serving import Profiled, calls_of, during, recorded

    before = eventlet.spawn, eventlet.spawn_n, eventlet.greenthread.spawn
    undo = thread_spawns.install()

    def marked(mark):
        def body():
            eventlet.sleep(0)
            return mark
        return db_api_calls.timed(body, CallKey("db_api", mark))()

    def work(name):
        eventlet.spawn(marked, name + " spawn").wait()
        done = eventlet.event.Event()
        eventlet.spawn_n(lambda: done.send(marked(name + " spawn_n")))
        done.wait()
        done2 = eventlet.event.Event()
        eventlet.spawn_after(
            0, lambda: done2.send(marked(name + " spawn_after")))
        done2.wait()
        pool = greenpool.GreenPool(2)
        pool.spawn(marked, name + " pool").wait()
        pool.spawn_n(marked, name + " pool_n")
        pool.waitall()
        with futurist.GreenThreadPoolExecutor(2) as executor:
            executor.submit(marked, name + " futurist").result()

    def request(name):
        record = recorded(lambda: work(name))
        return (
            {n: c.count for n, c in calls_of(record, "db_api").items()},
            record.cpu_ms,
            round(abs(
                sum(record.breakdown_ms.values()) - record.duration_ms
            ), 3),
        )

    outer = greenpool.GreenPool(8)
    found = list(outer.imap(request, [str(n) for n in range(8)]))
    undo()
    after = eventlet.spawn, eventlet.spawn_n, eventlet.greenthread.spawn
    print(json.dumps([found, before == after]))
"""

QUIET = """
    import json, socket, sys, threading
    did = []
    real_start = threading.Thread.start
    threading.Thread.start = lambda self: did.append("thread")
    real_socket = socket.socket
    class Socket(real_socket):
        def __init__(self, *args, **kwargs):
            did.append("socket")
            super().__init__(*args, **kwargs)
    socket.socket = Socket
    socket.getaddrinfo = lambda *args, **kwargs: did.append("name")

    from oslo_config import cfg
    from nova_profiler import factory
    import tempfile, os
    folder = tempfile.mkdtemp()
    made = factory.make_filter(cfg.ConfigOpts(), {}, {
        "statsd_host": "statsd.example", "dump_dir": folder + "/dumps",
        "log_file": folder + "/log.json", "db_api_modules": "json",
        "hooks": "sqlalchemy,db_api,threads,config",
    })(lambda environ, start_response: [])
    left = os.listdir(folder)
    import shutil
    shutil.rmtree(folder)
    print(json.dumps([did, "eventlet" in sys.modules, left]))
"""


def test_executors_of_futurist_take_the_request_along():
    """nova's own helpers end in these."""
    assert answer_of(FUTURIST) == [2, True]


def test_greenthreads_take_the_request_along():
    """Eight requests in one thread: each finds its own six marks."""
    found, put_back = answer_of(EVENTLET)
    ways = ("spawn", "spawn_n", "spawn_after", "pool", "pool_n", "futurist")

    assert put_back
    for number, (counted, cpu_ms, missing_ms) in enumerate(found):
        assert counted == {f"{number} {way}": 1 for way in ways}
        # The thread's CPU clock says nothing of one greenthread.
        assert cpu_ms is None
        assert missing_ms <= 0.001


def test_making_the_filter_is_quiet():
    """No thread, no socket, no look-up, no file; eventlet stays out."""
    assert answer_of(QUIET) == [[], False, []]


# -- installing ------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_undo_puts_everything_back(order):
    """Installed twice, undone in any order."""
    before = (
        threading.Thread.start,
        concurrent.futures.ThreadPoolExecutor.submit,
    )

    undos = [thread_spawns.install() for _ in range(2)]
    during_it = threading.Thread.start
    for index in order:
        undos[index]()

    assert during_it is not before[0]
    assert during_it.__wrapped__ is before[0]
    assert (
        threading.Thread.start,
        concurrent.futures.ThreadPoolExecutor.submit,
    ) == before


def test_modules_that_look_like_eventlet_are_enough(monkeypatch):
    """Found where it is loaded, patched name by name, and put back."""
    fake = types.ModuleType("eventlet")
    fake.spawn = lambda func, *args, **kwargs: func(*args, **kwargs)
    fake.spawn_after = lambda seconds, func, *args: func(*args)
    monkeypatch.setitem(sys.modules, "eventlet", fake)
    monkeypatch.delitem(sys.modules, "eventlet.greenthread", raising=False)
    spawn = fake.spawn
    undo = thread_spawns.install()

    def work():
        assert fake.spawn(marked, "spawn") == "spawn"
        assert fake.spawn_after(0, marked, "after") == "after"

    record = recorded(work)
    undo()

    assert marks(record) == {"spawn": 1, "after": 1}
    assert fake.spawn is spawn
