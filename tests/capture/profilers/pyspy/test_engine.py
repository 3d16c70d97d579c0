# SPDX-License-Identifier: Apache-2.0
"""Tests of the py-spy engine with the real py-spy, where that may look."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from places import PROGRAMS, PYTHONPATH, ROOT

from nova_profiler.capture.profilers import EngineError
from nova_profiler.capture.profilers.pyspy import engine as module


def python(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        **options,
    )


def recorders_of(pid):
    """Return the py-spy processes that look at process *pid*."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2][1]
            except OSError:
                continue
            wanted = [b"--pid", str(pid).encode()]
            if state != "Z" and wanted == words[2:4]:
                found.append(int(entry.name))
    return found


def until(wanted, seconds=15.0):
    """Return whether *wanted* came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if wanted():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["threads", "eventlet"])
def test_no_stack_is_of_another_request(pyspy, mode):
    """16 requests at once, each with a thread that works for it."""
    if mode == "eventlet":
        pytest.importorskip("eventlet")

    with python(PROGRAMS / "marked_requests.py", mode, 60) as process:
        found = json.loads(process.communicate(timeout=240)[0])

    assert found["foreign"] == 0, found["first_foreign"]
    assert found["samples"] >= 60
    assert found["children"] > 0
    assert found["waiting"] > 0
    assert found["notes"] == []


WORKER = """
import signal, sys, time
from nova_profiler.capture.profilers.pyspy import engine
engine = engine.engine(lambda *what: print(*what, flush=True))
watch = engine.watch(None, True, 20.0)
if sys.argv[1] == "exit":
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
def work():
    print("working", flush=True)
    while True:
        sum(range(1000))
watch.run(work)
"""


@pytest.mark.services
@pytest.mark.parametrize(
    ("how", "signal_number"),
    [
        ("dies", signal.SIGKILL),
        ("dies", signal.SIGTERM),
        ("exit", signal.SIGTERM),
    ],
)
def test_py_spy_ends_with_its_worker(pyspy, how, signal_number):
    """However the worker ends, no process is left."""
    with python("-c", WORKER, how) as worker:
        try:
            assert worker.stdout.readline() == "working\n"
            assert until(lambda: len(recorders_of(worker.pid)) == 2)

            worker.send_signal(signal_number)
            worker.wait(15)
        finally:
            worker.kill()

        assert until(lambda: not recorders_of(worker.pid))
        assert worker.stdout.read() == ""


@pytest.mark.services
def test_a_killed_py_spy_does_not_leave_its_worker_stopped(pyspy):
    """Killed while it held the worker, it would."""
    with python("-c", WORKER, "dies") as worker:
        try:
            assert worker.stdout.readline() == "working\n"
            assert until(lambda: len(recorders_of(worker.pid)) == 2)

            # More than once: what is killed as it begins is tried again.
            def said_after_a_kill():
                for pid in recorders_of(worker.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return select.select([worker.stdout], [], [], 0.2)[0]

            # The engine notices, and counts it.
            assert until(said_after_a_kill)
            assert worker.stdout.readline().startswith("pyspy")
        finally:
            worker.kill()


# Shows that it runs, ten times a second, beside a request that works.
HEARTBEAT = """
import sys, threading, time
from nova_profiler.capture.profilers.pyspy.engine import engine

watch = engine(lambda *what: None).watch(None, True, 20.0)
def work():
    while True:
        sum(range(10_000))
threading.Thread(target=watch.run, args=[work], daemon=True).start()
while True:
    print("alive", flush=True)
    time.sleep(0.1)
"""


@pytest.mark.slow
@pytest.mark.services
def test_a_py_spy_that_is_stopped_does_not_hold_its_worker(pyspy):
    """Wherever it was stopped: now and then, that is within a look."""
    with python("-c", HEARTBEAT) as worker:
        try:
            for _ in range(4):
                assert until(lambda: len(recorders_of(worker.pid)) == 2, 60)
                time.sleep(0.2)
                for pid in recorders_of(worker.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
                # Read what is there, then see whether more comes.
                for _ in range(30):
                    ready, _, _ = select.select([worker.stdout], [], [], 5.0)
                    assert ready, "the worker stands still"
                    assert worker.stdout.readline() == "alive\n"
                for pid in recorders_of(worker.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for pid in recorders_of(worker.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        finally:
            worker.kill()

        worker.wait(15)
        # Stopped ones go with their worker, too.
        assert until(lambda: not recorders_of(worker.pid), 5.0)


def test_an_engine_starts_nothing_before_the_first_request():
    """Servers fork their workers after they loaded the filter."""
    engine = module.PyspyEngine("/nonexistent/py-spy", print)

    assert not engine._started
    engine.close()
    assert engine.wait_closed(0)


def test_a_machine_without_py_spy_is_told_what_to_install(monkeypatch):
    """One line at load, not a surprise later."""
    monkeypatch.setattr(module, "find_pyspy", lambda: None)

    with pytest.raises(EngineError, match=r"nova-profiler\[pyspy\]"):
        module.engine(print)


def test_other_systems_are_told_apart(monkeypatch):
    """What this does with pipes and signals is Linux's."""
    monkeypatch.setattr(module.sys, "platform", "darwin")

    with pytest.raises(EngineError, match="Linux"):
        module.engine(print)


def test_a_request_is_served_where_py_spy_fails(tmp_path):
    """It gets a note instead of stacks; the failure is counted once."""
    notes = []
    engine = module.PyspyEngine(
        str(tmp_path / "gone"), lambda *what: notes.append(what)
    )

    watch = engine.watch(None, True, 20.0)
    assert watch.run(divmod, 7, 2) == (3, 1)
    assert until(lambda: notes)

    engine.close()
    assert engine.wait_closed(10)
    assert [what for what, *_ in notes] == ["pyspy"]


def test_requests_beyond_the_tags_are_served_unwatched(monkeypatch):
    """They are counted."""
    notes = []
    engine = module.PyspyEngine("", lambda *what: notes.append(what))
    monkeypatch.setattr(engine._watches.pool, "_size", 0)
    monkeypatch.setattr(engine, "_start", lambda: True)

    assert engine.watch(None, True, 20.0) is None
    assert notes == [("pyspy_tags",)]


def test_a_failing_supervisor_ends_the_engine_not_the_requests(monkeypatch):
    """Requests go on unwatched; the failure is counted."""
    notes = []
    engine = module.PyspyEngine("", lambda *what: notes.append(what))

    def fail():
        raise ValueError("ours")

    monkeypatch.setattr(engine._schedule, "tick", fail)
    watch = engine.watch(None, True, 20.0)
    assert engine.wait_closed(10)

    assert watch.run(divmod, 7, 2) == (3, 1)
    assert engine.watch(None, True, 20.0) is None
    assert [what for what, *_ in notes] == ["pyspy_supervisor"]


def test_where_no_thread_can_be_started_it_is_tried_again(monkeypatch, clock):
    """Requests have no stacks meanwhile, and no tag is lost to them."""
    noted, started = [], []

    def refuse(function):
        started.append(function)
        if len(started) < 3:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "start_thread", refuse)
    monkeypatch.setattr(module, "monotonic", clock)
    monkeypatch.setattr(module.atexit, "register", lambda function: None)
    engine = module.PyspyEngine(
        "py-spy", lambda what, error=None: noted.append(what)
    )
    clock.advance(module.RETRY_S)

    first = [engine.watch(None, False, 0.0) for _ in range(500)]
    clock.advance(module.RETRY_S)
    second = [engine.watch(None, False, 0.0) for _ in range(500)]
    assert set(first + second) == {None}
    assert noted == ["pyspy_thread"] * 2
    assert engine.wait_closed(0.0)

    clock.advance(module.RETRY_S)
    assert engine.watch(None, False, 0.0) is not None
    assert len(started) == 3
    assert noted == ["pyspy_thread"] * 2
