# SPDX-License-Identifier: Apache-2.0
"""Work that outlives its request, or is more than a request may have."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from serving import Message, Profiled, recorded, set_clock

from nova_profiler.capture import captures, current
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.current import LaneCall
from nova_profiler.capture.hooks import timed_callables
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.record_making.totals import named_calls


def timed(name, function=lambda: None):
    return db_api_calls.timed(function, CallKey("db_api", name))


def test_names_that_come_while_the_record_is_made_do_not_lose_it():
    """A late thread adds a name between two looks at the lane's calls."""
    capture = Capture(Message(), 10)
    lane = capture.main

    class Meddling(dict):
        def items(self):
            for item in super().items():
                dict.__setitem__(self, CallKey("db_api", "late"), [])
                yield item

    lane.calls = Meddling({CallKey("db_api", "one"): [(0.0, 1.0, 0.0)]})
    with pytest.raises(RuntimeError, match="changed size"):
        for _ in lane.calls.items():
            pass

    lane.calls = {CallKey("db_api", "one"): [(0.0, 1.0, 0.0)]}
    names = []
    for row in named_calls(lane):
        lane.calls[CallKey("db_api", "late")] = []
        names.append(row[1])

    assert names == ["one"]


def test_a_call_that_ends_late_adds_nothing():
    """Its record has gone out and counted it as late."""
    lanes = []
    begun, go_on, done = (threading.Event() for _ in range(3))

    def held():
        lanes.append(current.current_lane())
        begun.set()
        assert go_on.wait(10)

    call = timed("held", held)

    def app():
        lane = current.current_lane()

        def run():
            LaneCall(lane.capture, call)()
            done.set()

        threading.Thread(target=run).start()
        assert begun.wait(10)

    record = recorded(app)
    go_on.set()
    assert done.wait(10)

    assert record.counts["late_calls"] == 1
    assert record.calls == []
    assert lanes[0].calls == {}


def test_work_past_the_limit_of_lanes_is_told(monkeypatch):
    """No lane is shared: what has none is missing, and the record says so."""
    monkeypatch.setattr(captures, "MAX_LANES", 3)
    call = timed("one")

    def app():
        capture = current.current_lane().capture
        for _ in range(5):
            LaneCall(capture, call)()

    record = recorded(app)

    assert [(row.name, row.count, row.nested) for row in record.calls] == [
        ("one", 2, 0)
    ]
    assert record.counts["lanes_missing"] == 3


def test_a_finished_thread_needs_no_collector():
    """What a thread keeps goes when nobody holds the thread any more."""
    undo = thread_spawns.install()
    kept = []

    def app():
        thread = threading.Thread(target=lambda: None)
        kept.append(weakref.ref(thread))
        thread.start()
        thread.join()

    gc.disable()
    try:
        recorded(app)

        assert kept[0]() is None
    finally:
        gc.enable()
        undo()


def test_waiting_in_a_timed_function_is_not_told_twice(monkeypatch):
    """It is the function's; only what no hook names is waiting."""
    now = [0.0]
    cpu = [0.0]
    set_clock(monkeypatch, lambda: now[0])
    set_clock(monkeypatch, lambda: cpu[0], "thread_time")

    def sleep():
        now[0] += 0.1

    function = timed_callables._timed(sleep, CallKey("timed", "sleep"))

    def app():
        function()
        now[0] += 0.1
        cpu[0] += 0.1

    breakdown = recorded(app).breakdown_ms

    assert breakdown.get("waiting", 0.0) == pytest.approx(0.0)
    assert breakdown["timed"] == pytest.approx(100.0)
    assert breakdown["python"] == pytest.approx(100.0)


def test_exc_info_may_be_named():
    """PEP 3333 says it is positional; applications name it all the same."""

    def app(environ, start_response):
        start_response("200 OK", [])
        start_response("500 Oops", [], exc_info=(None, None, None))
        return [b"oops"]

    profiled = Profiled(app)

    assert profiled.get().status == "500 Oops"


def test_a_statement_that_ends_late_changes_nothing_that_was_read():
    """Totals and timeline are read one after the other."""
    capture = Capture(Message(), 10)
    lane = capture.new_lane()
    key = CallKey("db_api", "one")
    lane.add(key, (0.0, 1.0, 0.0))
    lane.sql["engine"] = {}

    capture.close()
    lane.add(key, (1.0, 2.0, 0.0))
    lane.sql["late"] = {}
    kept = capture.lanes[1]

    assert [tuple(calls) for calls in kept.calls.values()] == [
        ((0.0, 1.0, 0.0),)
    ]
    assert list(kept.sql) == ["engine"]
    assert lane.capture is captures.OVER


def test_a_lane_that_has_ended_is_read_as_it_is():
    """Its thread has nothing more to add."""
    capture = Capture(Message(), 10)
    LaneCall(capture, lambda: None)()
    lane = capture.lanes[1]

    capture.close()

    assert capture.lanes[1] is lane


def test_a_statement_that_is_open_at_the_end_is_counted():
    """As a call of the DB API is."""
    capture = Capture(Message(), 10)
    capture.new_lane().executing = object()

    capture.close()

    assert capture.late_calls == 1
