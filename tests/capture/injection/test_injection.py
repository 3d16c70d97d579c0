# SPDX-License-Identifier: Apache-2.0
"""A fault at any instruction of ours changes no response and leaves nothing.

``make injection`` goes through all of them, ``make fast`` through some.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
from functools import partial
from typing import Any
from wsgiref.util import FileWrapper

import hooked_libraries
import pytest
from injection import Served, faults_of, places_of
from serving import PLAIN

from nova_profiler.capture.failures import Failures
from nova_profiler.capture.hooks import lock_waits, log_handlers
from nova_profiler.capture.hooks.processes import child_processes
from nova_profiler.capture.served import wsgi_middleware
from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.capture.sinks.json_file import JsonFileSink
from nova_profiler.capture.sinks.log_lines import CallLogSink, RequestLogSink
from nova_profiler.capture.sinks.otlp import process as processes
from nova_profiler.capture.sinks.otlp.collector import Collector
from nova_profiler.capture.sinks.otlp.endpoint import Endpoint
from nova_profiler.capture.sinks.otlp.sink import OtlpSink
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.dump_store import DumpStore
from nova_profiler.factory import engine_of

# The package's own code is the same on all of them.
pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from 3.12 on tracing misses instructions",
)


class RefusedError(Exception):
    """What the applications raise."""


@pytest.fixture
def libraries(monkeypatch):
    """Install all hooks over stand-ins, which are named however short."""
    for name, module in hooked_libraries.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for module in (lock_waits, log_handlers, child_processes):
        monkeypatch.setattr(module, "MIN_WAIT_S", -1.0)
    undo = hooked_libraries.install()
    yield
    undo()


@pytest.fixture
def engine():
    """Return a database with three rows."""
    made = hooked_libraries.engine_of()
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE instances (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO instances VALUES (1),(2),(3)")
    # The database lives as long as a connection.
    keep = made.raw_connection()
    other = hooked_libraries.engine_of()
    yield other
    other.dispose()
    keep.close()
    made.dispose()


def doing(work: Any) -> Any:
    """Return an application that does *work* and answers with a list."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        work(environ["test.seen"])
        start_response("200 OK", PLAIN)
        return [b"ok"]

    return app


def stream(environ, start_response):
    start_response("200 OK", PLAIN)

    def body():
        try:
            yield b"a"
            yield b"b"
        finally:
            environ["test.seen"].append("ended")

    return body()


def broken_stream(environ, start_response):
    start_response("200 OK", PLAIN)

    def body():
        yield b"a"
        raise RefusedError("in the body")

    return body()


class Sized:
    """A body that knows its length."""

    def __init__(self, seen):
        self._seen = seen

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([b"a", b"b"])

    def close(self):
        self._seen.append("closed")


def sized(environ, start_response):
    start_response("200 OK", PLAIN)
    return Sized(environ["test.seen"])


def raising(environ, start_response):
    raise RefusedError("before the answer")


def writing(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"written")
    try:
        raise RefusedError("again")
    except RefusedError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    return (b"a", b"b")


def file(environ, start_response):
    start_response("200 OK", PLAIN)
    with open(__file__, "rb") as opened:
        content = opened.read(10)
    return environ["wsgi.file_wrapper"](io.BytesIO(content))


def odd(environ, start_response):
    start_response("200 OK", PLAIN)
    return [1, b"a"]


class Context:
    """nova's context of a request."""

    user_id = project_id = "0f" * 16
    user_name = project_name = "demo"
    remote_address = "192.0.2.1"
    request_id = "req-0a0b0c0d-1111-4222-8333-444455556666"


NOVA = {
    "nova.context": Context(),
    "openstack.request_id": Context.request_id,
    "openstack.global_request_id": Context.request_id,
}
# Of so many places one is tried, unless all are.
SOME = 9
ALL = os.environ.get("NOVA_PROFILER_INJECTION") == "all"
FILES = {"wsgi.file_wrapper": FileWrapper}


@pytest.fixture(autouse=True)
def quick_collections():
    """Have the collector run when it is asked to, and look at little."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def check(served):
    """Fail each place once, or some of them; see how many in the log."""
    found = places_of(served)
    places = found[:: 1 if ALL else SOME]
    lines = list(faults_of(served, places))
    logging.getLogger(__name__).warning("%d places", len(places))
    shown = "\n".join(lines[:100])
    assert places and not lines, f"{len(lines)} of {len(places)}\n{shown}"


WORKS = [
    hooked_libraries.in_messages,
    hooked_libraries.in_services,
    hooked_libraries.in_compute,
    hooked_libraries.in_threads,
]


@pytest.mark.parametrize("work", WORKS)
def test_a_fault_in_a_hook_changes_nothing(libraries, work):
    """Neither what is called nor what it raises."""
    check(Served(doing(work)))


def test_a_fault_at_a_statement_changes_nothing(libraries, engine):
    """Rows, errors and connections are those of the database."""
    check(Served(doing(partial(hooked_libraries.in_database, engine=engine))))


ANSWERS = [
    (doing(lambda seen: None), None, {}),
    (stream, None, {}),
    (stream, 1, {}),
    (broken_stream, None, {}),
    (sized, None, {}),
    (sized, 1, {}),
    (raising, None, {}),
    (writing, None, {}),
    (file, None, FILES),
    (file, 1, FILES),
    (odd, None, {}),
]


@pytest.mark.parametrize(("app", "until", "environ"), ANSWERS)
def test_a_fault_changes_no_answer(app, until, environ):
    """Whatever its body is, and however it ends."""
    check(Served(app, until, environ))


def test_a_request_that_follows_a_long_one(monkeypatch):
    """It has room on the stack."""
    monkeypatch.setattr(wsgi_middleware, "_ROOM_FROM_S", 0.0)
    check(Served(stream))


def test_a_fault_in_the_first_request_changes_nothing():
    """It looks for settings, and for what has been loaded since."""

    def as_first(worker):
        worker.live.check = lambda now: None
        worker.live.check_at = 0.0
        worker._has_cpu_clock = None
        worker._install_hooks = [lambda: lambda: None]

    check(Served(stream, before=as_first))


ENGINES = ("pyinstrument", "cprofile")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("app", [stream, broken_stream, raising])
def test_a_fault_of_an_engine_changes_nothing(engine, app):
    """And leaves no profile function in the thread."""
    served = Served(
        app,
        load=lambda name, note: engine_of(name, note),
        profiler=engine,
        profile_when=("always",),
    )
    try:
        check(served)
    finally:
        served.profiled.worker.undo()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fault_in_a_thread_of_a_request_changes_nothing(libraries, engine):
    """What is handed over is called once, with its own result."""
    served = Served(
        doing(hooked_libraries.in_threads),
        load=lambda name, note: engine_of(name, note),
        profiler=engine,
        profile_when=("always",),
    )
    try:
        check(served)
    finally:
        served.profiled.worker.undo()


# A file that is not closed in time for want of memory closes itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_fault_in_a_sink_changes_nothing(tmp_path, monkeypatch):
    """All of them, with a dump and a trace of each request."""
    # What it would do is not done while a response waits.
    monkeypatch.setattr(processes, "start_thread", lambda function: None)
    failures = Failures()
    sent = []
    endpoint = Endpoint("127.0.0.1", 4318, "", False)
    otlp = OtlpSink(
        lambda: Collector(endpoint, {}),
        ("nova-api", "host"),
        failures.note,
        failures.counts,
    )
    sinks = [
        StatsdSink(
            sent.append, "nova", "nova-api", (), lambda: failures.take_new()
        ),
        otlp,
        JsonFileSink(str(tmp_path / "log")),
        DumpSink(DumpStore(tmp_path / "dumps", max_files=5)),
        RequestLogSink(lambda record: True),
        CallLogSink(),
    ]
    check(
        Served(
            stream,
            None,
            NOVA,
            sinks=sinks,
            dump_dir=str(tmp_path / "dumps"),
            dump_when=("all",),
            otlp_endpoint="http://127.0.0.1:4318",
            otlp_traces=("all",),
        )
    )
    otlp.close(0)
