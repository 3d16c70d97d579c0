# SPDX-License-Identifier: Apache-2.0
"""The filter: what a server and an application see of it, and its clocks."""

from __future__ import annotations

import concurrent.futures
import io
import json
import re
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import (
    PLAIN,
    Answer,
    Profiled,
    added_up,
    chunks_of,
    during,
    environ_of,
    served,
    set_clock,
)

from nova_profiler.capture.current import active, current_lane
from nova_profiler.capture.served import worker
from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.capture.sinks.statsd_sink import StatsdSink

CHUNKS = [b"one", b"two", b"three"]


@pytest.fixture
def clocks(monkeypatch, clock):
    """Return clocks of time and CPU that only a test moves."""
    cpu = type(clock)()
    set_clock(monkeypatch, clock)
    set_clock(monkeypatch, cpu, "thread_time")
    return clock, cpu


@pytest.fixture
def spend(clocks) -> Callable[..., None]:
    """Return what lets seconds pass, some of them on the CPU."""
    clock, cpu = clocks

    def spend(seconds: float, on_cpu: float = 0.0) -> None:
        clock.advance(seconds)
        cpu.advance(on_cpu)

    return spend


@pytest.fixture
def in_thread():
    """Return what runs a function in a thread and waits for it."""

    def run(function: Callable[[], Any]) -> Any:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(function).result(timeout=60)

    return run


class Body:
    """An iterable with close() that notes what is done with it."""

    def __init__(
        self,
        chunks: list[bytes] = CHUNKS,
        spend: Callable[[float, float], None] = lambda s, cpu: None,
        close_error: Exception | None = None,
        fails_at: int = -1,
    ) -> None:
        self._chunks = iter(chunks)
        self._spend = spend
        self._close_error = close_error
        self._fails_at = fails_at
        self.pulled = 0
        self.closed = 0

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        self._spend(0.5, 0.25)
        if self.pulled == self._fails_at:
            raise LookupError("the body fails")
        chunk = next(self._chunks)
        self.pulled += 1
        return chunk

    def close(self) -> None:
        self._spend(0.25, 0.125)
        self.closed += 1
        if self._close_error is not None:
            raise self._close_error


class SizedBody(Body):
    """As webob and others make them: a body with a length."""

    def __len__(self) -> int:
        return 3


def returning(
    body: Any,
    status: str = "200 OK",
    headers: list[tuple[str, str]] = PLAIN,
    before: Callable[[], object] = lambda: None,
) -> Any:
    """Return an application that answers with *body*."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        before()
        start_response(status, list(headers))
        return body

    return app


# -- bodies of every kind ----------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: list(CHUNKS), id="list"),
        pytest.param(lambda: tuple(CHUNKS), id="tuple"),
        pytest.param(lambda: chunks_of(CHUNKS), id="generator"),
        pytest.param(lambda: iter(CHUNKS), id="iterator"),
        pytest.param(Body, id="closable"),
        pytest.param(SizedBody, id="sized"),
        pytest.param(lambda: io.BytesIO(b"one\ntwo\nthree"), id="file"),
    ],
)
def test_every_body_comes_through(body):
    """The chunks are those of the application, and one record is made."""
    expected = list(body())
    profiled = Profiled(returning(body()))

    answer = profiled.get()

    assert answer.chunks == expected
    assert answer.status == "200 OK"
    assert answer.headers == PLAIN
    assert profiled.record.response_bytes == len(b"".join(expected))
    assert profiled.record.outcome == "ok"
    assert profiled.record.status == 200
    assert profiled.record.error is None


@pytest.mark.parametrize("body", [list(CHUNKS), tuple(CHUNKS)])
def test_a_list_is_handed_on_itself(body):
    """Servers look at the length of a list to set Content-Length."""
    profiled = Profiled(returning(body))

    got = profiled.filter(environ_of(), Answer().start_response)

    assert got is body
    assert len(profiled.records) == 1


def test_nothing_is_pulled_before_the_server_asks():
    """Each chunk is made when the server takes it, and not before."""
    body = Body()
    profiled = Profiled(returning(body))

    chunks = iter(profiled.filter(environ_of(), Answer().start_response))

    assert body.pulled == 0
    assert next(chunks) == b"one"
    assert body.pulled == 1
    assert next(chunks) == b"two"
    assert body.pulled == 2
    assert not profiled.records
    chunks.close()


def test_a_length_is_kept():
    """wsgiref and others send Content-Length for a body of length 1."""
    profiled = Profiled(returning(SizedBody()))

    body = profiled.filter(environ_of(), Answer().start_response)

    assert len(body) == 3
    body.close()


def test_a_body_without_length_gets_none():
    """A server must not take a stream for something it can count."""
    profiled = Profiled(returning(Body()))

    body = profiled.filter(environ_of(), Answer().start_response)

    assert not hasattr(body, "__len__")
    body.close()


def test_the_inner_close_is_called_once_by_close():
    """What the application has open is closed, as without the filter."""
    body = Body()
    profiled = Profiled(returning(body))

    profiled.get()

    assert body.closed == 1


def test_what_write_sends_is_counted():
    """The old way to send a body: through what start_response returned."""

    def app(environ, start_response):
        write = start_response("200 OK", PLAIN)
        write(b"by ")
        write(b"write ")
        return [b"and return"]

    profiled = Profiled(app)

    answer = profiled.get()

    assert answer.body == b"by write and return"
    assert profiled.record.response_bytes == 19


def test_an_answer_may_be_changed_while_nothing_was_sent():
    """start_response a second time, with exc_info, is passed on."""
    seen = []

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        try:
            raise LookupError("late")
        except LookupError:
            start_response("500 Oops", PLAIN, sys.exc_info())
        return [b"sorry"]

    class Watching(Answer):
        def start_response(self, status, headers, exc_info=None):
            seen.append((status, exc_info and exc_info[0]))
            return super().start_response(status, headers, exc_info)

    profiled = Profiled(app)
    answer = Watching()

    profiled.filter(environ_of(), answer.start_response)

    assert seen == [("200 OK", None), ("500 Oops", LookupError)]
    assert profiled.record.status == 500
    assert profiled.record.outcome == "failed"


def test_an_answer_that_was_sent_stays():
    """The server raises the error that came too late; so do we."""

    def app(environ, start_response):
        start_response("200 OK", PLAIN)(b"sent")
        try:
            raise LookupError("too late")
        except LookupError:
            start_response("500 Oops", PLAIN, sys.exc_info())
        return [b"never"]

    profiled = Profiled(app)

    with pytest.raises(LookupError, match="too late"):
        profiled.get()

    assert profiled.record.status == 200
    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "LookupError"
    assert profiled.record.response_bytes == 4


def test_a_generator_may_answer_late():
    """start_response is only called when the first chunk is asked for."""

    def app(environ, start_response):
        start_response("201 Created", PLAIN)
        yield b"late"

    profiled = Profiled(app)

    answer = profiled.get()

    assert answer.status == "201 Created"
    assert profiled.record.status == 201
    assert profiled.record.response_bytes == 4


# -- the end of a request ----------------------------------------------------


def test_an_exception_before_the_answer():
    """It reaches the server untouched; servers then send 500."""

    def app(environ, start_response):
        raise LookupError("at once")

    profiled = Profiled(app)

    with pytest.raises(LookupError, match="at once"):
        profiled.get()

    assert profiled.record.status == 500
    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "LookupError"
    assert profiled.record.response_bytes == 0


def test_an_exception_after_the_answer():
    """The status that was announced is the one that is told."""

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        raise LookupError("after")

    profiled = Profiled(app)

    with pytest.raises(LookupError, match="after"):
        profiled.get()

    assert profiled.record.status == 200
    assert profiled.record.outcome == "failed"


@pytest.mark.parametrize("kind", [Body, SizedBody])
def test_an_exception_in_the_body(kind):
    """What was sent until then is counted; close() is still called."""
    body = kind(fails_at=1)
    profiled = Profiled(returning(body))

    with pytest.raises(LookupError, match="the body fails"):
        profiled.get()

    assert body.closed == 1
    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "LookupError"
    assert profiled.record.response_bytes == 3


def test_an_exception_in_close_after_the_end():
    """The response is complete; the error reaches the server all the same."""
    profiled = Profiled(returning(Body(close_error=OSError("close"))))

    with pytest.raises(OSError, match="close"):
        profiled.get()

    assert profiled.record.outcome == "ok"
    assert profiled.record.response_bytes == 11


def test_an_exception_in_close_before_the_end():
    """Then the request failed, with that error."""
    profiled = Profiled(returning(Body(close_error=LookupError("close"))))

    with pytest.raises(LookupError, match="close"):
        served(profiled.filter, chunks=1)

    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "LookupError"


def test_an_error_is_named_by_its_class_only():
    """Its text may hold what a client sent."""

    def app(environ, start_response):
        raise ValueError("password=secret")

    profiled = Profiled(app)

    with pytest.raises(ValueError, match="password"):
        profiled.get()

    assert profiled.record.error == "ValueError"
    assert "secret" not in str(profiled.record.to_dict())


def test_systemexit_passes():
    """A worker that is told to end is no exception of ours to keep."""

    def app(environ, start_response):
        raise SystemExit(3)

    profiled = Profiled(app)

    with pytest.raises(SystemExit, match="3"):
        profiled.get()

    assert profiled.record.error == "SystemExit"


@pytest.mark.parametrize("status", ["500 Oops", "503 Not now"])
def test_an_answer_from_500_on_failed(status):
    """The server's own failures are failures; the client's are not."""
    profiled = Profiled(returning([b"x"], status))

    profiled.get()

    assert profiled.record.outcome == "failed"


@pytest.mark.parametrize("status", ["301 Moved", "404 Not Found", "409 No"])
def test_a_refused_request_did_not_fail(status):
    """What a client did wrong is not the service's failure."""
    profiled = Profiled(returning([b"x"], status))

    profiled.get()

    assert profiled.record.outcome == "ok"
    assert profiled.record.status == int(status[:3])


@pytest.mark.parametrize("kind", [Body, SizedBody])
def test_a_client_that_goes_away(kind):
    """A body closed before its end was aborted, as far as it was sent."""
    body = kind()
    profiled = Profiled(returning(body))

    answer = served(profiled.filter, chunks=2)

    assert answer.body == b"onetwo"
    assert body.closed == 1
    assert profiled.record.outcome == "aborted"
    assert profiled.record.response_bytes == 6


def test_a_client_that_goes_away_from_a_generator():
    """The application's generator is told at once, not by the collector."""
    told = []

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        try:
            yield from CHUNKS
        except GeneratorExit:
            told.append("closed")
            raise

    profiled = Profiled(app)

    served(profiled.filter, chunks=1)

    assert told == ["closed"]
    assert profiled.record.outcome == "aborted"


def test_a_client_that_goes_away_while_write_sends():
    """The server's write() raises; it was not the application."""

    def app(environ, start_response):
        write = start_response("200 OK", PLAIN)
        write(b"x")
        return []

    def start_response(status, headers, exc_info=None):
        def write(data):
            raise BrokenPipeError("gone")

        return write

    profiled = Profiled(app)

    with pytest.raises(BrokenPipeError, match="gone"):
        profiled.filter(environ_of(), start_response)

    assert profiled.record.outcome == "aborted"
    assert profiled.record.response_bytes == 0


def test_the_promised_length_is_the_end():
    """Some servers stop at Content-Length and never ask for more."""
    headers = [*PLAIN, ("content-length", "6")]
    profiled = Profiled(returning(Body(), headers=headers))

    served(profiled.filter, chunks=2)

    assert profiled.record.outcome == "ok"


def test_less_than_the_promised_length_is_not():
    """A promise that was not kept is an abort."""
    headers = [*PLAIN, ("Content-Length", "7")]
    profiled = Profiled(returning(Body(), headers=headers))

    served(profiled.filter, chunks=2)

    assert profiled.record.outcome == "aborted"


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("HEAD", "200 OK"),
        ("GET", "204 No Content"),
        ("GET", "304 Not Modified"),
        ("GET", "101 Switching Protocols"),
    ],
)
def test_a_response_without_body_may_be_closed_at_once(method, status):
    """Servers do not ask for chunks that they may not send."""
    body = Body()
    profiled = Profiled(returning(body, status))

    served(profiled.filter, chunks=0, REQUEST_METHOD=method)

    assert body.closed == 1
    assert profiled.record.outcome == "ok"
    assert profiled.record.method == method


@pytest.mark.parametrize("chunks", [0, 1, 2, -1])
def test_there_is_one_record_a_request(chunks):
    """However it ends, and however often it is closed after that."""
    profiled = Profiled(returning(Body()))
    body = profiled.filter(environ_of(), Answer().start_response)
    chunk_list = iter(body)
    for _ in range(4 if chunks < 0 else chunks):
        next(chunk_list, None)

    body.close()
    body.close()
    next(chunk_list, None)

    assert len(profiled.records) == 1


# -- clocks ------------------------------------------------------------------


def test_a_list_ends_when_it_is_returned(spend):
    """There is nothing left to wait for."""
    app = returning([b"x"], before=lambda: spend(2.0, 1.5))
    profiled = Profiled(app)

    profiled.get()

    assert_times(profiled.record, duration=2000, app=2000, cpu=1500)


def test_a_stream_ends_with_its_last_chunk(spend):
    """app_ms until the app returned, duration_ms until nothing came."""
    app = returning(Body(spend=spend), before=lambda: spend(2.0, 1.5))
    profiled = Profiled(app)

    profiled.get()

    assert_times(profiled.record, duration=4000, app=2000, cpu=2500)


def test_a_generator_works_after_the_app_returned(spend):
    """All its work is in its body."""

    def app(environ, start_response):
        spend(1.0, 0.5)
        start_response("200 OK", PLAIN)
        yield b"x"
        spend(1.0, 0.5)

    profiled = Profiled(app)

    profiled.get()

    assert_times(profiled.record, duration=2000, app=0, cpu=1000)


def test_close_stops_the_clock_of_an_aborted_body(spend):
    """One chunk of 0.5 s and a close() of 0.25 s."""
    app = returning(Body(spend=spend), before=lambda: spend(2.0, 1.5))
    profiled = Profiled(app)

    served(profiled.filter, chunks=1)

    assert_times(profiled.record, duration=2750, app=2000, cpu=1875)


def test_an_exception_stops_the_clock(spend):
    """The app never returned: its time is that of the request."""

    def app(environ, start_response):
        spend(1.5, 0.5)
        raise LookupError("late")

    profiled = Profiled(app)

    with pytest.raises(LookupError, match="late"):
        profiled.get()

    assert_times(profiled.record, duration=1500, app=1500, cpu=500)


def test_an_exception_in_the_body_stops_the_clock(spend):
    """As much as was until then."""
    app = returning(
        Body(spend=spend, fails_at=1), before=lambda: spend(2.0, 1.5)
    )
    profiled = Profiled(app)

    with pytest.raises(LookupError, match="the body fails"):
        profiled.get()

    assert_times(profiled.record, duration=3000, app=2000, cpu=2000)


def test_what_a_slow_client_takes_is_in_the_duration(spend):
    """Between two chunks the server sends; the clock goes on."""
    profiled = Profiled(returning(Body(spend=spend)))
    body = profiled.filter(environ_of(), Answer().start_response)

    for _ in body:
        spend(1.0, 0.0)

    assert_times(profiled.record, duration=5000, app=0, cpu=1000)


def test_a_file_ends_when_it_is_closed(spend):
    """A server that sends the file by itself says so by close()."""
    file = io.BytesIO(b"x" * 100)

    def app(environ, start_response):
        spend(1.0, 0.5)
        start_response("200 OK", [*PLAIN, ("Content-Length", "100")])
        return environ["wsgi.file_wrapper"](file)

    profiled = Profiled(app)
    environ = environ_of(**{"wsgi.file_wrapper": FileWrapper})

    body = profiled.filter(environ, Answer().start_response)
    assert len(list(body)) == 1
    spend(1.0, 0.0)
    assert not profiled.records
    body.close()

    assert type(body) is FileWrapper
    assert body.filelike is file
    assert file.closed
    assert profiled.record.response_bytes == 100
    assert profiled.record.outcome == "ok"
    assert_times(profiled.record, duration=2000, app=1000, cpu=500)


def test_a_file_that_cannot_be_closed_failed():
    """Its error reaches the server, and the record."""

    class Broken:
        def __init__(self, data):
            pass

        def close(self):
            raise OSError("lost")

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](b"x")

    profiled = Profiled(app)
    environ = environ_of(**{"wsgi.file_wrapper": Broken})
    body = profiled.filter(environ, Answer().start_response)

    with pytest.raises(OSError, match="lost"):
        body.close()

    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "OSError"


def test_a_wrapper_made_in_c_is_handed_on():
    """Where close() cannot be seen, the body still is the very object."""

    class InC:
        __slots__ = ()

        def __init__(self, file):
            pass

        def close(self):
            pass

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"x"))

    profiled = Profiled(app)
    environ = environ_of(**{"wsgi.file_wrapper": InC})

    body = profiled.filter(environ, Answer().start_response)

    assert type(body) is InC
    assert profiled.record.outcome == "ok"


def test_the_cpu_clock_of_another_thread_is_none_of_ours(spend, in_thread):
    """A body that another thread sends has no cpu_ms."""
    profiled = Profiled(returning(Body(spend=spend)))
    body = profiled.filter(environ_of(), Answer().start_response)

    in_thread(lambda: list(body))

    assert profiled.record.cpu_ms is None
    assert profiled.record.duration_ms == pytest.approx(2000)
    assert added_up(profiled.record) == pytest.approx(2000)


def test_time_off_the_cpu_is_waiting(spend):
    """3 s passed, the thread ran for one of them, no hook knows more."""
    profiled = Profiled(during(lambda: spend(3.0, 1.0)))

    profiled.get()

    assert profiled.record.breakdown_ms == pytest.approx(
        {"python": 1000, "waiting": 2000}
    )


def test_the_clocks_of_real_work_are_in_order():
    """CPU within duration, app within duration, and the parts are it all."""
    profiled = Profiled(returning(Body(), before=lambda: sum(range(20_000))))

    profiled.get()
    record = profiled.record

    assert 0 < record.app_ms <= record.duration_ms
    assert record.cpu_ms > 0
    assert record.self_ms > 0
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def assert_times(record, duration, app, cpu):
    """Compare the record's times, and that the breakdown is all of it."""
    assert record.duration_ms == pytest.approx(duration)
    assert record.app_ms == pytest.approx(app)
    assert record.cpu_ms == pytest.approx(cpu)
    assert added_up(record) == pytest.approx(duration)


# -- the lane ----------------------------------------------------------------


def test_the_lane_is_there_while_the_application_works():
    """In the app, in each chunk and in close(); never in the server."""
    seen = []

    class Watching(Body):
        def __next__(self):
            seen.append(current_lane())
            return super().__next__()

        def close(self):
            seen.append(current_lane())

    body = Watching([b"x"])
    app = returning(body, before=lambda: seen.append(current_lane()))
    profiled = Profiled(app)

    answer = profiled.filter(environ_of(), Answer().start_response)
    between = [current_lane()]
    for _ in answer:
        between.append(current_lane())
    answer.close()
    between.append(current_lane())

    assert between == [None, None, None]
    # close() after the end has one that takes no more calls.
    assert len(set(seen[:-1])) == 1
    assert None not in seen


def test_the_lane_is_gone_after_an_exception():
    """The thread goes on to serve others."""

    def app(environ, start_response):
        raise LookupError("x")

    with pytest.raises(LookupError, match="x"):
        Profiled(app).get()

    assert current_lane() is None


# -- PEP 3333 ----------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: [b"x"], id="list"),
        pytest.param(lambda: chunks_of(CHUNKS), id="generator"),
        pytest.param(Body, id="closable"),
        pytest.param(lambda: FileWrapper(io.BytesIO(b"x")), id="file"),
    ],
)
@pytest.mark.parametrize("chunks", [0, 1, -1])
def test_both_sides_are_valid_wsgi(body, chunks):
    """wsgiref's checker between server and filter, and filter and app."""

    def app(environ, start_response):
        write = start_response("200 OK", PLAIN)
        write(b"first")
        return body()

    profiled = Profiled(validator(app))

    answer = served(validator(profiled.filter), chunks=chunks)

    assert answer.status == "200 OK"
    assert len(profiled.records) == 1


def test_a_fault_of_the_server_is_still_seen_by_the_checker():
    """The filter hides nothing: a body that is not closed is reported."""
    profiled = Profiled(returning(Body()))
    checked = validator(profiled.filter)
    with closing(checked(environ_of(), Answer().start_response)) as body:
        next(iter(body))

    assert profiled.record.outcome == "aborted"


# -- more than one filter, more than one request -----------------------------


def test_two_filters_in_a_pipeline_count_once():
    """The outer one has the request; the inner one leaves it alone."""
    inner = Profiled(returning(Body()))
    outer = Profiled(inner.filter)

    answer = outer.get()

    assert answer.chunks == CHUNKS
    assert len(outer.records) == 1
    assert inner.records == []


def test_an_environ_used_again_is_another_request():
    """Some servers and tests keep one dict for all requests."""
    profiled = Profiled(returning([b"x"]))
    environ = environ_of()

    profiled.filter(environ, Answer().start_response)
    profiled.filter(environ, Answer().start_response)

    assert len(profiled.records) == 2


def test_the_environ_is_left_as_it_was():
    """Nothing of ours stays in what belongs to the server."""
    profiled = Profiled(returning([b"x"]))
    environ = environ_of()
    before = dict(environ)

    profiled.filter(environ, Answer().start_response)

    assert environ == before


def test_a_request_within_a_request_has_its_own_record():
    """nova asks itself at times; each has its path and its calls."""
    inner = Profiled(returning([b"inner"]))

    def app(environ, start_response):
        served(inner.filter, "/inner")
        start_response("200 OK", PLAIN)
        return [b"outer"]

    outer = Profiled(app)

    outer.get("/outer")

    assert inner.record.path == "/inner"
    assert outer.record.path == "/outer"


def test_disabled_is_straight_through():
    """The application gets the server's own callable, the server its body."""
    seen = []
    body = Body()

    def app(environ, start_response):
        seen.append((environ, start_response, current_lane()))
        return body

    profiled = Profiled(app, enabled=False)
    environ = environ_of()
    before = dict(environ)
    start_response = Answer().start_response

    got = profiled.filter(environ, start_response)

    assert got is body
    assert seen == [(environ, start_response, None)]
    assert environ == before
    assert profiled.records == []


def test_it_can_be_switched_while_it_runs():
    """Each request asks the settings that are in force."""
    profiled = Profiled(returning([b"x"]), enabled=False)
    profiled.get()

    profiled.live.current = profiled.live.current.changed({"enabled": True})
    profiled.get()
    profiled.live.current = profiled.live.current.changed({"enabled": False})
    profiled.get()

    assert len(profiled.records) == 1


# -- hostile requests --------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/servers\nHost: forged",
        "/servers\r\n\r\nGET /x",
        "/a|b:c|ms",
        "/" + "x" * 65_536,
        "/\xff\xfe\x80",
        "/\x00\x1b[31m",
        "/%0a%00",
        "//..//../etc/passwd",
        "",
    ],
    ids=lambda path: repr(path[:20]),
)
def test_a_hostile_path_stays_in_its_field(path):
    """One line of limited length, ASCII, and no route of its own."""
    profiled = Profiled(returning([b"ok"], "404 Not Found"))

    answer = profiled.get(path)
    record = profiled.record

    assert answer.body == b"ok"
    assert record.path.isascii()
    assert record.path.isprintable()
    assert len(record.path) < 4000
    assert record.route == "unmatched"
    assert profiled.failures.counts() == {}


@given(
    st.text(st.characters(max_codepoint=255)),
    st.text(max_size=20),
    st.sampled_from(["200 OK", "404 Not Found"]),
)
def test_no_path_or_method_breaks_a_metric_or_a_line(path, method, status):
    """Whatever is asked, and even if it is answered."""
    sent: list[str] = []
    sink = StatsdSink(sent.append, "nova", "nova-api")
    profiled = Profiled(returning([b"ok"], status), sink)

    profiled.get("/" + path, REQUEST_METHOD=method)
    line = line_of(profiled.record)

    assert re.fullmatch(r"[A-Za-z0-9_.-]+:[0-9.]+\|ms", sent[0])
    assert line.count("\n") == 1
    assert json.loads(line)["path"] == profiled.record.path


@pytest.mark.parametrize("method", ["BREW", "GET\n", "", "G|T:1|c", "x" * 999])
def test_an_unknown_method_is_other(method):
    """Methods are in metric names: clients do not make new ones."""
    profiled = Profiled(returning([b"ok"]))

    profiled.get(REQUEST_METHOD=method)

    assert profiled.record.method == "OTHER"


@pytest.mark.parametrize("status", ["", "OK", "abc", "²00 OK", "99999", "-1"])
def test_an_odd_status_is_passed_on(status):
    """What an application answers is its own business."""
    profiled = Profiled(returning([b"ok"], status))

    answer = profiled.get()

    assert answer.status == status
    assert len(profiled.records) == 1


class Raising:
    """A part of ours that fails, with a client's words in its message."""

    name = "statsd"

    def __init__(self) -> None:
        self.asked = 0

    def emit(self, record):
        self.asked += 1
        raise LookupError("token=secret")

    def route_of(self, environ, path, status):
        self.asked += 1
        raise LookupError("token=secret")


def test_a_sink_that_raises_is_logged_once_and_counted(caplog):
    """Requests are answered as before and the other sinks get theirs."""
    broken = Raising()
    profiled = Profiled(returning([b"ok"]), broken)

    answers = [profiled.get().body for _ in range(5)]

    assert answers == [b"ok"] * 5
    assert broken.asked == 5
    assert len(profiled.records) == 5
    assert profiled.failures.counts() == {"statsd": 5}
    (line,) = caplog.records
    assert line.getMessage().startswith("statsd failed (LookupError)")
    assert "secret" not in caplog.text


@pytest.mark.parametrize("kind", [list, tuple])
def test_what_is_sent_into_the_thread_passes_on_after_the_response(kind):
    """A timeout, or the end of a greenthread, that comes while we deliver."""

    class Sent(BaseException):
        pass

    class Interrupted:
        name = "statsd"

        def emit(self, record):
            raise Sent

    profiled = Profiled(returning(kind([b"o", b"k"])), Interrupted())
    answer = Answer()

    body = profiled.filter(environ_of("/"), answer.start_response)

    assert len(body) == 2
    assert list(body) == [b"o", b"k"]
    assert answer.status == "200 OK"
    with pytest.raises(Sent):
        body.close()
    # The other sinks have got theirs.
    assert len(profiled.records) == 1
    assert profiled.failures.counts() == {"statsd": 1}


def test_a_route_rule_that_raises_is_unmatched(caplog):
    """The record is complete but for its route."""
    profiled = Profiled(returning([b"ok"]), routes=Raising())

    answers = [profiled.get().body for _ in range(3)]

    assert answers == [b"ok"] * 3
    assert [record.route for record in profiled.records] == ["unmatched"] * 3
    assert profiled.failures.counts() == {"route": 3}
    assert len(caplog.records) == 1


def test_a_context_that_raises_costs_the_record_only(caplog):
    """What other people put into the environ may do anything."""

    class Context:
        @property
        def user_id(self):
            raise LookupError("token=secret")

    profiled = Profiled(returning([b"ok"]))

    answers = [
        profiled.get(**{"nova.context": Context()}).body for _ in range(3)
    ]

    assert answers == [b"ok"] * 3
    assert profiled.failures.counts() == {"record": 3}
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


def test_faults_survive_a_broken_logging(monkeypatch):
    """The host's logging is no reason to fail a request either."""
    from nova_profiler.capture import failures

    def broken(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(failures.LOG, "warning", broken)
    profiled = Profiled(returning([b"ok"]), Raising())

    answer = profiled.get()

    assert answer.body == b"ok"
    assert profiled.failures.counts() == {"statsd": 1, "logging": 1}


def test_settings_that_cannot_be_checked_stay_in_force(caplog):
    """A broken file costs nothing but a line in the log."""

    def check(now):
        raise LookupError("password=secret")

    profiled = Profiled(returning([b"ok"]))
    profiled.live.check_at = 0.0
    profiled.live.check = check

    answers = [profiled.get().body for _ in range(3)]

    assert answers == [b"ok"] * 3
    assert len(profiled.records) == 3
    assert profiled.failures.counts() == {"settings": 3}
    assert "secret" not in caplog.text


def test_an_environ_that_no_server_sends_is_served():
    """It is not the filter's to refuse."""
    profiled = Profiled(returning([b"ok"]))

    answer = profiled.get(SCRIPT_NAME=None)

    assert answer.body == b"ok"
    assert profiled.failures.counts() == {"middleware": 1}


def test_a_body_that_is_not_bytes_is_the_servers_to_refuse():
    """It is handed on; the record says that it failed."""
    body = [b"ok", 5]
    profiled = Profiled(returning(body))

    got = profiled.filter(environ_of(), Answer().start_response)

    assert got is body
    assert profiled.record.error == "TypeError"
    assert profiled.record.outcome == "failed"


def test_greenthreads_have_no_cpu_clock(monkeypatch, spend):
    """The thread's clock runs for all of them: no cpu_ms, no waiting."""
    monkeypatch.setattr(worker, "runs_green", lambda: True)
    profiled = Profiled(during(lambda: spend(3.0, 1.0)))

    profiled.get()

    assert profiled.record.cpu_ms is None
    assert profiled.record.breakdown_ms == pytest.approx({"python": 3000})


@pytest.mark.parametrize("status", [None, b"200 OK", 200, ["200"]])
@pytest.mark.parametrize("headers", [None, [("Content-Length",)], [7]])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_status_that_is_no_text_leaves_nothing_open(
    status, headers, streamed
):
    """The server decides about it; the record has 500, the capture ends."""
    body = chunks_of([b"one", b"two"]) if streamed else [b"one", b"two"]

    def app(environ, start_response):
        start_response(status, headers)
        return body

    profiled = Profiled(app)
    got = []

    returned = profiled.filter(environ_of(), lambda *args: got.append(args))
    next(iter(returned))
    if streamed:
        returned.close()

    assert got == [(status, headers)]
    assert profiled.record.status == 500
    assert active == {}
    assert profiled.failures.counts() == {}
