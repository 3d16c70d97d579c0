# SPDX-License-Identifier: Apache-2.0
"""The engine with its reader: what it sees, and what is left of it."""

from __future__ import annotations

import inspect
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from open_files import open_files
from places import PYTHONPATH, ROOT
from waiting import until

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.profilers import EngineError
from nova_profiler.capture.profilers.stacks import engine as module
from nova_profiler.capture.profilers.stacks import sampling
from nova_profiler.capture.profilers.stacks.layouts import LayoutError
from nova_profiler.record import RequestRecord

pytestmark = pytest.mark.services


def capture():
    """Return what is known of a request that begins now."""
    return Capture(NothingServed(), 0)


def readers_of(pid):
    """Return the reader processes of process *pid*, dead ones left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text().split("\0")
                state = (entry / "stat").read_text().rpartition(")")[2][1]
            except OSError:
                continue
            is_reader = any("stacks.reader" in word for word in words)
            if is_reader and state != "Z" and json.loads(words[-2])[0] == pid:
                found.append(int(entry.name))
    return found


@pytest.fixture
def notes():
    return []


def begun(notes):
    """Return an engine whose reader sees this process."""
    made = module.engine(lambda what, error=None: notes.append((what, error)))
    made.watch(capture(), True, 0.0)
    assert until(lambda: made._sampling.has_worked), notes
    return made


def ended(made):
    """End it; nothing of it is left."""
    made.close()
    assert made.wait_closed(20)
    assert not readers_of(os.getpid())


@pytest.fixture
def engine(notes):
    made = begun(notes)
    yield made
    ended(made)


def kept(watch):
    """Return session and profile of a request that is over."""
    record = RequestRecord()
    record.started_at = "2026-11-21T10:00:00.000000+00:00"
    record.duration_ms = (time.perf_counter() - watch._started) * 1000
    watch.finish(record)
    attached = []
    record.profiled.attach(lambda *what: attached.append(what))
    assert until(lambda: attached)
    ((_, content, profile),) = attached
    return json.loads(content or "{}"), profile


def until_seen(engine, watch, looks=3):
    """Go on until the reader has seen this request a few times."""
    child = engine._sampling._child
    number = sampling_looks(child)
    assert until(lambda: sampling_looks(child) >= number + looks)


def sampling_looks(child):
    """Return how many copies the reader has made."""
    stat = Path(f"/proc/{child.pid}/schedstat").read_text().split()
    return int(stat[2])


def test_a_kept_request_has_its_stacks_at_once(engine, notes):
    """Python code, a lock, a child that works for it; by function."""
    lock = threading.Lock()
    lock.acquire()
    watch = engine.watch(capture(), True, 1.0)

    def work_for_it():
        until_seen(engine, watch, 20)

    def waits_for_it():
        lock.acquire()

    def request():
        child = threading.Thread(target=watch.spawned(waits_for_it))
        child.start()
        work_for_it()
        lock.release()
        child.join()

    watch.run(request)
    session, profile = kept(watch)

    records = session["frame_records"]
    text = "\n".join("\t".join(stack) for stack, _ in records)
    assert profile["samples"] >= 10
    assert "work_for_it" in text
    # A look may have found it on its way there.
    waited_s = {False: 0.0, True: 0.0}
    for stack, seconds in records:
        if "waits_for_it" in "\t".join(stack):
            waited_s[stack[-1].startswith("[waiting")] += seconds
    assert waited_s[True] > 10 * waited_s[False]
    assert notes == []


def slow_in_each_way(lock, stop):
    """Take long in Python, in a lock, in a sleep and for the GIL."""
    slow_in_python(0.1)
    slow_in_a_lock(lock)
    slow_in_a_sleep()
    slow_for_the_gil(stop)


def slow_in_python(seconds):
    until_cpu = time.thread_time() + seconds
    while time.thread_time() < until_cpu:
        sum(range(1000))  # the line


def slow_in_a_lock(lock):
    lock.acquire(timeout=0.2)  # the line


def slow_in_a_sleep():
    threading.Event().wait(0.2)  # the line


def slow_for_the_gil(stop):
    def other():
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=other)
    thread.start()
    until_cpu = time.thread_time() + 0.1
    while time.thread_time() < until_cpu:
        sum(range(1000))  # the line
    stop.set()
    thread.join()


def line_of(function):
    """Return where *function* takes long."""
    lines, first = inspect.getsourcelines(function)
    (found,) = [n for n, line in enumerate(lines) if "# the line" in line]
    return first + found


def test_each_way_of_being_slow_has_its_line_and_state(engine, notes):
    """Of one request, in which each of them took a while."""
    lock, stop = threading.Lock(), threading.Event()
    lock.acquire()
    watch = engine.watch(capture(), True, 2.0)

    watch.run(slow_in_each_way, lock, stop)
    session, profile = kept(watch)

    assert session, (profile, notes)
    found = set()
    for stack, _ in session["frame_records"]:
        state = stack[-1] if stack[-1].startswith("[") else "runs"
        for frame in stack:
            name, _, place = frame.partition("\0")
            line = int(place.rpartition("\x01l")[2] or 0) if place else 0
            found.add((name, line, state))
    waits, gil = "[waiting]", "[waiting for the GIL]"
    assert ("slow_in_python", line_of(slow_in_python), "runs") in found
    assert ("slow_in_a_lock", line_of(slow_in_a_lock), waits) in found
    assert ("slow_in_a_sleep", line_of(slow_in_a_sleep), waits) in found
    assert ("slow_for_the_gil", line_of(slow_for_the_gil), gil) in found
    assert ("slow_in_a_sleep", line_of(slow_in_a_sleep), gil) not in found


def test_a_request_that_is_not_kept_leaves_nothing(engine, notes):
    """Neither a slot nor a file; a second one begins as the first did."""
    files = len(open_files())
    for _ in range(3000):
        watch = engine.watch(capture(), True, 0.0)
        watch.run(lambda: None)
        watch.finish(RequestRecord())

    assert len(open_files()) == files
    assert engine.watch(capture(), True, 0.0)
    assert notes == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_requests_go_on_without_the_reader(engine, notes, number):
    """It was killed: that is counted, and a new one begins later."""
    watch = engine.watch(capture(), True, 0.0)
    (pid,) = readers_of(os.getpid())

    os.kill(pid, number)
    assert until(lambda: engine._sampling.is_over)

    assert watch.run(lambda: 5) == 5
    _, profile = kept(watch)
    assert profile["notes"] == [sampling.NOT_BEGUN]
    assert [what for what, _ in notes] == ["stacks_ended"]
    engine._start_at = 0.0
    assert engine.watch(capture(), True, 0.0)
    assert until(lambda: engine._sampling.has_worked)


def test_a_reader_that_is_stopped_holds_nothing(notes, monkeypatch):
    """Its answer never comes: the dump has that in the end."""
    monkeypatch.setattr(sampling, "LATE_S", 0.0)
    monkeypatch.setattr(sampling, "TICK_S", 0.02)
    engine = begun(notes)
    watch = engine.watch(capture(), True, 0.0)
    (pid,) = readers_of(os.getpid())
    os.kill(pid, signal.SIGSTOP)
    try:
        assert watch.run(lambda: 5) == 5
        _, profile = kept(watch)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert profile["notes"] == [sampling.LATE]
    assert notes == [("stacks_late", None)]
    ended(engine)


def test_more_than_the_reader_takes_is_refused(engine, notes):
    """Its pipe is full: no request waits for it."""
    watches = [engine.watch(capture(), True, 0.0) for _ in range(400)]
    (pid,) = readers_of(os.getpid())
    os.kill(pid, signal.SIGSTOP)
    attached = []
    try:
        for watch in watches:
            record = RequestRecord()
            record.started_at = "2026-11-21T10:00:00.000000+00:00"
            watch.finish(record)
            record.profiled.attach(lambda *what: attached.append(what))
        refused = [one for one in attached if one[2]["notes"]]
        assert len(refused) == 400 - sampling.MOST_ASKED
    finally:
        os.kill(pid, signal.SIGCONT)
    assert until(lambda: len(attached) == 400)


WORKER = """
import os, signal, sys, time
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.profilers.stacks import engine
engine = engine.engine(lambda *what: print(*what, flush=True))
watch = engine.watch(Capture(NothingServed(), 0), True, 0.0)
how = sys.argv[1]
if how == "exit":
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
def work():
    while not engine._sampling.has_worked:
        time.sleep(0.01)
    if how == "fork":
        pid = os.fork()
        if not pid:
            # The server's child lives on, and has nothing of ours.
            os.close(1)
            time.sleep(30)
            os._exit(0)
        print(pid, flush=True)
    print("working", flush=True)
    if how == "exec":
        sys.stdin.readline()
        os.execv(sys.executable, [sys.executable, "-c",
                                  "import time; time.sleep(30)"])
    while True:
        sum(range(1000))
watch.run(work)
"""


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("dies", signal.SIGKILL),
        ("dies", signal.SIGTERM),
        ("exit", signal.SIGTERM),
        ("fork", signal.SIGKILL),
        ("exec", 0),
    ],
)
def test_the_reader_ends_with_its_worker(how, number):
    """However it ends, and whatever it leaves: no reader is left."""
    other = None
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    ) as worker:
        try:
            if how == "fork":
                other = int(worker.stdout.readline())
            assert worker.stdout.readline() == "working\n"
            assert len(readers_of(worker.pid)) == 1
            if number:
                worker.send_signal(number)
                worker.wait(15)
            else:
                worker.stdin.write("\n")
                worker.stdin.flush()

            assert until(lambda: not readers_of(worker.pid))
        finally:
            worker.kill()
            if other is not None:
                os.kill(other, signal.SIGKILL)


def test_a_forked_process_is_not_taken_for_its_parent(engine):
    """Its part of the request is in nobody's stacks."""
    watch = engine.watch(capture(), True, 1.0)

    def in_the_child():
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            sum(range(100))

    def request():
        pid = os.fork()
        if not pid:
            try:
                watch.spawned(in_the_child)()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    watch.run(request)
    session, _ = kept(watch)

    assert "in_the_child" not in json.dumps(session)


def test_without_files_requests_go_on(notes):
    """Where the process has used all of its descriptors up."""
    made = module.engine(lambda what, error=None: notes.append(what))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(open_files())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
    fillers = []
    try:
        try:
            while True:
                fillers.append(os.dup(0))
        except OSError:
            pass
        assert made.watch(capture(), True, 0.0) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in fillers:
            os.close(fd)

    assert notes == ["stacks"]
    made.close()


def test_where_no_thread_can_be_started_it_is_tried_again(notes, monkeypatch):
    """Requests have no stacks meanwhile, and no file stays open."""
    tried = []

    def refuse(function):
        tried.append(function.__name__)
        raise RuntimeError("can't start new thread")

    def note(what, error=None):
        # A handler of the log may give way to a greenthread, whose request
        # would wait for the lock for good.
        assert not made._lock.locked()
        notes.append(what)

    monkeypatch.setattr(module, "start_thread", refuse)
    made = module.engine(note)
    files = len(open_files())
    for _ in range(3):
        assert made.watch(capture(), True, 0.0) is None
        # Not before its time.
        assert made.watch(capture(), True, 0.0) is None
        made._start_at = 0.0

    assert tried == ["supervise"] * 3
    assert notes == ["stacks"] * 3
    assert len(open_files()) == files
    assert made.wait_closed(0)
    monkeypatch.undo()
    assert made.watch(capture(), True, 0.0)
    ended(made)


def test_a_python_that_is_not_known_is_refused_in_one_line(monkeypatch):
    """Before any request, with what else there is."""

    def unknown():
        raise LayoutError("Python 3.99 is not one that is known")

    monkeypatch.setattr(module, "layout_here", unknown)

    with pytest.raises(EngineError, match=r"3\.99.*profiler = pyinstrument"):
        module.engine(lambda *what: None)


def test_a_reader_that_ends_again_and_again_is_rarely_begun(monkeypatch):
    """Each start costs requests some time, also of one that worked."""
    clock, begun = [1000.0], []

    class Ended:
        is_over = has_worked = True
        is_refused = False

        def __init__(self, *what):
            begun.append(clock[0])

        def supervise(self):
            pass

        def worked_s(self):
            return 1.0

    monkeypatch.setattr(module, "Sampling", Ended)
    monkeypatch.setattr(module, "start_thread", lambda function: None)
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    made = module.engine(lambda *what: None)
    monkeypatch.setattr(module.atexit, "register", lambda function: None)
    while clock[0] < 4600:
        made._started()
        clock[0] += 1

    waits = [b - a for a, b in zip(begun, begun[1:], strict=False)]
    assert waits == sorted(waits)
    assert waits[-1] == module.LAST_RETRY_S
    assert len(begun) < 20


def test_a_wrong_layout_is_refused_for_good(notes, monkeypatch):
    """The start test decides: one line, and no request has stacks."""
    from nova_profiler.capture.profilers.stacks import starting

    right = starting.layout_here()
    monkeypatch.setattr(
        starting,
        "layout_here",
        lambda: right._replace(code_name=right.code_file),
    )
    made = module.engine(lambda what, error=None: notes.append((what, error)))
    watch = made.watch(capture(), True, 0.0)
    assert until(lambda: made._sampling.is_over)

    assert watch.run(lambda: 5) == 5
    made._start_at = 0.0
    assert made.watch(capture(), True, 0.0) is None
    ((what, error),) = notes
    assert what == "stacks"
    assert "pyinstrument" in error.strerror
    assert "\n" not in error.strerror
    made.close()


GREEN = """
import eventlet
eventlet.monkey_patch()
import json, sys, threading, time
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.profilers.stacks import engine
from nova_profiler.record import RequestRecord
engine = engine.engine(lambda *what: print(*what, flush=True))
engine.watch(Capture(NothingServed(), 0), True, 0.0)
while not engine._sampling.has_worked:
    time.sleep(0.01)

def waits_here(number):
    time.sleep(0.3)

def works_here(number):
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        sum(range(1000))

answers = []

def serve(number):
    watch = engine.watch(Capture(NothingServed(), 0), True, 2.0)
    def request():
        works_here(number)
        waits_here(number)
        works_here(number)
    watch.run(request)
    record = RequestRecord()
    record.started_at = "2026-11-21T10:00:00.000000+00:00"
    record.duration_ms = (time.perf_counter() - watch._started) * 1000
    watch.finish(record)
    record.profiled.attach(lambda *what: answers.append(what[1:]))

threads = [threading.Thread(target=serve, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
while len(answers) < len(threads):
    time.sleep(0.01)
print(json.dumps([
    [json.loads(content), profile] for content, profile in answers
]))
engine.close()
"""


def test_what_a_greenthread_waited_for_is_in_its_stacks():
    """Though others run meanwhile; and a note says nothing else."""
    pytest.importorskip("eventlet")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GREEN],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    answers = json.loads(done.stdout)

    assert len(answers) == 8
    for session, profile in answers:
        times = {True: 0.0, False: 0.0}
        for stack, seconds in session["frame_records"]:
            is_waiting = "waits_here" in "\t".join(stack)
            assert not is_waiting or stack[-1] == "[waiting]"
            times[is_waiting] += seconds
        assert times[True] > 0.1
        assert profile["notes"] == []
        assert "ran_ms" not in profile
