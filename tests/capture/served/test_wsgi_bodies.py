# SPDX-License-Identifier: Apache-2.0
"""Bodies of every kind, as servers and other filters treat them."""

from __future__ import annotations

import collections
import gc
import io
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from typing import Any
from wsgiref.util import FileWrapper

import greenlet
import pytest
from serving import PLAIN, Answer, Profiled, chunks_of, environ_of

from nova_profiler.capture.current import active, current_lane
from nova_profiler.capture.served.nova_routes import Routes

CHUNKS = [b"one", b"two", b"three"]


def returning(body: Any, answers: bool = True, **headers: str) -> Any:
    """Return an application that answers with *body*."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if answers:
            start_response("200 OK", PLAIN + list(headers.items()))
        return body

    return app


def handed(profiled: Profiled, **environ: Any) -> Any:
    """Return the body that a server gets."""
    return profiled.filter(environ_of(**environ), Answer().start_response)


class Again:
    """A body that can be iterated over again and again."""

    def __iter__(self) -> Iterator[bytes]:
        yield from CHUNKS


class Sized(Again):
    """The same with a length and a close()."""

    closed = 0

    def __len__(self) -> int:
        return len(CHUNKS)

    def close(self) -> None:
        self.closed += 1


class ClosedList(list[bytes]):
    """A list that has something to close."""

    def close(self) -> None:
        self.append(b"closed")


# -- what the server gets ----------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(Sized, id="class"),
        pytest.param(lambda: collections.deque(CHUNKS), id="deque"),
        pytest.param(lambda: dict.fromkeys(CHUNKS), id="dict"),
        pytest.param(lambda: ClosedList(CHUNKS), id="list with close()"),
    ],
)
def test_a_sized_body_can_be_measured_and_then_sent(body):
    """eventlet and gevent add up the lengths of its chunks first."""
    profiled = Profiled(returning(body()))

    got = handed(profiled)
    length = sum(map(len, got))
    sent = list(got)
    got.close()

    assert length == 11
    assert sent == CHUNKS
    assert profiled.record.response_bytes == 11
    assert profiled.record.outcome == "ok"


def test_a_sized_body_that_is_closed_while_it_is_sent_was_aborted():
    """What was measured before does not count."""
    body = Sized()
    profiled = Profiled(returning(body))

    got = handed(profiled)
    length = sum(map(len, got))
    next(iter(got))
    got.close()

    assert length == 11
    assert body.closed == 1
    assert profiled.record.response_bytes == 3
    assert profiled.record.outcome == "aborted"


def test_a_body_can_be_iterated_over_twice_if_it_could_before():
    """A further pass begins at the first chunk; a pass goes on where it is."""
    profiled = Profiled(returning(Again()))

    got = handed(profiled)
    first = iter(got)
    taken = [next(first), *first]
    again = list(got)

    assert taken == again == CHUNKS
    assert iter(first) is first


def test_a_list_of_a_class_of_its_own_is_handed_on_itself():
    """Servers compare such objects, or look at their classes."""

    class Marked(list[bytes]):
        pass

    body = Marked(CHUNKS)
    profiled = Profiled(returning(body))

    assert handed(profiled) is body
    assert profiled.record.response_bytes == 11


@pytest.mark.parametrize("body", [b"bytes", "text", bytearray(b"x"), b""])
def test_bytes_are_handed_on_themselves(body):
    """uWSGI sends them in one piece; their items are no chunks."""
    profiled = Profiled(returning(body))

    assert handed(profiled) is body
    assert profiled.record.outcome == "ok"
    assert profiled.record.response_bytes is None


@pytest.mark.parametrize("body", [None, 7, object()])
def test_what_cannot_be_iterated_over_is_handed_on_itself(body):
    """The server raises as it does without the filter."""
    profiled = Profiled(returning(body))

    assert handed(profiled) is body
    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "TypeError"


def test_a_body_by_position_comes_through():
    """The old protocol of iteration has no __iter__()."""

    class ByPosition:
        def __getitem__(self, index: int) -> bytes:
            return CHUNKS[index]

    profiled = Profiled(returning(ByPosition()))

    assert list(handed(profiled)) == CHUNKS
    assert profiled.record.outcome == "ok"


def test_a_body_that_cannot_begin_failed():
    """Its own error reaches the server when that begins to iterate."""

    class Broken:
        def __iter__(self) -> Iterator[bytes]:
            raise LookupError("no begin")

    profiled = Profiled(returning(Broken()))
    got = handed(profiled)

    with pytest.raises(LookupError, match="no begin"):
        iter(got)

    assert profiled.record.outcome == "failed"
    assert profiled.record.error == "LookupError"


def test_chunks_that_are_no_bytes_are_handed_on_uncounted():
    """uWSGI takes a file for a chunk, and None for none."""
    file = object()
    profiled = Profiled(returning(iter([None, file, b"x"])))

    assert list(handed(profiled)) == [None, file, b"x"]
    assert profiled.record.outcome == "ok"
    assert profiled.record.response_bytes is None


def test_a_body_keeps_its_other_attributes():
    """Servers and filters look for more than PEP 3333 names."""

    class Rich(Again):
        block_size = 4096

        def fileno(self) -> int:
            return 7

    profiled = Profiled(returning(Rich()))

    got = handed(profiled)

    assert got.block_size == 4096
    assert got.fileno() == 7
    assert not hasattr(got, "read")
    assert not hasattr(got, "__len__")
    assert not hasattr(iter(got), "fileno")
    got.close()


def test_a_body_sent_in_another_way_is_not_made_up():
    """Its attributes were taken, its chunks were not."""

    class Ranged(Again):
        def app_iter_range(self, start: int, stop: int) -> list[bytes]:
            return [b"range"]

    profiled = Profiled(returning(Ranged()))

    got = handed(profiled)
    got.app_iter_range(0, 5)
    got.close()

    assert profiled.record.outcome == "ok"
    assert profiled.record.response_bytes is None


def test_attributes_that_raise_are_the_servers_to_see():
    """A body of which nothing can be known is handed on itself."""

    class Hostile(Again):
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    body = Hostile()
    profiled = Profiled(returning(body))

    assert handed(profiled) is body
    assert len(profiled.records) == 1
    assert active == {}


def test_an_iterator_is_let_go_before_close():
    """A loop that is left ends its generator first, within the request."""
    seen: list[Any] = []

    class Separate:
        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from CHUNKS
            finally:
                seen.append(("iterator", current_lane() is not None))

        def close(self) -> None:
            seen.append(("closed", current_lane() is not None))

    profiled = Profiled(returning(Separate()))
    got = handed(profiled)
    next(got)

    got.close()

    assert seen == [("iterator", True), ("closed", True)]


# -- what ends a body --------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome", "name"),
    [
        (BrokenPipeError, "aborted", None),
        (ConnectionResetError, "aborted", None),
        (TimeoutError, "aborted", None),
        (KeyboardInterrupt, "aborted", None),
        (TypeError, "failed", "TypeError"),
        (AssertionError, "failed", "AssertionError"),
    ],
)
@pytest.mark.parametrize("body", [chunks_of, Sized])
def test_an_error_of_the_server_ends_the_body(error, outcome, name, body):
    """Content-Length is no proof that the last chunk was sent."""
    made = body(CHUNKS) if body is chunks_of else body()
    profiled = Profiled(returning(made, **{"Content-Length": "11"}))
    got = handed(profiled)

    with pytest.raises(error):
        send_and_fail(got, error)

    assert profiled.record.outcome == outcome
    assert profiled.record.error == name
    assert profiled.record.response_bytes == 11


def send_and_fail(body: Any, error: type[BaseException]) -> None:
    """Fail to send the last chunk, as a server does."""
    sent = 0
    try:
        for _ in body:
            sent += 1
            if sent == len(CHUNKS):
                raise error
    finally:
        body.close()


def test_an_error_that_was_there_before_is_none_of_the_bodys():
    """A server may call the application while it handles an exception."""
    profiled = Profiled(
        returning(chunks_of(CHUNKS), **{"Content-Length": "3"})
    )

    try:
        raise BrokenPipeError("of an earlier request")
    except BrokenPipeError:
        got = handed(profiled)
        next(got)
        got.close()

    assert profiled.record.outcome == "ok"


def test_the_end_of_a_loop_by_hand_is_no_error():
    """Some servers call next() and close in the handler of StopIteration."""
    profiled = Profiled(returning(Sized()))
    got = handed(profiled)
    chunks = iter(got)

    while True:
        try:
            next(chunks)
        except StopIteration:
            got.close()
            break

    assert profiled.record.outcome == "ok"


# -- bodies that a server drops ----------------------------------------------


class Holding:
    """An application's object that a body holds."""


@pytest.mark.parametrize("pulled", [0, 1])
@pytest.mark.parametrize("kind", ["generator", "again", "sized"])
def test_a_body_dropped_without_close_has_a_record(kind, pulled):
    """Servers forget it, and filters that fail between two of theirs."""
    body = {"generator": chunks_of(CHUNKS), "again": Again()}.get(
        kind, Sized()
    )
    profiled = Profiled(returning(body))
    got = handed(profiled)
    chunks = iter(got)
    for _ in range(pulled):
        next(chunks)

    del got, chunks

    assert profiled.record.outcome == "aborted"
    assert profiled.record.response_bytes == 3 * pulled
    assert active == {}


def test_a_dropped_body_leaves_nothing_behind():
    """The environ and what the application holds go at once."""
    profiled = Profiled(lambda environ, start_response: held(environ))

    def held(environ: dict[str, Any]) -> Iterator[bytes]:
        yield environ["held"] and b"x"

    gone = []
    gc.disable()
    try:
        for _ in range(3):
            holding = Holding()
            weakref.finalize(holding, gone.append, True)
            got = handed(profiled, held=holding)
            del holding
            next(got)
            del got
    finally:
        gc.enable()

    assert gone == [True] * 3
    assert len(profiled.records) == 3
    assert active == {}


def test_a_sized_body_that_was_read_to_its_end_is_whole():
    """Dropped instead of closed, it was sent all the same."""
    profiled = Profiled(returning(Sized()))

    assert list(handed(profiled)) == CHUNKS
    assert profiled.record.outcome == "ok"


def test_the_end_of_a_dropped_generator_is_within_the_request():
    """Its calls are the request's, as those of close() are."""
    seen = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            yield b"x"
        finally:
            lane = current_lane()
            seen.append(lane is not None and not lane.closed)

    profiled = Profiled(app)
    got = handed(profiled)
    next(got)

    del got

    assert seen == [True]
    assert profiled.record.outcome == "aborted"


def test_a_body_in_a_cycle_is_delivered_with_the_next_request():
    """Inside the collector a sink could wait for a lock of its own thread."""
    profiled = Profiled(returning(chunks_of(CHUNKS)))
    got = handed(profiled)
    next(got)
    cycle: list[Any] = [got]
    cycle.append(cycle)

    del got, cycle
    gc.collect()

    assert active == {}
    assert profiled.records == []
    profiled.live.check = lambda now: None
    handed(profiled).close()
    first, _ = profiled.records
    assert first.outcome == "aborted"
    assert first.response_bytes == 3


class ClosesItself(io.BytesIO):
    """A file that is closed when it is let go of, as all of ``io`` are."""


def sent_by_a_generator(body: Any) -> Iterator[bytes]:
    """Return a generator that passes *body* on, as filters further out do."""

    def chunks() -> Iterator[bytes]:
        try:
            yield from body
        finally:
            body.close()

    begun = chunks()
    next(begun)
    return begun


def sent_by_a_greenlet(body: Any) -> Any:
    """Return a greenlet that waits while it sends *body*."""
    hub = greenlet.getcurrent()

    def send() -> None:
        try:
            for _ in body:
                hub.switch()
        finally:
            body.close()

    sender = greenlet.greenlet(send)
    sender.switch()
    return sender


class Key:
    """What a body is kept for."""


KEPT: weakref.WeakKeyDictionary[Key, Any] = weakref.WeakKeyDictionary()


def kept_for_a_key(body: Any) -> Any:
    """Return what *body* is kept for, elsewhere.

    The collector does not find *body*: it calls what lets go of it.
    """

    key = Key()
    KEPT[key] = body
    return key


# The body that an application returns, and what a server does with it so that
# only the collector ends it.
ENDED_BY_THE_COLLECTOR: dict[str, tuple[Any, Any]] = {
    "body": (lambda: chunks_of(CHUNKS), None),
    "list": (lambda: Sized(), None),
    "wrapped file": (lambda: FileWrapper(io.BytesIO(b"x")), None),
    "file that closes itself": (lambda: ClosesItself(b"x"), None),
    "generator": (lambda: chunks_of(CHUNKS), sent_by_a_generator),
    "greenlet": (lambda: chunks_of(CHUNKS), sent_by_a_greenlet),
    "weak key": (lambda: chunks_of(CHUNKS), kept_for_a_key),
}


@pytest.mark.parametrize(
    ("made", "send"),
    ENDED_BY_THE_COLLECTOR.values(),
    ids=ENDED_BY_THE_COLLECTOR,
)
def test_the_collector_takes_no_lock_that_its_thread_holds(made, send):
    """It runs wherever something is made: here, while a route is found."""
    lock = threading.Lock()

    class Locked(Routes):
        def route_of(self, *args: Any) -> str:
            if not lock.acquire(blocking=False):
                raise AssertionError("would wait for itself for ever")
            gc.collect()
            lock.release()
            return super().route_of(*args)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return made()

    profiled = Profiled(app, routes=Locked())
    profiled.live.check = lambda now: None
    environ = {"wsgi.file_wrapper": type(made())}
    body = handed(profiled, **environ)
    cycle: list[Any] = [body if send is None else send(body)]
    cycle.append(cycle)
    del cycle, body
    held = len(active)

    for _ in range(2):
        handed(profiled, **environ).close()

    assert held == 1
    assert profiled.failures.counts() == {}
    assert len(profiled.records) == 3


def test_a_sink_that_raises_for_a_dropped_body_is_not_seen(capsys):
    """Python would print what __del__() raises."""

    class Interrupted:
        name = "log"

        def emit(self, record: Any) -> None:
            raise KeyboardInterrupt

    profiled = Profiled(returning(chunks_of(CHUNKS)), Interrupted())
    got = handed(profiled)

    del got

    assert active == {}
    assert capsys.readouterr().err == ""


# -- never answered ----------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(list, id="list"),
        pytest.param(lambda: b"", id="bytes"),
        pytest.param(lambda: None, id="none"),
        pytest.param(object, id="object"),
        pytest.param(lambda: chunks_of([]), id="generator"),
        pytest.param(lambda: chunks_of([b"frame"]), id="chunks"),
        pytest.param(Sized, id="sized"),
    ],
)
def test_an_application_that_never_answers_did_not_fail(body):
    """It took the connection, as for a websocket."""
    profiled = Profiled(returning(body(), answers=False))

    got = handed(profiled)
    if hasattr(got, "close"):
        list(got)
        got.close()

    assert profiled.record.outcome == "unanswered"
    assert profiled.record.status == 0
    assert profiled.record.response_bytes is None
    assert profiled.record.error is None
    assert active == {}


def test_a_websocket_teaches_no_route():
    """Only an answer shows that a path is one of the application's."""
    profiled = Profiled(returning([], answers=False))

    handed(profiled)

    assert profiled.record.route == "unmatched"


@pytest.mark.parametrize(
    "module_name", ["eventlet.wsgi", "gunicorn.workers.base_async"]
)
def test_what_marks_a_handled_request_is_handed_on_itself(
    module_name, monkeypatch
):
    """Servers compare it with their own object."""
    module = types.ModuleType(module_name)
    handled = module.ALREADY_HANDLED = iter([])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module_name, module)
    profiled = Profiled(returning(handled, answers=False))

    assert handed(profiled) is handled
    assert profiled.record.outcome == "unanswered"


def test_a_body_closed_before_it_answered_was_aborted():
    """The client went away before the generator began."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"x"

    profiled = Profiled(app)

    handed(profiled).close()

    assert profiled.record.outcome == "aborted"
    assert profiled.record.status == 0
    assert profiled.record.response_bytes == 0


def test_an_error_before_the_answer_is_still_a_500():
    """Servers send that for an application that raises."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise LookupError("early")
        yield b"x"

    profiled = Profiled(app)

    with pytest.raises(LookupError, match="early"):
        list(handed(profiled))

    assert profiled.record.outcome == "failed"
    assert profiled.record.status == 500
