# SPDX-License-Identifier: Apache-2.0
"""Log handlers that take long have a name; the others are counted."""

from __future__ import annotations

import logging
import threading

import pytest
from serving import Profiled, added_up, calls_of, during, recorded, set_clock

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.hooks import log_handlers
from nova_profiler.capture.timing import call_timed
from nova_profiler.groups import TIMED


@pytest.fixture(autouse=True)
def hook():
    undo = log_handlers.install()
    yield
    undo()


class Slow(logging.Handler):
    """A handler to a slow place."""

    def __init__(self, clock=None, seconds=0.0):
        super().__init__()
        self.clock = clock
        self.seconds = seconds
        self.lines = []

    def emit(self, record):
        if self.clock is not None:
            self.clock.advance(self.seconds)
        self.lines.append(record.getMessage())


@pytest.fixture
def log():
    """Return a logger whose handlers are the test's alone."""
    return logging.Logger("of_log_handlers")


def test_a_slow_handler_is_named(log, clock, monkeypatch):
    set_clock(monkeypatch, clock)
    log.addHandler(Slow(clock, 2.0))
    log.addHandler(Slow(clock, 0.00005))

    record = recorded(lambda: log.info("a %s", "line"))

    assert log.handlers[0].lines == ["a line"]
    assert record.groups["log"].calls == 1
    assert record.groups["log"].ms == pytest.approx(2000)
    assert record.breakdown_ms["log"] == pytest.approx(2000)
    assert record.counts["log_records"] == 2
    assert added_up(record) == pytest.approx(2000.05)


class Taken:
    """A handler's lock that another thread holds for a while."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        # As oslo.log calls it.
        self.recursion_depth = 0

    def acquire(self, blocking=True):
        if not self.recursion_depth:
            if not blocking:
                return False
            self.clock.advance(self.seconds)
        self.recursion_depth += 1
        return True

    def release(self):
        self.recursion_depth -= 1

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exc_info):
        self.release()


def test_waiting_for_a_handler_s_lock_is_a_lock_s(log, clock, monkeypatch):
    set_clock(monkeypatch, clock)
    handler = Slow(clock, 2.0)
    handler.lock = Taken(clock, 3.0)
    log.addHandler(handler)

    record = recorded(lambda: log.info("a line"))

    assert handler.lock.recursion_depth == 0
    assert calls_of(record, "lock")["logging"].ms == pytest.approx(3000)
    assert record.breakdown_ms["lock"] == pytest.approx(3000)
    assert record.breakdown_ms["log"] == pytest.approx(2000)


def test_a_filter_runs_before_the_lock_is_taken(log, clock, monkeypatch):
    """As without us: it may wait for a thread that logs."""
    set_clock(monkeypatch, clock)
    handler = Slow()
    handler.lock = Taken(clock, 3.0)
    depths = []
    handler.addFilter(
        lambda record: depths.append(handler.lock.recursion_depth) or True
    )
    log.addHandler(handler)

    record = recorded(lambda: log.info("a line"))

    assert depths == [0]
    assert handler.lines == ["a line"]
    # Then the wait is part of the handler's time.
    assert record.breakdown_ms["log"] == pytest.approx(3000)


def test_a_handler_without_a_lock(log):
    """Up to Python 3.12 one may have none."""

    class Free(Slow):
        def createLock(self):
            """Make none."""

        def filter(self, record):
            # What handle() does with the lock is another matter.
            return False

    log.addHandler(Free())

    assert recorded(lambda: log.info("a line")).counts["log_records"] == 1


def test_a_lock_that_cannot_be_taken_twice_is_left_to_the_handler(log):
    """A plain one, in a handler that is put together by hand."""

    class ByHand(Slow):
        def createLock(self):
            self.lock = threading.Lock()

    handler = ByHand()
    log.addHandler(handler)

    recorded(lambda: log.info("a line"))

    assert handler.lines == ["a line"]
    assert not handler.lock.locked()


@pytest.mark.parametrize("make", [threading.RLock, threading._PyRLock])
def test_python_s_own_locks_are_held_and_let_go(log, make):
    handler = Slow()
    handler.lock = make()
    log.addHandler(handler)

    recorded(lambda: log.info("a line"))

    assert handler.lines == ["a line"]
    assert not handler.lock._is_owned()


def test_what_a_handler_does_inside_has_its_own_name(log, clock, monkeypatch):
    """A handler that logs, and one that does what has a name."""
    set_clock(monkeypatch, clock)
    key = log_handlers.CallKey(TIMED.name, "send")

    class Sending(Slow):
        def emit(self, record):
            clock.advance(1.0)
            call_timed(current_lane(), key, clock.advance, (4.0,), {})
            inner.warning("inner")

    inner = logging.Logger("inside")
    inner.addHandler(Slow(clock, 2.0))
    log.addHandler(Sending())

    record = recorded(lambda: log.info("a line"))

    assert record.breakdown_ms["timed"] == pytest.approx(4000)
    assert record.breakdown_ms["log"] == pytest.approx(3000)
    # The inner one is part of the outer.
    assert record.groups["log"].calls == 1
    assert record.groups["log"].ms == pytest.approx(7000)
    assert added_up(record) == pytest.approx(7000)


def test_an_error_passes_and_lets_the_lock_go(log):
    class Broken(logging.Handler):
        def emit(self, record):
            raise LookupError("no disk")

    handler = Broken()
    log.addHandler(handler)

    def work():
        with pytest.raises(LookupError, match="no disk"):
            log.info("a line")

    recorded(work)

    taken = []
    other = threading.Thread(
        target=lambda: taken.append(handler.lock.acquire(False))
    )
    other.start()
    other.join(60)
    assert taken == [True]


def test_lines_after_the_request_are_no_late_calls(log):
    """The filter's own line is one."""
    log.addHandler(Slow())
    profiled = Profiled(during(lambda: None))
    profiled.emit = lambda record: log.info("the request's line")

    profiled.get()
    log.info("outside")

    assert log.handlers[0].lines == ["the request's line", "outside"]
    assert profiled.failures.counts() == {}


def test_undo_puts_the_method_back():
    method = vars(logging.Handler)["handle"]

    log_handlers.install()()

    assert vars(logging.Handler)["handle"] is method


class Filtering(logging.Handler):
    def filter(self, record):
        return True


def test_what_filters_by_itself_keeps_its_order():
    """Its filter() runs before the lock is taken, as without the hook."""
    of_its_own = logging.Handler()
    of_its_own.filter = lambda record: True

    assert log_handlers._has_filters(Filtering())
    assert log_handlers._has_filters(of_its_own)
    assert not log_handlers._has_filters(logging.StreamHandler())
