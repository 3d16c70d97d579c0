# SPDX-License-Identifier: Apache-2.0
"""An engine never touches a response, and sees each step of it."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import suppress

import pytest
from fake_engines import FakeEngine, FakeWatch, app, profiled
from serving import served

from nova_profiler.capture.current import LaneCall, current_lane


class Gone(Exception):
    """The application's own."""


def test_the_application_its_body_and_its_close_are_watched():
    """Every step in which it works; then the watch is finished, once."""

    class Body:
        def __init__(self) -> None:
            self.left = 2

        def __iter__(self):
            return self

        def __next__(self):
            engine.seen.append("step")
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            return b"x"

        def close(self) -> None:
            engine.seen.append("close")

    def streaming(environ, start_response):
        start_response("200 OK", [])
        engine.seen.append("app")
        return Body()

    over, engine = profiled(streaming)

    answer = over.get()

    assert answer.body == b"xx"
    step = ["in", "step", "out"]
    assert engine.seen == [
        *("in", "app", "out"), *step, *step, *step, "finish", "close"
    ]  # fmt: skip


def test_an_aborted_body_is_closed_under_the_engine():
    """The client went away before the last chunk."""

    def streaming(environ, start_response):
        start_response("200 OK", [])
        return (b"x" for _ in range(3))

    over, engine = profiled(streaming)

    served(over.filter, chunks=1)

    assert engine.seen == [*["in", "out"] * 3, "finish"]
    assert over.record.outcome == "aborted"


def _raises_before(self, function, /, *args):
    raise OSError("the engine's")


def _raises_after(self, function, /, *args):
    function(*args)
    raise OSError("the engine's")


def _hides(self, function, /, *args):
    try:
        function(*args)
    except Exception as exc:
        raise OSError("the engine's") from exc


def _swallows(self, function, /, *args):
    try:
        function(*args)
    except Exception:
        return None
    return "something else"


def _never_calls(self, function, /, *args):
    return None


BAD_RUNS = [_raises_before, _raises_after, _hides, _swallows, _never_calls]


@pytest.mark.parametrize("run", BAD_RUNS)
def test_an_engine_that_fails_does_not_touch_the_response(run):
    """The application is called once; its answer is what the client gets."""
    calls = []

    def counting(environ, start_response):
        calls.append(1)
        return app(environ, start_response)

    over, _ = profiled(
        counting, FakeEngine(watch=type("Bad", (FakeWatch,), {"run": run}))
    )

    answer = over.get()

    assert (answer.status, answer.body) == ("200 OK", b"ok")
    assert calls == [1]
    assert over.record.outcome == "ok"


@pytest.mark.parametrize("run", [*BAD_RUNS, FakeWatch.run])
def test_what_the_application_raises_passes_unchanged(run):
    """The very object; an engine's failure is not taken for it."""
    gone = Gone()

    def failing(environ, start_response):
        raise gone

    over, _ = profiled(
        failing, FakeEngine(watch=type("Bad", (FakeWatch,), {"run": run}))
    )

    with pytest.raises(Gone) as raised:
        over.get()

    assert raised.value is gone
    assert over.record.error == "Gone"


@pytest.mark.parametrize("run", BAD_RUNS)
def test_a_body_ends_when_it_is_over_and_not_before(run):
    """A StopIteration is the application's as well."""

    def streaming(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a", b"b", b"c"])

    over, _ = profiled(
        streaming, FakeEngine(watch=type("Bad", (FakeWatch,), {"run": run}))
    )

    assert over.get().body == b"abc"


@pytest.mark.parametrize("failing", ["watch", "finish", "run", "spawned"])
def test_a_failure_of_the_engine_is_counted(failing):
    """And the request goes on without it."""

    def fails(*args):
        raise OSError("the engine's")

    def spawning(environ, start_response):
        call = LaneCall(current_lane().capture, lambda a, b: a + b)
        assert call(1, b=2) == 3
        return app(environ, start_response)

    engine = FakeEngine(watch=type("Bad", (FakeWatch,), {failing: fails}))
    if failing == "watch":
        engine.watch = fails
    over, _ = profiled(spawning, engine)

    assert over.get().body == b"ok"

    assert over.failures.counts() == {"profiler": 1}


def test_the_engine_is_taken_along_into_threads():
    """By the lane of the work that is handed over."""

    def spawning(environ, start_response):
        thread = threading.Thread(
            target=LaneCall(current_lane().capture, lambda: None)
        )
        thread.start()
        thread.join()
        return app(environ, start_response)

    over, engine = profiled(spawning)

    over.get()

    assert engine.seen == ["in", "spawned", "out", "finish"]


def test_a_call_that_is_made_again_is_made_unwatched():
    """A timer may do so; the engine has seen the first one."""
    made = []

    def spawning(environ, start_response):
        watch = current_lane().capture.watch
        call = watch.spawned(lambda: made.append(1))
        call()
        call()
        return app(environ, start_response)

    over, engine = profiled(spawning)

    over.get()

    assert len(made) == 2
    assert engine.seen == ["in", "spawned", "out", "finish"]


def test_each_call_that_a_pool_makes_is_watched():
    """It calls the same function for each item of many."""
    made = []

    def spawning(environ, start_response):
        call = LaneCall(current_lane().capture, made.append)
        call(1)
        call(2)
        return app(environ, start_response)

    over, engine = profiled(spawning)

    over.get()

    assert made == [1, 2]
    assert engine.seen == ["in", "spawned", "spawned", "out", "finish"]


class Held:
    """What a function of the application has in a local variable."""


@pytest.mark.parametrize("run", [*BAD_RUNS, FakeWatch.run])
@pytest.mark.parametrize("error", [Gone, KeyboardInterrupt])
@pytest.mark.parametrize("is_in_a_thread", [False, True])
def test_what_the_application_raises_holds_nothing(run, error, is_in_a_thread):
    """As without an engine: connections are given back with the last name."""
    held = []

    def failing():
        local = Held()
        held.append(weakref.ref(local))
        raise error

    def raising(environ, start_response):
        if not is_in_a_thread:
            failing()
        with suppress(error):
            LaneCall(current_lane().capture, failing)()
        return app(environ, start_response)

    over, _ = profiled(
        raising, FakeEngine(watch=type("Bad", (FakeWatch,), {"run": run}))
    )
    gc.disable()
    try:
        with suppress(error):
            over.get()
        assert [refer() for refer in held] == [None]
    finally:
        gc.enable()


def test_what_a_thread_raises_passes():
    """It is for the executor's future to hold."""

    def spawning(environ, start_response):
        def fails():
            raise Gone

        with pytest.raises(Gone):
            LaneCall(current_lane().capture, fails)()
        return app(environ, start_response)

    over, _ = profiled(spawning)

    over.get()

    assert over.failures.counts() == {}
