# SPDX-License-Identifier: Apache-2.0
"""Greenthreads are found, and real threads, naps and locks beside them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import types
from functools import partial

import greenlet
import pytest
from serving import Profiled, during

from nova_profiler.capture import greenthreads
from nova_profiler.capture.greenthreads import (
    Wakeup,
    greenlet_module,
    nap,
    runs_green,
    start_thread,
    thread_local,
)


@pytest.fixture
def loaded(monkeypatch):
    """Return what puts a stand-in for eventlet or gevent in its place."""
    for name in ("eventlet.patcher", "gevent.monkey"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def put(name, **functions):
        module = types.ModuleType(name)
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, name, module)

    return put


@pytest.mark.parametrize("patched", [True, False])
@pytest.mark.parametrize(
    ("module", "function", "name"),
    [
        ("eventlet.patcher", "is_monkey_patched", "thread"),
        ("gevent.monkey", "is_module_patched", "threading"),
    ],
)
def test_greenthreads_are_found_where_threads_are_patched(
    loaded, module, function, name, patched
):
    """Loaded alone, neither library changes what a thread is."""
    loaded(module, **{function: lambda asked: asked == name and patched})

    assert runs_green() is patched


@pytest.mark.parametrize("in_greenlet", [True, False])
def test_a_greenlet_has_no_cpu_clock_where_threads_are_unpatched(
    loaded, in_greenlet
):
    """gevent with ``thread=False``: one thread, and many requests in it."""
    loaded(
        "gevent.monkey",
        is_module_patched=lambda name: False,
        get_original=lambda module, name: getattr(sys.modules[module], name),
    )
    profiled = Profiled(during(lambda: None))
    serve = profiled.get
    if in_greenlet:
        serve = greenlet.greenlet(serve).switch

    serve()

    assert (profiled.record.cpu_ms is None) is in_greenlet


def test_without_greenthreads_none_are_found(loaded):
    """Nothing is imported to find that out."""
    assert not runs_green()
    assert "gevent.monkey" not in sys.modules
    assert thread_local().__class__ is threading.local


@pytest.mark.parametrize("patched", [True, False])
def test_eventlet_is_asked_for_the_unpatched_module_once_it_patched(
    loaded, patched
):
    """Its original() loads a module anew, which nothing else needs."""
    unpatched = types.SimpleNamespace(_local=dict)
    loaded(
        "eventlet.patcher",
        is_monkey_patched=lambda name: patched,
        original=lambda name: {"_thread": unpatched}[name],
    )

    assert isinstance(thread_local(), dict) is patched


def test_gevent_is_asked_for_each_function(loaded):
    """It has the originals, and what it has not patched it returns as is."""
    loaded(
        "gevent.monkey",
        get_original=lambda *asked: {("_thread", "_local"): dict}[asked],
    )

    assert thread_local() == {}


def test_requests_may_be_greenlets_within_any_but_a_threads_first():
    """A library that brings greenlet along does not make them so."""
    inside: list[object] = []
    greenlet.greenlet(lambda: inside.append(greenlet_module())).switch()

    assert greenlet_module() is None
    assert inside == [greenlet]


def test_without_greenlet_no_request_is_one(monkeypatch):
    """It is not imported to find that out."""
    monkeypatch.delitem(sys.modules, "greenlet")

    assert greenlet_module() is None
    assert "greenlet" not in sys.modules


class FakeLock:
    """A lock that is never free, and keeps what it was asked for."""

    def __init__(self):
        self.asked = []

    def acquire(self, *args, **kwargs):
        self.asked.append((args, kwargs))
        return not self.asked[1:]


@pytest.fixture
def lock(monkeypatch):
    """Return the lock that any thread gets which makes one."""
    lock = FakeLock()
    monkeypatch.setattr(greenthreads, "_unpatched", lambda name: lambda: lock)
    return lock


@pytest.mark.parametrize("seconds", [-1.0, -1, -1e-9, -300.0, 0.0, 0])
def test_a_time_that_is_over_is_no_unlimited_wait(lock, seconds):
    """For a lock, -1 means no limit."""
    assert not Wakeup().wait(seconds)
    assert lock.asked[1:] == [((), {"timeout": 0.0})]


def test_a_nap_asks_for_its_time_and_no_more(lock):
    """Once; nothing is added up, and so nothing gets below zero."""
    nap(0.005)

    assert lock.asked[1:] == [((), {"timeout": 0.005})]


def test_one_wait_takes_any_number_of_wakings():
    """The thread that waits looks at all that is new."""
    wakeup = Wakeup()
    wakeup.wake()
    wakeup.wake()

    assert wakeup.wait(0)
    assert not wakeup.wait(0)
    wakeup.wake()
    assert wakeup.wait(0)


def test_a_thread_that_waits_is_woken():
    """By another thread, long before its time is over."""
    wakeup, over = Wakeup(), threading.Event()
    found = []

    def wait():
        found.append(wakeup.wait(60.0))
        over.set()

    start_thread(wait)
    wakeup.wake()

    assert over.wait(20)
    assert found == [True]


def test_the_shortest_naps_end():
    """Off the processor for longer than that, no thread hangs.

    In one that waits by a queue's timeout most of these do, on Python 3.11.
    """
    ends = [threading.Event() for _ in range(8)]

    def sleep_often(over):
        for _ in range(5000):
            nap(1e-6)
        over.set()

    # A thread that hangs does not keep the process from ending.
    for over in ends:
        start_thread(partial(sleep_often, over))

    assert all(over.wait(20) for over in ends)


PATCHED = """
import json, warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
from nova_profiler.capture.greenthreads import (
    Wakeup, greenlet_module, nap, runs_green, start_thread, thread_local,
)
wakeup, ran = Wakeup(), []
found = {
    "runs_green": runs_green(),
    "greenlet": greenlet_module() is not None,
    "modules": [type(o).__module__ for o in (wakeup._lock, thread_local())],
}
eventlet.spawn(ran.append, "greenthread")
start_thread(lambda: (nap(0.01), ran.append("thread"), wakeup.wake()))
found["woken"] = wakeup.wait(20), wakeup.wait(0.01)
print(json.dumps({**found, "ran": ran}))
"""


def test_under_eventlet_threads_naps_and_locks_are_the_systems():
    """No greenthread runs meanwhile, and none is needed to wake up."""
    pytest.importorskip("eventlet")

    done = subprocess.run(
        [sys.executable, "-c", PATCHED],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout) == {
        "runs_green": True,
        "greenlet": True,
        "modules": ["_thread", "_thread"],
        "woken": [True, False],
        "ran": ["thread"],
    }
