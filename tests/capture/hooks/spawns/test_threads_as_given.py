# SPDX-License-Identifier: Apache-2.0
"""Threads and functions that are handed over stay what others know."""

from __future__ import annotations

import concurrent.futures
import copy
import functools
import inspect
import threading
import types

import pytest
from serving import recorded

from nova_profiler.capture.current import LaneCall, current_lane, taken_along
from nova_profiler.capture.hooks.spawns import handing_over, thread_spawns

WAIT_S = 60


@pytest.fixture(autouse=True)
def hook():
    """Install the hook for one test."""
    undo = thread_spawns.install()
    yield
    undo()


class Agent:
    """Wraps start() and run() of a thread as sentry_sdk does."""

    def __init__(self, monkeypatch):
        self.runs = []
        start = threading.Thread.start

        @functools.wraps(start)
        def agents_start(thread, *args, **kwargs):
            function = getattr(thread.run, "__func__", thread.run)

            def run(*args, **kwargs):
                self.runs.append(threading.current_thread())
                return function(threading.current_thread(), *args, **kwargs)

            thread.run = run
            return start(thread, *args, **kwargs)

        monkeypatch.setattr(threading.Thread, "start", agents_start)


def started(thread):
    thread.start()
    thread.join(WAIT_S)
    return thread


def test_run_is_a_method_of_its_thread():
    """Agents take it apart, and call the function with the thread."""
    seen = []

    def app():
        thread = threading.Thread(target=lambda: None)
        restore = thread_spawns._run_in_lane(thread)
        run = thread.run
        seen.append((type(run), run.__self__ is thread, run.__name__))
        restore(thread)
        assert "run" not in vars(thread)

    recorded(app)

    assert seen == [(types.MethodType, True, "run")]


@pytest.mark.parametrize("filter_first", [True, False])
def test_an_agent_that_takes_run_apart_gets_its_thread(
    hook, monkeypatch, filter_first
):
    """The work is done, once, in a lane."""
    lanes = []
    # The filter of the fixture stands under it; one more stands over.
    agent = Agent(monkeypatch)
    undo = None if filter_first else thread_spawns.install()
    threads = []

    def app():
        thread = threading.Thread(target=lambda: lanes.append(current_lane()))
        threads.append(started(thread))

    recorded(app)
    if undo:
        undo()

    assert agent.runs == threads
    assert len(lanes) == 1
    assert lanes[0] is not None


def test_a_thread_is_started_once_as_ever():
    """The second start() fails, and leaves the thread as it was."""
    threads = []

    def app():
        thread = started(threading.Thread(target=lambda: None))
        with pytest.raises(RuntimeError, match="only be started once"):
            thread.start()
        threads.append(thread)

    record = recorded(app)

    assert "run" not in vars(threads[0])
    assert record.counts == {}


def test_a_thread_that_cannot_start_keeps_its_own_run(monkeypatch):
    """What stood on the instance stands there again."""
    monkeypatch.setattr(threading.Thread, "_bootstrap", None, raising=True)
    threads = []

    def run():
        raise AssertionError

    def app():
        thread = threading.Thread()
        thread.run = run
        with pytest.raises(TypeError):
            thread.start()
        threads.append(thread)

    recorded(app)

    assert threads[0].run is run


def test_run_called_by_hand_is_run():
    """In the thread that calls it, again and again."""
    done = []

    class Twice(threading.Thread):
        def run(self):
            done.append(threading.current_thread())

    def app():
        thread = started(Twice())
        thread.run()

    recorded(app)

    assert len(done) == 2
    assert done[1] is threading.current_thread()


def test_run_held_by_an_agent_may_be_called_again():
    """It has done its work for the request, and is what it was."""
    done = []
    held = []

    class Thread(threading.Thread):
        def run(self):
            done.append(current_lane())

    def app():
        thread = Thread()
        restore = thread_spawns._run_in_lane(thread)
        held.append(thread.run)
        held[0]()
        held[0]()
        restore(thread)

    recorded(app)

    assert done[0] is not None
    assert len(done) == 2


# -- functions ---------------------------------------------------------------


def work(value, *, word="word"):
    """Do it."""
    return value, word


@pytest.mark.parametrize(
    "function",
    [work, functools.partial(work, 1), work.__call__, str.upper, len],
)
def test_what_is_handed_over_looks_like_the_function(function):
    """Agents ask for names, signatures, and whether it is a partial."""

    def app():
        taken = taken_along(function)
        assert type(taken) is LaneCall
        assert isinstance(taken, type(function))
        for name in ("__name__", "__qualname__", "__self__", "func"):
            expected = getattr(function, name, None)
            assert getattr(taken, name, None) == expected
        assert inspect.signature(taken) == inspect.signature(function)
        assert copy.copy(taken).__wrapped__ is function

    recorded(app)


def test_arguments_go_on_as_they_came():
    """What was wrong about them is the executor's to say."""
    answers = []

    def app():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            for args, kwargs in (
                ((), {}),
                ((), {"fn": work}),
                ((), {"other": 1}),
            ):
                with pytest.raises(TypeError, match="missing 1 required"):
                    pool.submit(*args, **kwargs)
            answers.append(pool.submit(work, 1, word="fn").result(WAIT_S))
            answers.append(type(pool.submit(None).exception(WAIT_S)))

    recorded(app)

    assert answers == [(1, "fn"), TypeError]


@pytest.mark.parametrize(
    ("place", "args", "kwargs"),
    [
        (0, (work, 1), {}),
        (0, (), {"fn": work}),
        (0, (1, 2), {}),
        (1, (0.5, work, 1), {"word": 1}),
        (1, (0.5,), {"fn": work}),
        (1, (), {}),
    ],
)
def test_only_the_function_changes(place, args, kwargs):
    """Its place is found in both kinds of arguments."""
    calls = []

    def spawn(*args, **kwargs):
        calls.append((args, kwargs))

    wrapped = handing_over.handing_over(place, "fn")(spawn)
    given = dict(kwargs)
    recorded(lambda: wrapped(*args, **kwargs))
    wrapped(*args, **kwargs)

    (got_args, got_kwargs), outside = calls
    assert outside == (args, given)
    plain = [getattr(one, "__wrapped__", one) for one in got_args]
    assert tuple(plain) == args
    assert {
        name: getattr(one, "__wrapped__", one)
        for name, one in got_kwargs.items()
    } == given
    taken = [
        one
        for one in (*got_args, *got_kwargs.values())
        if type(one) is LaneCall
    ]
    assert len(taken) == (work in (*args, *given.values()))
