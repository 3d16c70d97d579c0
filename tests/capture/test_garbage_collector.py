# SPDX-License-Identifier: Apache-2.0
"""What the garbage collector calls knows that it has interrupted a thread."""

from __future__ import annotations

import gc
import os
import threading

import greenlet
import pytest

from nova_profiler.capture.garbage_collector import (
    is_collecting,
    watch_collector,
)


@pytest.fixture(autouse=True)
def watched():
    """Run the collector only where a test says so."""
    watch_collector()
    gc.disable()
    yield
    gc.enable()


class AtItsEnd:
    """Part of a cycle: calls *work* inside the collector."""

    def __init__(self, work):
        self.work = work
        self.cycle = self

    def __del__(self):
        self.work()


def collected(work):
    """Have the collector call *work*."""
    AtItsEnd(work)
    gc.collect()


def test_only_what_the_collector_calls_is_inside_it():
    seen = [is_collecting()]

    collected(lambda: seen.append(is_collecting()))

    assert [*seen, is_collecting()] == [False, True, False]


def test_another_thread_is_not_inside_it():
    """It goes on where the collector's thread lets it."""
    seen = []

    def work():
        look = threading.Thread(target=lambda: seen.append(is_collecting()))
        look.start()
        look.join()

    collected(work)

    assert seen == [False]


def test_a_greenlet_that_it_ends_is_inside_it():
    """It is thrown out in the thread that is interrupted."""
    seen = []
    hub = greenlet.getcurrent()

    def wait():
        try:
            hub.switch()
        finally:
            seen.append(is_collecting())

    waiting = greenlet.greenlet(wait)
    waiting.switch()
    cycle = [waiting]
    cycle.append(cycle)
    del waiting, cycle
    gc.collect()

    assert seen == [True]


@pytest.mark.parametrize("is_inside", [False, True])
def test_a_forked_process_is_inside_it_if_its_thread_was(is_inside):
    """Another thread's run does not come along."""
    begun, ended = threading.Event(), threading.Event()
    codes = []

    def fork():
        pid = os.fork()
        if pid == 0:
            os._exit(int(is_collecting()))
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def wait():
        begun.set()
        assert ended.wait(30)

    if is_inside:
        collected(fork)
    else:
        thread = threading.Thread(target=collected, args=(wait,))
        thread.start()
        assert begun.wait(30)
        fork()
        ended.set()
        thread.join()

    assert codes == [is_inside]


def test_what_raises_leaves_nothing_behind(monkeypatch):
    """Python reports what a finalizer raises, and goes on."""
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: None)

    collected(lambda: 1 / 0)

    assert not is_collecting()
