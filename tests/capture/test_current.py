# SPDX-License-Identifier: Apache-2.0
"""Captures and lanes: whose a call is, and what is left when it is over."""

from __future__ import annotations

import contextvars
import os
import weakref
from multiprocessing.pool import ThreadPool

import pytest
from serving import PLAIN, Profiled, calls_of, during, recorded, served

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import LaneCall, active, current_lane
from nova_profiler.capture.hooks.database import db_api_calls

MARK = CallKey("db_api", "mark")
mark = db_api_calls.timed(lambda value=None: value, MARK)


def marks(record):
    """Return how many marks *record* has."""
    found = calls_of(record, "db_api").get("mark")
    return found.count if found else 0


def test_a_lane_call_hands_everything_through():
    """Arguments, result and exception are the function's."""
    got = []

    def work():
        call = LaneCall(current_lane().capture, mark)
        got.append(call("value"))
        with pytest.raises(TypeError, match="unexpected|argument"):
            call(wrong=1)

    record = recorded(work)

    assert got == ["value"]
    assert marks(record) == 2


def test_a_lane_call_leaves_the_threads_own_lane():
    """The worker goes on with what it did before."""
    lanes = []

    def work():
        lanes.append(current_lane())
        LaneCall(
            current_lane().capture, lambda: lanes.append(current_lane())
        )()
        lanes.append(current_lane())

    recorded(work)

    assert lanes[0] is lanes[2]
    assert lanes[1] is not lanes[0]


def test_a_lane_call_of_a_pool_is_watched_call_by_call():
    """What an engine returns is called once at most; pools call it often."""
    made = []

    class Watch:
        def spawned(self, function):
            calls = []
            made.append(calls)

            def watched(*args):
                calls.append(args)
                assert len(calls) == 1
                return function(*args)

            return watched

    def work():
        capture = current_lane().capture
        capture.watch = Watch()
        call = LaneCall(capture, lambda item: item)
        with ThreadPool(4) as pool:
            assert pool.map(call, range(50)) == list(range(50))
        capture.watch = None

    record = recorded(work)

    assert len(made) == 50
    assert record.counts == {}


def test_a_lane_call_after_the_end_is_a_plain_call():
    """The work is done, for nobody."""
    calls = []
    record = recorded(
        lambda: calls.append(LaneCall(current_lane().capture, mark))
    )

    assert calls[0]("late") == "late"
    assert marks(record) == 0


def test_what_comes_after_the_end_is_kept_nowhere():
    """A copied context still leads to the request that is over."""
    contexts = []
    record = recorded(lambda: contexts.append(contextvars.copy_context()))
    lane = contexts[0].run(current_lane)

    for _ in range(1_000):
        contexts[0].run(mark)

    assert marks(record) == 0
    assert lane.closed
    assert lane.calls == {}
    assert contexts[0].run(current_lane) is None


def test_a_request_leaves_no_cycle():
    """What a request held is freed at once, without the collector."""

    class Marked(dict):
        pass

    held = []

    def app(environ, start_response):
        mine = Marked()
        environ["nova.context"] = mine
        held.append(weakref.ref(mine))
        mark()
        start_response("200 OK", PLAIN)
        return iter([b"x"])

    profiled = Profiled(app)

    profiled.get()

    assert held[0]() is None


def test_a_request_inside_a_request_has_its_own_calls():
    """After it the outer one goes on with its own."""
    inner = Profiled(during(mark))

    def work():
        mark()
        served(inner.filter)
        mark()

    outer = recorded(work)

    assert marks(inner.record) == 1
    assert marks(outer) == 2


def test_a_body_in_another_context_is_the_requests():
    """Some servers pull each chunk in a context of its own."""

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        for _ in range(3):
            mark()
            yield b"x"

    profiled = Profiled(app)
    body = iter(profiled.filter({}, lambda *args: None))

    while contextvars.Context().run(next, body, None) is not None:
        pass

    assert marks(profiled.record) == 3


def test_a_process_forked_in_a_request_belongs_to_none():
    """As privsep may fork its daemon; the parent goes on as before."""
    codes = []

    def work():
        pid = os.fork()
        if pid == 0:
            # Neither by the ContextVar nor by oslo.context.
            os._exit(0 if current_lane() is None and not active else 1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        mark()

    record = recorded(work)

    assert codes == [0]
    assert marks(record) == 1
