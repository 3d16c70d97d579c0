# SPDX-License-Identifier: Apache-2.0
"""Work that a request hands to greenlets of gevent, and to eventlet's tpool.

In processes of their own: both change what a thread is.
"""

from __future__ import annotations

import sys
import types

import pytest
from programs import answer_of
from serving import recorded

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.spawns import greenlet_spawns

GEVENT = """
    from gevent import monkey
    monkey.patch_all(thread={thread})
    import json, threading
    import concurrent.futures
    import gevent, gevent.pool, gevent.threadpool
    from gevent import spawn as spawn_by_name
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.calls import CallKey
    from serving import calls_of, recorded

    undo = thread_spawns.install()

    def marked(mark):
        def body():
            gevent.sleep(0)
            return mark
        return db_api_calls.timed(body, CallKey("db_api", mark))()

    class Own(gevent.Greenlet):
        def _run(self):
            marked("subclass")

    def raw():
        done = gevent.event.AsyncResult()
        gevent.spawn_raw(lambda: done.set(marked("spawn_raw")))
        done.get()

    def thread():
        one = threading.Thread(target=marked, args=["Thread"])
        one.start()
        one.join()

    def executor(kind, mark):
        with kind(1) as pool:
            assert pool.submit(marked, mark).result() == mark

    WAYS = {{
        "spawn": lambda: gevent.spawn(marked, "spawn").get(),
        "spawn, by name": lambda: spawn_by_name(
            marked, "spawn, by name").get(),
        "spawn_later": lambda: gevent.spawn_later(
            0, marked, "spawn_later").get(),
        "Greenlet": lambda: [
            one.start() or one.get()
            for one in [gevent.Greenlet(marked, "Greenlet")]
        ],
        "subclass": lambda: [
            one.start() or one.join() for one in [Own()]],
        "spawn_raw": raw,
        "Pool.spawn": lambda: gevent.pool.Pool(1).spawn(
            marked, "Pool.spawn").get(),
        "Pool.map": lambda: gevent.pool.Pool(2).map(marked, ["Pool.map"]),
        "Pool.imap": lambda: list(
            gevent.pool.Pool(2).imap(marked, ["Pool.imap"])),
        "Pool.apply_async": lambda: gevent.pool.Pool(1).apply_async(
            marked, ["Pool.apply_async"]).get(),
        "Group.spawn": lambda: gevent.pool.Group().spawn(
            marked, "Group.spawn").get(),
        "ThreadPool.spawn": lambda: gevent.threadpool.ThreadPool(1).spawn(
            marked, "ThreadPool.spawn").get(),
        "ThreadPool.apply": lambda: gevent.threadpool.ThreadPool(1).apply(
            marked, ["ThreadPool.apply"]),
        "Thread": thread,
        "futures": lambda: executor(
            concurrent.futures.ThreadPoolExecutor, "futures"),
        "gevent's futures": lambda: executor(
            gevent.threadpool.ThreadPoolExecutor, "gevent's futures"),
    }}

    def request(way):
        record = recorded(WAYS[way])
        return (
            {{n: c.count for n, c in calls_of(record, "db_api").items()}},
            record.cpu_ms,
            record.counts,
        )

    # All at once, in greenlets of one thread.
    found = dict(zip(WAYS, gevent.pool.Pool(50).map(request, WAYS)))
    undo()
    print(json.dumps(found))
"""

LATE = """
    import json
    from oslo_config import cfg
    from nova_profiler import factory
    from serving import served
    import tempfile, os
    folder = tempfile.mkdtemp()
    log = folder + "/log.json"

    def app(environ, start_response):
        import gevent
        work = db_api_calls.timed(lambda: 1, CallKey("db_api", "mark"))
        gevent.spawn(work).get()
        start_response("200 OK", [])
        return [b""]

    made = factory.make_filter(
        cfg.ConfigOpts(), {}, {"log_file": log, "hooks": "threads"}
    )(app)
    import gevent
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.calls import CallKey
    served(made)
    made.worker.undo()
    with open(log) as lines:
        print(json.dumps(json.loads(lines.read())["groups"]["db_api"]))
"""

TPOOL = """
    import eventlet
    eventlet.monkey_patch()
    from eventlet import tpool
    import json
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.hooks.database import db_api_calls
    from nova_profiler.capture.calls import CallKey
    from serving import calls_of, recorded

    undo = thread_spawns.install()

    class Slow:
        def method(self):
            return marked("proxy")

    def marked(mark):
        return db_api_calls.timed(lambda: mark, CallKey("db_api", mark))()

    def work():
        assert tpool.execute(marked, "execute") == "execute"
        assert tpool.Proxy(Slow()).method() == "proxy"

    first, second = recorded(work), recorded(work)
    undo()
    print(json.dumps([
        {n: c.count for n, c in calls_of(record, "db_api").items()}
        for record in (first, second)
    ] + [second.counts]))
"""


@pytest.mark.parametrize("thread", [True, False])
def test_greenlets_of_gevent_take_the_request_along(thread):
    """Sixteen requests at once in one thread, each by a way of its own."""
    found = answer_of(GEVENT.format(thread=thread))

    assert len(found) == 16
    for way, (counted, cpu_ms, counts) in found.items():
        assert counted == {way: 1}
        # The thread's CPU clock says nothing of one greenlet, whether gevent
        # has patched threads or not.
        assert cpu_ms is None
        assert counts == {}


def test_gevent_may_be_loaded_after_the_filter():
    """The first request of a worker looks again."""
    assert answer_of(LATE)["calls"] == 1


def test_the_threads_of_eventlet_take_the_request_along():
    """They are of the system, and work for all requests."""
    expected = {"execute": 1, "proxy": 1}

    assert answer_of(TPOOL) == [expected, expected, {}]


def test_a_greenlet_that_cannot_be_followed_starts_all_the_same(monkeypatch):
    """One whose function cannot be replaced; it is noted, once."""

    class Fixed:
        __slots__ = ()

        def _run(self):
            raise AssertionError

    callbacks = set()

    class Greenlet:
        add_spawn_callback = staticmethod(callbacks.add)
        remove_spawn_callback = staticmethod(callbacks.discard)

    gevent = types.ModuleType("gevent")
    gevent.Greenlet = Greenlet
    monkeypatch.setitem(sys.modules, "gevent", gevent)
    noted = HOOK_FAILURES.counts().get("spawn_hook", 0)
    undos = [greenlet_spawns.install() for _ in range(2)]
    (starting,) = callbacks

    recorded(lambda: starting(Fixed()))
    for undo in (*undos, *undos):
        undo()

    assert HOOK_FAILURES.counts()["spawn_hook"] == noted + 1
    assert callbacks == set()
