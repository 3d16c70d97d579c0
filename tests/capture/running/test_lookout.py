# SPDX-License-Identifier: Apache-2.0
"""One thread keeps track of the requests that are on; no request waits."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from running_requests import (
    ended_process,
    left_behind,
    traces_of,
    unfinished,
)
from serving import Answer, Profiled, environ_of

from nova_profiler.capture.current import active
from nova_profiler.capture.running import killed_workers
from nova_profiler.capture.running import lookout as module
from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store import running as dump_running
from nova_profiler.dump_store.asking import ask
from nova_profiler.dump_store.running import running_folder
from nova_profiler.record import RequestRecord

PROGRAM = """
import glob, os, signal, sys, threading, time
sys.path[:0] = {path!r}
from nova_profiler.factory import filter_factory
from serving import served

def until_written():
    folder = {dumps!r} + "/.running"
    while not glob.glob(folder + "/*.json"):
        time.sleep(0.05)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/v2.1/hangs":
        until_written()
        print("hangs", flush=True)
        {hangs}
    start_response("200 OK", [])
    return [b"ok"]

options = dict(dump_dir={dumps!r}, slow_ms="0", hooks="threads")
filtered = filter_factory({{}}, **options)(app)
{before}
served(filtered, "/v2.1/hangs")
"""


@pytest.fixture
def profiled(tmp_path):
    """Return a worker that dumps; its thread does not run."""
    made = []

    def make(app=None, **options):
        options = {"dump_dir": str(tmp_path), "slow_ms": 0.0, **options}
        made.append(
            Profiled(app or answers, DumpSink(DumpStore(tmp_path)), **options)
        )
        made[-1].worker.lookout._name = f"{ended_process()}-{len(made):08x}"
        return made[-1]

    yield make
    for one in made:
        one.worker.undo()


def answers(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


def looking(profiled, look):
    """Return an application that has *look* done while it is called."""

    def app(environ, start_response):
        elsewhere(look)
        return answers(environ, start_response)

    profiled.filter._app = app


def elsewhere(look):
    """Call *look* in a thread of its own, as the lookout's is one."""
    failed = []

    def run():
        try:
            look()
        except BaseException as exc:
            failed.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failed, failed


def files(tmp_path):
    folder = running_folder(tmp_path)
    return sorted(folder.iterdir()) if folder.exists() else []


def only_trace(tmp_path) -> RequestRecord:
    (trace,) = traces_of(tmp_path)
    return DumpStore(tmp_path).read(DumpStore(tmp_path).find(str(trace.path)))


def test_a_slow_request_has_a_file_while_it_is_on(profiled, tmp_path):
    """And none of it is left when its record is out."""
    worker = profiled()
    seen = []

    def look():
        worker.worker.lookout.tick()
        seen.append(only_trace(tmp_path))

    looking(worker, look)
    worker.get("/v2.1/servers/detail", **{"openstack.request_id": "req-1a"})

    (record,) = seen
    assert (record.method, record.path) == ("GET", "/v2.1/servers/detail")
    assert (record.outcome, record.status) == ("killed", 0)
    assert record.request_id == "req-1a"
    assert record.remote_address == "192.0.2.7"
    assert record.service == "nova-api"
    assert record.pid == os.getpid()
    assert record.duration_ms == record.app_ms > 0
    assert record.open_stacks[0].frames[0].endswith(" app")
    assert files(tmp_path) == []
    assert worker.record.outcome == "ok"
    assert worker.failures.counts() == {}


def test_a_quick_request_has_none(profiled, tmp_path):
    """Not even a folder is made."""
    worker = profiled(slow_ms=60_000.0)
    looking(worker, worker.worker.lookout.tick)

    worker.get()

    assert [path.name for path in tmp_path.iterdir()] == []


def test_the_latest_look_counts(profiled, tmp_path, monkeypatch):
    """One file for a request, written again each second."""
    monkeypatch.setattr(module, "TICK_S", 0.0)
    worker = profiled()
    seen = []

    def look():
        for _ in range(2):
            worker.worker.lookout.tick()
            seen.append(only_trace(tmp_path).duration_ms)

    looking(worker, look)
    worker.get()

    assert seen[0] < seen[1]


def test_a_file_is_written_once_a_second_at_most(profiled, tmp_path):
    """However often others become slow meanwhile."""
    worker = profiled()
    seen = []

    def look():
        for _ in range(2):
            worker.worker.lookout.tick()
            seen.append(only_trace(tmp_path).duration_ms)

    looking(worker, look)
    worker.get()

    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("slow_ms", "wait_s"), [(60_000.0, 1.0), (700.0, 0.6), (100.0, 0.2)]
)
def test_it_wakes_when_a_request_becomes_slow(
    profiled, monkeypatch, slow_ms, wait_s
):
    """harakiri may come soon after; and yet never in a hurry."""
    worker = profiled(slow_ms=slow_ms)
    running = worker.worker.lookout
    waits = []

    def look():
        (capture,) = active.values()
        now = capture.started + 0.1 - 1e-9
        monkeypatch.setattr(module, "perf_counter", lambda: now)
        running.tick()
        waits.append(running._wait_s)

    looking(worker, look)
    worker.get()

    assert waits == [pytest.approx(wait_s, abs=0.001)]
    running.tick()
    assert running._wait_s == module.TICK_S


def test_a_body_that_goes_out_slowly_is_a_request_that_is_on(
    profiled, tmp_path
):
    """With its status and its bytes by then."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"abc", b"d"])

    worker = profiled(app)
    answer = Answer()
    body = worker.filter(environ_of(), answer.start_response)
    next(body)
    elsewhere(worker.worker.lookout.tick)
    record = only_trace(tmp_path)
    body.close()

    assert (record.status, record.response_bytes) == (200, 3)
    assert record.app_ms < record.duration_ms
    assert record.open_stacks == []
    assert files(tmp_path) == []


def test_a_request_that_ends_while_it_is_written_leaves_nothing(
    profiled, tmp_path, monkeypatch
):
    """Its own removal came before the file."""
    written = module.write_trace

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a"])

    worker = profiled(app)
    body = worker.filter(environ_of(), Answer().start_response)

    def late(path, record):
        assert list(body) == [b"a"]
        written(path, record)

    monkeypatch.setattr(module, "write_trace", late)
    elsewhere(worker.worker.lookout.tick)

    assert files(tmp_path) == []


def test_a_request_that_is_forgotten_leaves_nothing(profiled, tmp_path):
    """Its server never closed the body, and too many came after it."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a"])

    worker = profiled(app)
    body = worker.filter(environ_of(), Answer().start_response)
    elsewhere(worker.worker.lookout.tick)
    assert len(files(tmp_path)) == 1
    active.clear()

    elsewhere(worker.worker.lookout.tick)

    assert files(tmp_path) == []
    body.close()


def test_only_so_many_have_a_file(profiled, tmp_path, monkeypatch):
    """Those that are on longest."""
    monkeypatch.setattr(module, "MAX_FILES", 2)

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a"])

    worker = profiled(app)
    bodies = [
        worker.filter(environ_of(path), Answer().start_response)
        for path in ("/first", "/second", "/third")
    ]
    elsewhere(worker.worker.lookout.tick)
    store = DumpStore(tmp_path)
    paths = {store.read(entry).path for entry in store.entries()}
    for body in bodies:
        body.close()

    assert paths == {"/first", "/second"}


def test_a_disk_that_is_full_fails_no_request(profiled, tmp_path, caplog):
    """It is counted, and logged once."""
    worker = profiled()
    running_folder(tmp_path).write_text("not a folder")

    looking(worker, worker.worker.lookout.tick)
    for _ in range(3):
        assert worker.get().body == b"ok"

    worker.worker.lookout.report()
    assert worker.failures.counts()["running"] == 3
    assert caplog.text.count("running failed") == 1


def test_it_answers_with_all_that_is_on(profiled):
    """Slow or not; the requests of other filters in the process are theirs."""
    worker, other = profiled(slow_ms=60_000.0), profiled()
    answered = []

    def look():
        for one in (worker, other):
            answered.append(json.loads(one.worker.lookout.answer()))

    looking(worker, look)
    worker.get("/v2.1/flavors")

    mine, others = answered
    assert mine["on"] == 1
    assert mine["requests"][0]["path"] == "/v2.1/flavors"
    assert mine["requests"][0]["outcome"] == "running"
    assert others == {"on": 0, "requests": []}


def test_an_environ_that_cannot_be_read_hides_nothing_else(profiled, tmp_path):
    """Another middleware may have put anything there."""

    class Hostile:
        def __getattr__(self, name):
            raise ValueError(name)

    worker = profiled()
    answered = []
    look = worker.worker.lookout.answer
    looking(worker, lambda: answered.append(json.loads(look())))

    worker.get("/x", **{"nova.context": Hostile()})

    assert answered[0]["requests"][0]["path"] == "/x"
    assert worker.failures.counts()["record"] >= 1


def test_a_body_is_not_read_for_the_action(profiled):
    """It is the application's, in another thread."""

    class Input:
        def tell(self):
            raise AssertionError("read")

        seek = read = tell

    worker = profiled()
    look = worker.worker.lookout.answer
    looking(worker, look)
    environ = {"wsgi.input": Input(), "routes.route": None}

    worker.get("/v2.1/servers/x/action", **environ)

    assert worker.failures.counts() == {}


def report(lookout):
    """Look, and have the next request log what was found."""
    lookout._see_traces()
    lookout.report()


def test_what_a_killed_worker_left_gets_its_record(profiled, tmp_path, caplog):
    """In all sinks, by one worker, with a line and a count."""
    caplog.set_level(logging.WARNING)
    left_behind(tmp_path)
    first, second = profiled(), profiled()

    for worker in (first, second):
        report(worker.worker.lookout)

    assert second.records == []
    record = first.record
    assert (record.outcome, record.pid) == ("killed", 4711)
    assert record.timeline == []
    assert first.failures.counts() == {"killed_requests": 1}
    assert (
        "pid 4711 ended while it served GET /v2.1/servers/detail, 4.2 s after "
        "that began, in db_api instance_get_all, sql SELECT instances"
    ) in caplog.text
    (entry,) = DumpStore(tmp_path).entries()
    assert entry.path.parent.name == "2026-11-21"
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("dump_when", "dumps"), [(("failed",), 1), (("profiled",), 0), ((), 0)]
)
def test_it_is_dumped_as_a_failed_one_is(profiled, tmp_path, dump_when, dumps):
    """Where dump_when wants neither slow nor failed ones, it has no dump."""
    left_behind(tmp_path)
    worker = profiled(dump_when=dump_when)

    report(worker.worker.lookout)

    assert len(list(DumpStore(tmp_path).entries())) == dumps
    assert len(worker.records) == 1


def test_the_trace_of_another_service_is_that_services(profiled, tmp_path):
    """Its log and its metrics are other ones."""
    left_behind(tmp_path, service="placement")
    worker = profiled()

    report(worker.worker.lookout)

    assert worker.records == []
    assert len(traces_of(tmp_path)) == 1


def test_traces_are_looked_for_now_and_then(profiled, tmp_path):
    """Not at each tick."""
    worker = profiled()
    report(worker.worker.lookout)
    left_behind(tmp_path)

    report(worker.worker.lookout)

    assert worker.records == []


def test_a_sink_that_fails_does_not_end_it(profiled, tmp_path):
    """The others get the record, and the next trace is looked at."""
    for number in (1, 2):
        left_behind(tmp_path, number=number)
    worker = profiled()
    running = worker.worker.lookout

    class Broken:
        name = "broken"

        def emit(self, record):
            raise OSError(28, "full")

    worker.worker.recorder._sinks.insert(0, Broken())
    report(running)

    assert len(worker.records) == 2
    assert worker.failures.counts()["broken"] == 2


def test_the_first_request_starts_the_thread(profiled, monkeypatch):
    """Nothing runs before: workers fork after the filter was loaded."""
    started = []
    monkeypatch.setattr(module, "start_thread", started.append)
    worker = profiled()
    assert started == []

    for _ in range(3):
        worker.worker.lookout.start()

    assert started == [worker.worker.lookout.watch]


def test_a_forked_worker_has_its_own_thread(profiled, monkeypatch):
    """The parent's did not come along, and its socket is the parent's."""
    started = []
    pids = iter([1, 1, 2, 2])
    monkeypatch.setattr(module, "start_thread", started.append)
    monkeypatch.setattr(module.os, "getpid", lambda: next(pids, 2))
    worker = profiled()
    running = worker.worker.lookout
    let_go = []

    class Inherited:
        def let_go(self):
            let_go.append(self)

    running.start()
    running._listener = Inherited()
    for _ in range(3):
        running.start()

    assert len(started) == 2
    assert len(let_go) == 1
    assert running._listener is None


def test_threads_that_cannot_be_started_are_tried_again(profiled, monkeypatch):
    """A limit of the unit, for a while."""

    def refused(function):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "start_thread", refused)
    worker = profiled()
    running = worker.worker.lookout

    running.start()
    running.start()
    started = []
    monkeypatch.setattr(module, "start_thread", started.append)
    running.start()

    assert worker.failures.counts() == {"running": 2}
    assert len(started) == 1


def test_a_worker_without_dumps_keeps_track_of_nothing():
    """There is no place for it."""
    assert Profiled(None).worker.lookout is None


def test_the_thread_answers_until_it_is_closed(profiled, tmp_path):
    """Its socket is there from the first moment, and gone at the end."""
    worker = profiled()
    running = worker.worker.lookout
    thread = threading.Thread(target=running.watch)
    thread.start()
    while running._listener is None:
        pass
    name = running._listener.name

    asked = ask(running_folder(tmp_path), [name], 30.0)
    running.close()
    thread.join()

    assert json.loads(asked.answers[name]) == {"on": 0, "requests": []}
    assert files(tmp_path) == []
    assert worker.failures.counts() == {}


def test_a_worker_may_end_at_any_moment(profiled, monkeypatch, tmp_path):
    """Its thread then ends without a word, and is not started again."""
    worker = profiled()
    running = worker.worker.lookout
    folder = running_folder(tmp_path)
    folder.mkdir()
    running._listen(folder)
    # Between two looks at the same thing.
    monkeypatch.setattr(
        module.Listener, "is_in", lambda *at: not running.close()
    )
    monkeypatch.setattr(module, "nap", lambda seconds: None)

    running._serve()

    assert running._listener is None
    assert not running._notes


def test_a_directory_that_was_removed_is_made_again(profiled, tmp_path):
    """Workers that nothing can ask would seem not to be there."""
    worker = profiled()
    running = worker.worker.lookout
    folder = running_folder(tmp_path)
    folder.mkdir()
    running._listen(folder)
    first = running._listener
    (folder / first.name).unlink()

    assert not first.is_in(folder)
    running._listen(folder)

    assert running._listener.is_in(folder)
    running.close()


def test_a_folder_that_is_swapped_gets_nothing(
    profiled, tmp_path, monkeypatch
):
    """A group that may write above it could do so after the look."""
    swapped = tmp_path.with_name(f"{tmp_path.name}-swapped")
    opened = module.opened_running

    @contextmanager
    def swapping(directory, **more):
        with opened(directory, **more) as folder:
            tmp_path.rename(swapped)
            (tmp_path / ".running").mkdir(parents=True)
            try:
                yield folder
            finally:
                (tmp_path / ".running").rmdir()
                tmp_path.rmdir()
                swapped.rename(tmp_path)

    monkeypatch.setattr(module, "opened_running", swapping)

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a"])

    worker = profiled(app)
    body = worker.filter(environ_of(), Answer().start_response)
    elsewhere(worker.worker.lookout.tick)

    assert len(files(tmp_path)) == 1
    assert list(body) == [b"a"]
    assert files(tmp_path) == []
    assert worker.failures.counts() == {}


def test_a_trace_of_another_service_is_read_once(
    profiled, tmp_path, monkeypatch
):
    """However long it stays there."""
    read = []
    service_of = killed_workers.service_of
    monkeypatch.setattr(
        killed_workers,
        "service_of",
        lambda one: read.append(one) or service_of(one),
    )
    left_behind(tmp_path, service="gone")
    worker = profiled()
    for _ in range(3):
        worker.worker.lookout._traces_at = 0.0
        report(worker.worker.lookout)

    assert len(read) == 1
    assert len(traces_of(tmp_path)) == 1


def test_own_traces_come_before_those_of_others(
    profiled, tmp_path, monkeypatch
):
    """Others are bounded, and hide none of ours."""
    monkeypatch.setattr(dump_running, "MAX_LEFT", 2)
    own = left_behind(tmp_path, number=999, service="nova-api")
    for number in range(5):
        left_behind(tmp_path, number=number, service="gone")
    worker = profiled()

    report(worker.worker.lookout)

    assert not own.exists()
    assert len(worker.records) == 1
    assert len(traces_of(tmp_path)) == 2


def test_a_place_without_sockets_still_has_files(profiled, monkeypatch):
    """Some network file systems know none."""

    def refused(folder, name):
        raise OSError(95, "Operation not supported")

    naps = []
    monkeypatch.setattr(module, "Listener", refused)
    monkeypatch.setattr(module, "nap", naps.append)
    worker = profiled()

    worker.worker.lookout._serve()

    assert naps == [module.TICK_S]
    assert worker.failures.counts() == {}
    worker.worker.lookout.report()
    assert worker.failures.counts() == {"running_socket": 1}


def run(tmp_path, hangs, before=""):
    """Return a process that serves a request which hangs."""
    text = PROGRAM.format(
        path=sys.path, dumps=str(tmp_path), hangs=hangs, before=before
    )
    return subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE
    )


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["SIGKILL", "SIGTERM", "SIGABRT"])
def test_a_worker_that_is_killed_leaves_a_trace(tmp_path, kill):
    """The real thing: whatever ends it, the request is found."""
    with run(tmp_path, "time.sleep(60)") as process:
        process.stdout.readline()
        process.send_signal(getattr(signal, kill))
        process.wait()

    record = only_trace(tmp_path)
    assert record.path == "/v2.1/hangs"
    assert record.pid == process.pid
    assert record.open_stacks[0].frames[0].endswith(" app")


@pytest.mark.slow
def test_a_worker_that_was_forked_leaves_its_own(tmp_path):
    """Its parent served requests before, and lives on."""
    before = (
        "served(filtered, '/v2.1/first')\n"
        "if os.fork():\n"
        "    os.wait()\n"
        "    sys.exit()\n"
        "time.sleep(2.1)"
    )
    hangs = "os.kill(os.getpid(), signal.SIGKILL)"
    with run(tmp_path, hangs, before) as process:
        process.communicate()

    record = only_trace(tmp_path)
    assert record.path == "/v2.1/hangs"
    assert record.pid != process.pid


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["none", "stacks"])
def test_no_thread_of_ours_imports(tmp_path, engine):
    """What a thread half has at a fork, the forked process never gets."""
    before = (
        "def heard(event, args):\n"
        "    if event == 'import' and threading.get_ident() != main:\n"
        "        print(args[0], flush=True)\n"
        "main = threading.get_ident()\n"
        "sys.addaudithook(heard)\n"
        f"options['profiler'] = {engine!r}\n"
        "filtered = filter_factory({}, **options)(app)\n"
        "served(filtered, '/v2.1/first')"
    )
    with run(tmp_path, "time.sleep(0.5)", before) as process:
        printed = process.communicate()[0].decode().split()

    assert printed == ["hangs"]


@pytest.mark.slow
def test_a_process_that_ends_well_leaves_nothing(tmp_path):
    """Its socket goes with it."""
    with run(tmp_path, "pass") as process:
        process.communicate()

    assert process.returncode == 0
    assert files(tmp_path) == []


def test_a_record_that_is_on_is_a_record(tmp_path):
    """It is written and read as all others are."""
    values = unfinished().to_dict()

    assert RequestRecord.from_dict(json.loads(json.dumps(values))) == (
        unfinished()
    )


def test_its_thread_logs_nothing(profiled, tmp_path, monkeypatch):
    """A handler's lock may be eventlet's, which such a thread never gets."""
    left_behind(tmp_path)
    worker = profiled()
    lookout = worker.worker.lookout
    monkeypatch.setattr(module, "open_calls_of", lambda *args: 1 / 0)

    looking(worker, lookout.tick)
    worker.get()
    lookout._see_traces()

    assert worker.failures.counts() == {}
    assert [record.outcome for record in worker.records] == ["ok"]
    lookout.report()
    assert worker.failures.counts() == {"running": 1, "killed_requests": 1}
    assert [one.outcome for one in worker.records] == ["ok", "killed"]
