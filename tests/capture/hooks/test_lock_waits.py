# SPDX-License-Identifier: Apache-2.0
"""Waiting for a lock of oslo.concurrency has the lock's name."""

from __future__ import annotations

import logging
import threading

import pytest
from imported import imported
from oslo_config import cfg
from serving import added_up, calls_of, recorded, set_clock

from nova_profiler.capture.hooks import lock_waits, log_handlers

lockutils = imported("oslo_concurrency.lockutils")

UUID = "0b8ab9d5-5f7a-4c25-8ee1-4e3d8e7b3c4e"


@pytest.fixture(autouse=True)
def hook():
    undo = lock_waits.install()
    yield
    undo()


class Slow:
    """Semaphores that are free only after some time."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self.held = False

    def get(self, name):
        return self

    def __enter__(self):
        self.clock.advance(self.seconds)
        self.held = True

    def __exit__(self, *exc_info):
        self.held = False


def test_waiting_is_named_without_ids_and_holding_is_not(clock, monkeypatch):
    set_clock(monkeypatch, clock)

    def work():
        slow = Slow(clock, 2.0)
        with lockutils.lock(f"nova-{UUID}", semaphores=slow):
            assert slow.held
            clock.advance(5.0)
        assert not slow.held

    record = recorded(work)

    calls = calls_of(record, "lock")
    assert {name: call.ms for name, call in calls.items()} == {
        "nova-{id}": 2000
    }
    assert record.counts["locks"] == 1
    assert record.breakdown_ms["lock"] == pytest.approx(2000)
    assert added_up(record) == pytest.approx(7000)


@pytest.mark.parametrize("waits_s", [0.0, 3.0])
def test_what_the_lock_logs_is_no_wait(clock, monkeypatch, waits_s):
    """A handler that takes long has its own name; the sum is the time."""
    set_clock(monkeypatch, clock)

    class SlowHandler(logging.Handler):
        def emit(self, record):
            clock.advance(2.0)

    def work():
        slow = Slow(clock, waits_s)
        with lockutils.lock("compute", semaphores=slow):
            pass

    undo = log_handlers.install()
    handler = SlowHandler()
    level = lockutils.LOG.level
    lockutils.LOG.setLevel(logging.DEBUG)
    monkeypatch.setattr(lockutils.LOG, "handlers", [handler])
    monkeypatch.setattr(lockutils.LOG, "propagate", False)
    try:
        record = recorded(work)
    finally:
        lockutils.LOG.setLevel(level)
        undo()

    lines = record.counts["log_records"]
    assert lines
    logged_ms = lines * 2000
    assert record.breakdown_ms["log"] == pytest.approx(logged_ms)
    assert record.breakdown_ms.get("lock", 0.0) == pytest.approx(
        waits_s * 1000
    )
    assert list(calls_of(record, "lock")) == ["compute"][: int(waits_s)]
    assert added_up(record) == pytest.approx(logged_ms + waits_s * 1000)


def test_locks_that_are_free_are_counted(clock, monkeypatch):
    """Decorators look the lock up at each call."""
    set_clock(monkeypatch, clock)

    @lockutils.synchronized("of_a_function")
    def work():
        with lockutils.lock("of_a_block"), lockutils.lock("fair", fair=True):
            return 5

    record = recorded(work)

    assert record.counts["locks"] == 3
    assert calls_of(record, "lock") == {}


def test_a_lock_that_cannot_be_had_raises(clock, monkeypatch):
    """As it does without us; the time until then was waiting."""
    set_clock(monkeypatch, clock)
    taken = threading.Semaphore(0)

    class Taken:
        def get(self, name):
            clock.advance(1.0)
            return taken

    def work():
        with pytest.raises(lockutils.AcquireLockFailedException):
            with lockutils.lock("busy", semaphores=Taken(), blocking=False):
                raise AssertionError("nobody gets it")

    record = recorded(work)

    assert record.counts["locks"] == 1
    assert calls_of(record, "lock")["busy"].count == 1


def test_a_lock_between_processes(tmp_path):
    lockutils.register_opts(cfg.CONF) if hasattr(
        lockutils, "register_opts"
    ) else None

    def work():
        with lockutils.lock("a", external=True, lock_path=str(tmp_path)):
            assert list(tmp_path.iterdir())

    assert recorded(work).counts["locks"] == 1


def test_an_error_inside_passes_and_lets_the_lock_go():
    def work():
        with pytest.raises(ZeroDivisionError):
            with lockutils.lock("of_an_error"):
                divmod(1, 0)
        with lockutils.lock("of_an_error", blocking=False):
            pass

    assert recorded(work).counts["locks"] == 2


def test_what_lock_gives_can_still_be_a_decorator():
    """And has the attributes that it had."""
    called = []

    def work():
        lock = lockutils.lock("as_decorator")
        assert lock.gen is not None
        lock(called.append)(5)

    recorded(work)

    assert called == [5]


def test_outside_a_request_it_is_the_library_s_own():
    with lockutils.lock("free") as held:
        assert held is not None
    assert type(lockutils.lock("x")).__module__ == "contextlib"
