# SPDX-License-Identifier: Apache-2.0
"""A copied context takes the lane of a request to another thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading

import pytest
from serving import added_up, calls_of, recorded, set_clock

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane, lane_here
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.spawns import thread_spawns

WAIT_S = 60


@pytest.fixture(autouse=True)
def hook():
    """Install the hook for one test."""
    undo = thread_spawns.install()
    yield
    undo()


def timed(function, mark="mark"):
    return db_api_calls.timed(function, CallKey("db_api", mark))


def by_to_thread(function):
    asyncio.run(asyncio.to_thread(function))


def by_thread(function):
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=[function])
    thread.start()
    thread.join(WAIT_S)


def by_executor(function):
    context = contextvars.copy_context()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: context.run(function)).result(WAIT_S)


WAYS = (by_to_thread, by_thread, by_executor)


@pytest.mark.parametrize("way", WAYS)
def test_what_runs_elsewhere_has_a_lane_of_its_own(way):
    """The request's own lane is written by its own thread only."""
    lanes = []

    def app():
        lanes.append(lane_here())
        way(lambda: lanes.append(lane_here()))
        lanes.append(lane_here())

    recorded(app)

    assert lanes[0] is lanes[2]
    assert lanes[1] is not lanes[0]
    assert lanes[1] is not None


@pytest.mark.parametrize("way", WAYS)
def test_calls_at_the_same_time_are_not_nested_in_each_other(way):
    """Both are calls of the request, and neither is part of the other."""

    def app():
        timed(lambda: way(timed(lambda: None, "there")), "here")()

    record = recorded(app)
    calls = calls_of(record, "db_api")

    assert {n: (c.count, c.nested) for n, c in calls.items()} == {
        "here": (1, 0),
        "there": (1, 0),
    }
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


@pytest.mark.parametrize("way", WAYS)
def test_the_cpu_clock_is_that_of_the_requests_thread(way, monkeypatch, clock):
    """Another thread's clock makes no waiting of the request's."""
    set_clock(monkeypatch, clock)
    own = threading.get_ident()

    def cpu():
        # The other thread has run for days.
        return clock() + (0 if threading.get_ident() == own else 9e9)

    set_clock(monkeypatch, cpu, "thread_time")
    there = timed(lambda: clock.advance(1.0), "there")

    record = recorded(lambda: (way(there), way(there)))

    assert record.cpu_ms == pytest.approx(2000)
    assert record.breakdown_ms.get("waiting", 0.0) == pytest.approx(0.0)


def test_a_body_that_another_thread_sends_has_no_cpu_clock(monkeypatch, clock):
    """No hand-over is seen: the server goes on in a thread of its own."""
    set_clock(monkeypatch, clock)
    set_clock(monkeypatch, lambda: clock() * 5, "thread_time")
    found = []

    def app():
        lane = current_lane()
        thread = threading.Thread(target=lane.read_cpu, args=[9.0, False])
        thread.start()
        thread.join(WAIT_S)
        found.append((lane.cpu_s, lane.waiting_python_s))

    before = []
    recorded(lambda: before.append(current_lane().cpu_s))
    recorded(app)

    assert found == [(before[0], 0.0)]


def test_a_context_that_came_by_no_known_way_is_followed_all_the_same():
    """The hand-over of the lane before was seen; that is enough."""
    import _thread

    lanes = []
    done = threading.Event()

    def app():
        context = contextvars.copy_context()
        by_thread(lambda: None)

        def there():
            context.run(lambda: lanes.append(lane_here()))
            done.set()

        _thread.start_new_thread(there, ())
        assert done.wait(WAIT_S)
        lanes.append(lane_here())

    recorded(app)

    assert None not in lanes
    assert lanes[0] is not lanes[1]
