# SPDX-License-Identifier: Apache-2.0
"""Each thread's stack shows for which request it works, and in which call."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from types import SimpleNamespace

import greenlet
import pytest
from executing import executed
from serving import Profiled, served

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.call_names import NamedKeys
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import OVER, Capture
from nova_profiler.capture.current import (
    LaneCall,
    active,
    current_lane,
    lane_var,
)
from nova_profiler.capture.hooks import (
    cache_calls,
    lock_waits,
    log_handlers,
    timed_callables,
)
from nova_profiler.capture.hooks.database import (
    db_api_calls,
    sqlalchemy_methods,
)
from nova_profiler.capture.hooks.http import sent_requests
from nova_profiler.capture.hooks.processes import child_processes
from nova_profiler.capture.hooks.rpc import sent_messages
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.running import open_calls
from nova_profiler.capture.running.open_calls import open_calls_of

KEY = CallKey("db_api", "instance_get")


class Gate:
    """A place where a thread stands until the test lets it go on."""

    def __init__(self):
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, *ignored, **also):
        self.reached.set()
        assert self.opened.wait(30)
        return []


@pytest.fixture
def gate():
    """Return a gate, which is open at the end."""
    gate = Gate()
    yield gate
    gate.opened.set()


@contextmanager
def standing(app, gate, **options):
    """Serve a request in a thread that stands at *gate*; yield its capture."""
    profiled = Profiled(app, **options)
    thread = threading.Thread(
        target=served, args=(profiled.filter, "/v2.1/servers"), name="worker-1"
    )
    thread.start()
    try:
        assert gate.reached.wait(30)
        (capture,) = active.values()
        yield capture
    finally:
        gate.opened.set()
        thread.join()


def opened(capture):
    return open_calls_of([capture], perf_counter())[id(capture)]


def names(capture):
    return [(call.group, call.name) for call in opened(capture).calls]


def calling(work):
    """Return an application that calls *work*."""

    def app(environ, start_response):
        work()
        start_response("200 OK", [])
        return [b"ok"]

    return app


class Driver:
    """As much of SQLAlchemy as the hooks of its methods look at."""

    def __init__(self, work):
        self.work = work
        self._ConnectionRecord__pool = None
        self.context = SimpleNamespace(
            statement="SELECT 1", root_connection=SimpleNamespace(engine=None)
        )

    def fetchall(self, result, cursor):
        return self.work()


def fetched(gate):
    driver = Driver(gate)
    timed = sqlalchemy_methods._timed_fetch(Driver.fetchall, many=True)
    timed(driver, driver, None)


def committed(gate):
    wrap = sqlalchemy_methods._timed_as(sqlalchemy_methods.COMMIT)
    wrap(gate)(None, None)


def generated(gate):
    def steps():
        yield gate()

    list(db_api_calls.timed(steps, KEY)())


def timed_by_name(gate):
    key = CallKey("timed", "Class.method")
    timed_callables._timed(gate, key)()


def in_lane(call, key, gate):
    call(current_lane(), key, gate, (), {})


def locked(gate):
    taken = SimpleNamespace(__enter__=gate)
    keys = NamedKeys("lock")
    lock_waits._WaitedFor(taken, "a", current_lane(), keys).__enter__()


def logged(gate):
    log_handlers._handled(current_lane(), NamedKeys("log"), gate, None, None)


class Handler:
    """A handler of logging whose lock another thread has at first."""

    filters = ()
    filter = logging.Filterer.filter

    def __init__(self, wait):
        # As oslo.log calls it.
        self.recursion_depth = 0
        self.wait = wait
        self.lock = self

    def acquire(self, blocking=True):
        if blocking:
            self.wait()
        return blocking

    def release(self):
        """Have nothing to let go."""


def logged_in_turn(wait, handle):
    timed = log_handlers._timed(NamedKeys("log"), lambda *_: handle())
    timed(Handler(wait), None)


def commanded(gate):
    child_processes._queued(child_processes._having_its_turn(gate))()


# Each hook that times something, and what is open while it does.
OPEN = {
    "db_api": (
        lambda gate: db_api_calls.timed(gate, KEY)(),
        [("db_api", "instance_get")],
    ),
    "generator": (generated, [("db_api", "instance_get")]),
    "statement": (
        lambda gate: executed("SELECT a FROM instances WHERE b = ?", gate),
        [("sql", "SELECT instances")],
    ),
    "many": (
        lambda gate: executed("INSERT INTO t (a) VALUES (?)", gate, many=True),
        [("sql", "INSERT t")],
    ),
    "fetch": (fetched, [("fetch", "fetch")]),
    "commit": (committed, [("transaction", "COMMIT")]),
    "pool": (
        lambda gate: sqlalchemy_methods._timed_wait(gate)(None),
        [("pool_wait", "pool_wait")],
    ),
    "connect": (
        lambda gate: sqlalchemy_methods._timed_connect(gate)(Driver(gate)),
        [("connect", "connect")],
    ),
    "http": (
        lambda gate: in_lane(
            sent_requests._timed, CallKey("http", "network GET /"), gate
        ),
        [("http", "network GET /")],
    ),
    "rpc": (
        lambda gate: in_lane(
            lambda *call: sent_messages._in_lane(*call, False),
            CallKey("rpc", "compute ping"),
            gate,
        ),
        [("rpc", "compute ping")],
    ),
    "lock": (locked, [("lock", "other")]),
    "log": (logged, [("log", "other")]),
    "log's turn": (
        lambda gate: logged_in_turn(gate, list),
        [("lock", "logging")],
    ),
    "log in its turn": (
        lambda gate: logged_in_turn(list, gate),
        [("log", "other")],
    ),
    "rootwrap's turn": (
        lambda gate: child_processes._queued(gate)(),
        [("lock", "rootwrap-daemon")],
    ),
    "rootwrap in its turn": (commanded, []),
    "timed": (timed_by_name, [("timed", "Class.method")]),
    "nested": (
        lambda gate: db_api_calls.timed(
            lambda: executed("SELECT 1 FROM flavors", gate), KEY
        )(),
        [("db_api", "instance_get"), ("sql", "SELECT flavors")],
    ),
    "nothing": (lambda gate: gate(), []),
}


@pytest.mark.parametrize(("work", "names_there"), OPEN.values(), ids=OPEN)
def test_each_hook_shows_the_call_that_is_open(gate, work, names_there):
    """By what its function holds, which costs a request nothing."""
    with standing(calling(partial(work, gate)), gate) as capture:
        assert names(capture) == names_there

    assert active == {}


def test_no_code_of_the_application_is_asked_what_it_is(gate):
    """A proxy may connect to something before it says what it stands for."""
    asked = []

    class Region:
        @property
        def __class__(self):
            asked.append(threading.current_thread().name)
            return Region

    elsewhere = Gate()
    get = cache_calls._of_region("get")(elsewhere)
    thread = threading.Thread(target=get, args=(Region(),))
    thread.start()
    assert elsewhere.reached.wait(30)
    with standing(calling(gate), gate) as capture:
        opened(capture)
    elsewhere.opened.set()
    thread.join()

    assert asked == []


def test_a_call_has_its_begin_and_its_length(gate):
    """Both count from the request's begin."""
    app = calling(db_api_calls.timed(gate, KEY))
    with standing(app, gate) as capture:
        now = capture.started + 7.0
        found = open_calls_of([capture], now)[id(capture)]

    (call,) = found.calls
    assert 0 <= call.start_ms < 5000
    assert call.start_ms + call.ms == pytest.approx(7000.0)
    assert call.thread == "worker-1"


def test_a_stack_is_the_applications(gate):
    """Without our frames, and without those of the server around it."""
    with standing(calling(gate), gate) as capture:
        (stack,) = opened(capture).stacks

    functions = [frame.rpartition(" ")[2] for frame in stack.frames]
    assert functions[:2] == ["app", "__call__"]
    assert functions[-1] == "wait"
    assert not any(OWN_FOLDER in frame for frame in stack.frames)
    assert f"{__file__}:" in stack.frames[0]


def test_a_body_that_is_being_made_is_found_too(gate):
    """The application has returned by then."""

    def app(environ, start_response):
        start_response("200 OK", [])

        def body():
            yield b"a"
            gate()

        return body()

    with standing(app, gate) as capture:
        (stack,) = opened(capture).stacks

    assert stack.frames[0].endswith(" body")


def test_threads_that_work_for_it_have_their_own_stacks(gate):
    """nova asks its cells in a pool."""
    statement = partial(executed, "SELECT a FROM instances", gate)
    undo = thread_spawns.install()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="cell") as pool:
            app = calling(lambda: pool.submit(statement).result())
            with standing(app, gate) as capture:
                found = opened(capture)
    finally:
        undo()

    (call,) = found.calls
    assert (call.name, call.thread) == ("SELECT instances", "cell_0")
    threads = sorted(stack.thread for stack in found.stacks)
    assert threads == ["cell_0", "worker-1"]


def test_two_requests_are_kept_apart(gate):
    """Each thread is its own request's."""
    other = Gate()
    with (
        standing(calling(db_api_calls.timed(gate, KEY)), gate) as capture,
    ):
        profiled = Profiled(calling(other))
        thread = threading.Thread(target=served, args=(profiled.filter, "/x"))
        thread.start()
        assert other.reached.wait(30)
        (second,) = (one for one in active.values() if one is not capture)

        found = open_calls_of([capture, second], perf_counter())

        other.opened.set()
        thread.join()
    assert len(found[id(capture)].calls) == 1
    assert found[id(second)].calls == []
    assert all(len(one.stacks) == 1 for one in found.values())


def test_a_greenthread_that_waits_is_found_by_its_greenlet(monkeypatch):
    """No thread's stack has it: its thread runs another one."""
    monkeypatch.setattr(
        "nova_profiler.capture.served.worker.runs_green", lambda: True
    )
    hub = greenlet.getcurrent()
    work = db_api_calls.timed(lambda: hub.switch(), KEY)
    profiled = Profiled(calling(work))
    waiting = greenlet.greenlet(partial(served, profiled.filter, "/x"))
    waiting.switch()
    (capture,) = active.values()
    found = []

    def look():
        found.append(opened(capture))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    waiting.switch()

    (open_now,) = found
    assert [call.name for call in open_now.calls] == ["instance_get"]
    (stack,) = open_now.stacks
    assert stack.thread == "greenthread"
    assert stack.frames[0].endswith(" app")
    assert profiled.record.outcome == "ok"


def test_greenthreads_that_a_request_started_are_found(monkeypatch):
    """Each has a lane of its own, and its greenlet with it."""
    hub = greenlet.getcurrent()
    capture = Capture(OVER.served, 10)
    call = LaneCall(
        capture, lambda: executed("SELECT a FROM cells", hub.switch)
    )
    spawned = greenlet.greenlet(call)
    spawned.switch()
    found = []
    thread = threading.Thread(target=lambda: found.append(opened(capture)))
    thread.start()
    thread.join()
    spawned.switch()

    assert [call.name for call in found[0].calls] == ["SELECT cells"]


def test_a_greenlet_that_has_ended_is_not_held():
    """What ends is let go of, whatever still knows the request."""
    capture = None

    def work():
        nonlocal capture
        capture = Capture(OVER.served, 10)

    one = greenlet.greenlet(work)
    one.switch()
    del one

    assert [refer() for refer in capture.greenlets] == [None]
    assert opened(capture) == ([], [])


def test_a_request_that_has_ended_is_in_nothing(gate):
    """Its thread may serve another one by now."""
    with standing(calling(gate), gate) as capture:
        pass

    assert opened(capture) == ([], [])


def test_a_stack_that_ran_away_is_cut(gate, monkeypatch):
    """The innermost frames are kept, and only so many are looked at."""

    def deep(n):
        return gate() if n == 0 else deep(n - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        for depth, frames in ((500, open_calls.MAX_FRAMES), (5_000, 0)):
            gate.__init__()
            with standing(calling(partial(deep, depth)), gate) as capture:
                stacks = opened(capture).stacks
            assert sum(len(stack.frames) for stack in stacks) == frames
    finally:
        sys.setrecursionlimit(limit)


def test_many_threads_are_cut(gate, monkeypatch):
    """What one request may write is bounded."""
    monkeypatch.setattr(open_calls, "MAX_THREADS", 1)
    undo = thread_spawns.install()
    try:
        with ThreadPoolExecutor(3) as pool:

            def work():
                for future in [pool.submit(gate) for _ in range(3)]:
                    future.result()

            with standing(calling(work), gate) as capture:
                assert len(opened(capture).stacks) == 1
    finally:
        undo()


def test_a_lane_says_whose_call_it_is_without_a_filter():
    """As a hook that finds its request by oslo.context does."""
    capture = Capture(OVER.served, 10)
    gate = Gate()

    def work():
        lane_var.set(capture.main)
        sqlalchemy_methods._timed_as(sqlalchemy_methods.PING)(gate)(0, 0)

    thread = threading.Thread(target=work)
    thread.start()
    assert gate.reached.wait(30)
    found = names(capture)
    gate.opened.set()
    thread.join()

    assert found == [("ping", "ping")]


def test_a_thread_s_name_may_hold_anything(gate):
    """It is shown only where it looks like a name."""
    profiled = Profiled(calling(gate))
    thread = threading.Thread(
        target=served, args=(profiled.filter, "/"), name="token=gAAA for bob"
    )
    thread.start()
    assert gate.reached.wait(30)
    (capture,) = active.values()

    (stack,) = opened(capture).stacks

    gate.opened.set()
    thread.join()
    assert stack.thread == "a thread"


@pytest.mark.parametrize("is_on", [True, False])
def test_no_collection_begins_while_frames_are_made(monkeypatch, is_on):
    """The interpreter would wait for a lock of its own, for good."""
    seen = []

    def frames():
        seen.append(gc.isenabled())
        raise RuntimeError("no frames")

    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        monkeypatch.setattr(open_calls.sys, "_current_frames", frames)
        with pytest.raises(RuntimeError, match="no frames"):
            list(open_calls._stacks_of([]))
        after = gc.isenabled()
    finally:
        monkeypatch.undo()
        (gc.enable if was_on else gc.disable)()

    assert seen == [False]
    assert after is is_on
