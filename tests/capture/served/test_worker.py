# SPDX-License-Identifier: Apache-2.0
"""Something is served that is no WSGI request, and has its record."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from time import perf_counter

import pytest
from fake_engines import FakeEngine
from serving import (
    Answer,
    Message,
    Profiled,
    calls_of,
    chunks_of,
    environ_of,
)

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import OVER
from nova_profiler.capture.current import active, current_lane, lane_var
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.served import worker
from nova_profiler.record import FAILED

KEY = CallKey("db_api", "instance_get")


@pytest.fixture
def profiled(tmp_path):
    """Return a worker with a list for a sink; its filter is not used."""
    made = Profiled(None, dump_dir=str(tmp_path), dump_when=("all",))
    yield made
    made.worker.undo()


def handled(profiled, message, work):
    """Serve *message* as a server of another protocol would."""
    worker = profiled.worker
    settings = worker.live.current
    error = None
    capture = worker.begin(message, settings)
    run = work if capture.watch is None else partial(capture.watch.run, work)
    token = lane_var.set(capture.main)
    try:
        run()
    except LookupError as exc:
        error = type(exc).__name__
    finally:
        lane_var.reset(token)
    stopped = perf_counter()
    record = worker.stop(capture, stopped)
    if error is not None:
        record.outcome, record.error = FAILED, error
    record.method, record.path = message.method, message.path
    record.route = f"rpc {message.path} {message.method}"
    record.request_id = message.id
    worker.deliver(record, capture, settings, stopped)
    return capture


def test_a_message_has_a_record_like_a_request(profiled):
    """The recorder knows neither: the message says who asked for what."""
    handled(profiled, Message(), db_api_calls.timed(lambda: 1, KEY))

    record = profiled.record
    assert (record.method, record.path) == ("cast", "compute")
    assert record.route == "rpc compute cast"
    assert record.service == "nova-api"
    assert record.duration_ms > 0.0
    assert record.cpu_ms is not None
    assert calls_of(record, "db_api")["instance_get"].count == 1
    assert len(record.timeline) == 1
    assert sum(record.breakdown_ms.values()) == pytest.approx(
        record.duration_ms
    )


def test_its_failure_is_in_the_record(profiled):
    """And dumped, as a failed request is."""

    def failing():
        raise LookupError("a secret")

    handled(profiled, Message(), failing)

    assert (profiled.record.outcome, profiled.record.error) == (
        FAILED,
        "LookupError",
    )


def test_a_thread_finds_it_by_its_request_id(profiled):
    """nova carries its context, with the id, into every thread."""
    context = pytest.importorskip("oslo_context.context")
    message = Message()
    message.id = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"

    def in_a_thread():
        context.RequestContext(request_id=message.id).update_store()
        db_api_calls.timed(lambda: 1, KEY)()

    def work():
        # Plain threads: the hook that takes lanes along is not installed.
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()

    handled(profiled, message, work)

    assert calls_of(profiled.record, "db_api")["instance_get"].count == 1
    assert profiled.record.timeline[0].lane == 1


def test_nothing_of_it_is_left(profiled):
    """The capture lets go of what was served, and no hook finds it."""
    capture = handled(profiled, Message(), lambda: None)

    assert capture.served is OVER.served
    assert capture.lanes == []
    assert active == {}
    assert current_lane() is None


def test_an_engine_watches_it_like_a_request():
    """Chosen, run under the engine, and named in the record."""
    engine = FakeEngine()
    profiled = Profiled(
        None,
        load=lambda name, note: engine,
        profiler="cprofile",
        profile_when=("always",),
    )

    handled(profiled, Message(), lambda: None)

    assert profiled.record.profile["engine"] == engine.name
    assert profiled.record.profile["chosen_by"] == "always"


def test_records_that_wait_for_a_request_are_bounded(profiled, monkeypatch):
    """The garbage collector may end many at once; the oldest go.

    No request completes more than a few: a dump takes a millisecond.
    """
    worker_here = profiled.worker
    worker_here._later = deque(maxlen=worker.MAX_LATER)
    settings = worker_here.live.current
    for _ in range(worker.MAX_LATER + 5):
        capture = worker_here.begin(Message(), settings)
        stopped = perf_counter()
        record = worker_here.stop(capture, stopped)
        worker_here.do_later(
            partial(worker_here.deliver, record, capture, settings, stopped),
            capture,
        )
    live = worker_here.live
    live.check = lambda now: setattr(live, "check_at", now + 2)
    assert profiled.records == []

    seen = []
    while live.check_at == 0.0:
        worker_here.check_settings(1.0)
        seen.append(len(profiled.records))

    most = worker.MAX_COMPLETED
    assert seen == list(range(most, worker.MAX_LATER + 1, most))
    assert profiled.failures.counts() == {"late_records": 5}


def test_what_waits_for_a_request_was_not_killed(profiled, monkeypatch):
    """The worker may end before there is one."""
    removed = []
    monkeypatch.setattr(profiled.worker.lookout, "remove", removed.append)
    capture = profiled.worker.begin(Message(), profiled.worker.live.current)
    capture.trace = "trace"
    profiled.worker.stop(capture, perf_counter())

    profiled.worker.do_later(lambda: None, capture)

    assert removed == ["trace"]


def test_requests_that_no_server_closes_do_not_pile_up(monkeypatch):
    """A server that never calls close() costs the oldest ones, not memory."""
    monkeypatch.setattr(worker, "MAX_ACTIVE", 10)

    def app(environ, start_response):
        start_response("200 OK", [])
        return chunks_of([b"x"])

    profiled = Profiled(app)
    bodies = [
        profiled.filter(environ_of(), Answer().start_response)
        for _ in range(50)
    ]
    held = len(active)
    for body in bodies:
        body.close()

    assert held == 10
    assert len(profiled.records) == 50
