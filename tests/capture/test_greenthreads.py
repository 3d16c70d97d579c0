# SPDX-License-Identifier: Apache-2.0
"""Tests of threads, naps and locks that nothing patches."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from functools import partial

import pytest

from nova_profiler.capture import greenthreads
from nova_profiler.capture.greenthreads import (
    Inbox,
    nap,
    shares_threads,
    start_thread,
)


class FakeLock:
    """A lock that is never free, and tells what it was asked for."""

    def __init__(self):
        self.asked = []

    def acquire(self, *args, **kwargs):
        self.asked.append((args, kwargs))
        return not self.asked[1:]


@pytest.fixture
def lock(monkeypatch):
    """Return the lock that whoever makes one gets."""
    lock = FakeLock()
    monkeypatch.setattr(greenthreads, "_unpatched", lambda name: lambda: lock)
    return lock


@pytest.mark.parametrize("seconds", [-1.0, -1, -1e-9, -300.0, 0.0, 0])
def test_a_time_that_is_over_is_no_unlimited_wait(lock, seconds):
    """-1 means for ever to a lock."""
    assert not Inbox().wait(seconds)
    assert lock.asked[1:] == [((), {"timeout": 0.0})]


def test_a_nap_asks_for_its_time_and_no_more(lock):
    """Once; nothing is added up, and so nothing gets below zero."""
    nap(0.005)

    assert lock.asked[1:] == [((), {"timeout": 0.005})]


def test_news_are_there_once_however_often_they_were_told():
    """Who waits looks at all that is new."""
    inbox = Inbox()
    inbox.tell()
    inbox.tell()

    assert inbox.wait(0)
    assert not inbox.wait(0)
    inbox.tell()
    assert inbox.wait(0)


def test_who_waits_is_woken():
    """By another thread, long before its time is over."""
    inbox, over = Inbox(), threading.Event()
    found = []

    def wait():
        found.append(inbox.wait(60.0))
        over.set()

    start_thread(wait)
    inbox.tell()

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
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
import _thread
from nova_profiler.capture.greenthreads import Inbox, nap, runs_green
inbox = Inbox()
print(runs_green(), type(inbox._no_news).__module__)
eventlet.spawn(print, "a greenthread ran")
nap(0.01)
inbox.tell()
print(inbox.wait(5), inbox.wait(0.01))
"""


def test_a_nap_leaves_patched_threads_alone():
    """No hub runs greenthreads meanwhile, and none is needed to wake up."""
    pytest.importorskip("eventlet")

    said = subprocess.run(
        [sys.executable, "-c", PATCHED],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert said.splitlines()[:2] == ["True _thread", "True False"]


@pytest.mark.parametrize(
    ("module", "function", "name"),
    [
        ("eventlet.patcher", "is_monkey_patched", "thread"),
        ("gevent.monkey", "is_module_patched", "threading"),
    ],
)
@pytest.mark.parametrize("patched", [True, False])
def test_greenthreads_are_found_without_importing(
    monkeypatch, module, function, name, patched
):
    """Their modules are asked where they are loaded."""
    for other in ("eventlet.patcher", "gevent.monkey"):
        monkeypatch.delitem(sys.modules, other, raising=False)
    fake = types.ModuleType(module)
    setattr(fake, function, lambda asked: asked == name and patched)
    monkeypatch.setitem(sys.modules, module, fake)

    assert shares_threads() is patched


def test_without_greenthreads_none_are_found(monkeypatch):
    """Nothing is imported to find that out."""
    for module in ("eventlet.patcher", "gevent.monkey"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    assert shares_threads() is False
    assert "gevent.monkey" not in sys.modules
