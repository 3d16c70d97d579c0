# SPDX-License-Identifier: Apache-2.0
"""Our own failures: one line in the log, then numbers."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
import threading

import pytest

from nova_profiler.capture import garbage_collector
from nova_profiler.capture.failures import Failures


@pytest.fixture
def lines(caplog):
    """Return what was logged so far."""
    caplog.set_level(logging.DEBUG)
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_failure_is_logged_once(lines):
    """Each kind the first time, all of them counted."""
    failures = Failures()

    for _ in range(3):
        failures.note("dump", OSError(errno.ENOSPC, "No space left on device"))
    failures.note("statsd", ValueError("x"))

    assert lines() == [
        "dump failed (OSError: No space left on device); requests are "
        "served as before, further failures are only counted",
        "statsd failed (ValueError); requests are served as before, further "
        "failures are only counted",
    ]
    assert failures.counts() == {"dump": 3, "statsd": 1}


def test_the_text_of_an_error_is_not_logged(lines):
    """It may hold what a client sent, or a token."""
    failures = Failures()

    failures.note("record", ValueError("s3cret"))
    failures.note("sink", OSError(5, "Input/output error", "/s3cret"))

    assert "s3cret" not in "".join(lines())


def test_inside_the_garbage_collector_a_line_waits(lines, monkeypatch):
    """The thread that it interrupted may hold the lock of a handler."""
    failures = Failures()
    monkeypatch.setattr(
        garbage_collector, "interrupted", threading.get_ident()
    )
    failures.note("record", ValueError("x"))
    for number in range(1000):
        failures.warn(f"line {number}")
    assert lines() == []

    monkeypatch.undo()
    failures.log_waiting()
    failures.log_waiting()

    assert lines()[0].startswith("record failed (ValueError)")
    assert 1 < len(lines()) <= 100
    assert failures.counts() == {"record": 1}


BESIDE_GREENTHREADS = """
import eventlet
eventlet.monkey_patch()
import logging
import subprocess
import sys
from eventlet.patcher import original
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.greenthreads import start_thread

logged = []
noted = original("threading").Event()
handler = logging.Handler()
handler.emit = lambda row: logged.append(row.getMessage())
logging.getLogger("nova_profiler").addHandler(handler)
failures = Failures()

def beside():
    failures.note("stacks", OSError(1, "Operation not permitted"))
    noted.set()

handler.acquire()
start_thread(beside)
assert noted.wait(20)
assert logged == []
handler.release()
failures.log_waiting()
print(logged)
"""


# eventlet says at its import that it is old.
@pytest.mark.filterwarnings("ignore")
def test_no_thread_of_ours_waits_for_a_lock_of_greenthreads():
    """One that waits for it would never be woken, nor would the others."""
    pytest.importorskip("eventlet")

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BESIDE_GREENTHREADS],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (
        "stacks failed (PermissionError: Operation not permitted)"
        in done.stdout
    ), done.stderr


def test_a_count_without_an_error_is_not_logged(lines):
    """Such as what did not fit."""
    failures = Failures()

    failures.note("dropped")

    assert lines() == []
    assert failures.counts() == {"dropped": 1}


def test_several_are_counted_at_once(lines):
    """What a gap lost is known at its end."""
    failures = Failures()

    failures.note("statsd_socket", OSError(2, "gone"))
    failures.note("statsd_socket", None, 98)

    assert len(lines()) == 1
    assert failures.counts() == {"statsd_socket": 99}


def test_news_are_told_once():
    """For counters that add up what they get."""
    failures = Failures()
    failures.note("dump")
    failures.note("dump")

    told = [failures.take_new()]
    told.append(failures.take_new())
    failures.note("dump")
    failures.note("log")
    told.append(failures.take_new())

    assert told == [{"dump": 2}, {}, {"dump": 1, "log": 1}]


def test_counts_are_a_copy():
    """Nobody outside changes them."""
    failures = Failures()

    failures.counts()["x"] = 1

    assert failures.counts() == {}


def test_a_broken_log_is_counted():
    """The host's handler may raise."""

    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("no")

    logger = logging.getLogger("nova_profiler")
    handler = Broken()
    logger.addHandler(handler)
    failures = Failures()
    try:
        failures.note("dump", ValueError())
    finally:
        logger.removeHandler(handler)

    assert failures.counts() == {"dump": 1, "logging": 1}
