# SPDX-License-Identifier: Apache-2.0
"""pyinstrument under the filter: each request's own stacks, and no trace."""

from __future__ import annotations

import functools
import gc
import json
import os
import subprocess
import sys
import threading

import pytest
from builders import record
from places import PROGRAMS, PYTHONPATH
from pyinstrument import Profiler
from serving import Profiled

from nova_profiler.capture.current import LaneCall, current_lane
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.profilers import EngineError
from nova_profiler.capture.profilers.pyinstrument import engine as module
from nova_profiler.capture.profilers.pyinstrument import watch
from nova_profiler.capture.profilers.pyinstrument.sampler import Samplers


@pytest.fixture(autouse=True)
def _nothing_left():
    """No profile function stays in this thread, whatever a test does."""
    assert sys.getprofile() is None
    yield
    assert sys.getprofile() is None


INFLATES = (
    "Being watched made each call take about 0.23 us longer, so that "
    "functions that are called often look slower than they are: confirm "
    "shares by stacks."
)


class Watched:
    """A request of one function, by a clock that only tests move."""

    def __init__(self, clock, interval_ms=10.0) -> None:
        self.failures = Failures()
        self.clock = clock
        samplers = Samplers(threading.local(), clock)
        self.engine = module.PyinstrumentEngine(
            self.failures.note, samplers.here, lambda: 0.23e-6
        )
        self.watch = self.engine.watch(None, True, interval_ms)

    def run(self, function, *args):
        """Call *function* as the middleware does: through a guard."""
        return self.watch.run(lambda *args: function(*args), *args)

    def spawned(self, function):
        """Return *function* as a lane calls it."""
        return self.watch.spawned(lambda *args: function(*args))

    def finish(self, **fields):
        """Return the record of the request."""
        made = record(**fields)
        self.watch.finish(made)
        return made


@pytest.fixture
def watched(clock):
    """Return a request that is watched."""
    return Watched(clock)


def stacks(made):
    """Return the functions of each stack, innermost last, and its time."""
    kept = []
    made.profiled.attach(lambda *file: kept.append(file))
    ((suffix, content, profile),) = kept
    assert (suffix, profile) == (".pyisession", None)
    return {
        " ".join(frame.partition("\x00")[0].rpartition(".")[2] for frame in f)
        .replace("<locals>", "")
        .strip(): pytest.approx(seconds)
        for f, seconds in json.loads(content)["frame_records"]
    }


def work(clock, seconds=0.5):
    """Take *seconds*."""
    clock.advance(seconds)


def more_work(clock):
    """Take a second and a half."""
    work(clock, 1.5)


def test_stacks_begin_with_the_application(watched, clock):
    """Neither the server's frames nor ours are in them."""
    watched.run(work, clock)

    assert stacks(watched.finish()) == {"work advance": 0.5}


def test_each_function_has_its_time(watched, clock):
    """In the proportion in which the clock went on."""

    def app():
        work(clock)
        more_work(clock)

    watched.run(app)

    assert stacks(watched.finish()) == {
        "app work advance": 0.5,
        "app more_work work advance": 1.5,
    }


def test_the_record_says_what_there_is(watched, clock):
    """The engine, how many samples of which interval; no file yet."""
    watched.run(work, clock)

    assert watched.finish().profile == {
        "engine": "pyinstrument",
        "file": None,
        "notes": [INFLATES],
        "samples": 1,
        "interval_ms": 10.0,
    }


def test_what_watching_costs_a_call_is_measured_once(watched, clock):
    """As soon as it can be: not while another profiler is on."""
    found = iter([None, 0.5e-6])
    watched.engine._price_of_call_s = lambda: next(found)
    watched.engine._call_s = None
    notes = []

    for _ in range(3):
        watched.watch = watched.engine.watch(None, True, 10.0)
        watched.run(work, clock)
        notes.append(watched.finish().profile["notes"][-1])

    assert ["take a little longer" in note for note in notes] == [
        True, False, False
    ]  # fmt: skip
    assert ["about 0.50 us longer" in note for note in notes] == [
        False, True, True
    ]  # fmt: skip


def test_a_request_that_was_not_chosen_is_not_watched(watched):
    """It costs too much for all of them."""
    assert watched.engine.watch(None, False, 10.0) is None


def test_a_closed_engine_watches_no_more(watched, clock):
    """Requests under way end as they would."""
    watched.engine.close()
    watched.engine.close()

    watched.run(work, clock)

    assert watched.engine.watch(None, True, 10.0) is None
    assert stacks(watched.finish()) == {"work advance": 0.5}


def test_what_is_raised_passes(watched, clock):
    """And the samples up to there are kept."""

    def fails():
        work(clock)
        raise KeyError("application's")

    with pytest.raises(KeyError, match="application's"):
        watched.run(fails)

    assert sys.getprofile() is None
    assert stacks(watched.finish()) == {"fails work advance": 0.5}


def test_steps_of_the_body_are_watched_wherever_they_run(watched, clock):
    """Some servers iterate the body in another thread."""
    left: list[object] = []
    watched.run(work, clock)

    def elsewhere():
        watched.run(more_work, clock)
        left.append(sys.getprofile())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert left == [None]
    assert stacks(watched.finish()) == {
        "work advance": 0.5,
        "more_work work advance": 1.5,
    }


def test_a_body_of_very_many_steps_is_watched_for_some(watched, clock):
    """To begin and to end has its price; a note names what is missing."""
    for _ in range(watch.MOST_STEPS + 50):
        watched.run(work, clock)

    made = watched.finish()

    assert made.profile["samples"] == watch.MOST_STEPS
    assert made.profile["notes"] == [
        "The body was made in 249 steps; only the first 199 are in here.",
        INFLATES,
    ]


def test_a_body_that_is_never_closed_leaves_nothing(watched, clock):
    """The client is gone and the server forgot: finish is never called."""
    watched.run(work, clock)

    watched.watch = None
    gc.collect()

    assert sys.getprofile() is None


def test_too_quick_a_request_says_so(watched, clock):
    """No sample is no file."""
    watched.run(work, clock, 0.001)

    made = watched.finish()

    assert made.profiled is None
    assert made.profile["notes"] == [
        "The request was over before the first sample, which is taken after "
        "10 ms.",
    ]


def test_time_that_no_function_spent_is_noted(watched, clock):
    """It counts for whatever function waited."""
    watched.run(work, clock)

    made = watched.finish(
        duration_ms=100.0, breakdown_ms={"waiting": 40.0, "python": 60.0}
    )

    assert made.profile["notes"] == [
        "40.0 ms were spent waiting for Python's lock or a processor: they "
        "count for whatever function waited.",
        INFLATES,
    ]


def test_a_foreign_profiler_is_left_alone(watched, clock):
    """A thread has but one profile function: the first one stays."""

    def foreign(*args):
        return None

    sys.setprofile(foreign)
    try:
        watched.run(work, clock)
        left = sys.getprofile()
    finally:
        sys.setprofile(None)

    assert left is foreign
    assert watched.failures.counts() == {"profiler_busy": 1}
    made = watched.finish()
    assert made.profile is None
    assert made.profiled is None


def test_a_foreign_pyinstrument_is_left_alone(watched, clock):
    """Somebody's own middleware, further out."""
    profiler = Profiler(async_mode="enabled")
    profiler.start()
    try:
        watched.run(work, clock)
    finally:
        profiler.stop()

    assert watched.failures.counts() == {"profiler_busy": 1}
    assert watched.finish().profile is None


def test_a_part_that_another_profiler_took_is_noted(watched, clock):
    """The rest is there."""
    watched.run(work, clock)
    sys.setprofile(lambda *args: None)
    try:
        watched.run(more_work, clock)
    finally:
        sys.setprofile(None)

    made = watched.finish()

    assert stacks(made) == {"work advance": 0.5}
    assert made.profile["notes"] == [
        "Another profiler was at work in the thread for part of the request: "
        "that part is not in here.",
        INFLATES,
    ]


def test_work_within_the_request_is_not_watched_twice(watched, clock):
    """An executor may run it in the very thread that waits for it."""
    watched.run(lambda: watched.spawned(work)(clock))

    made = watched.finish()

    assert len(stacks(made)) == 1
    assert made.profile["samples"] == 1
    assert made.profile["notes"] == [INFLATES]
    assert watched.failures.counts() == {}


def in_thread(function):
    """Run *function* in a thread and return what it returns."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_threads_of_the_request_are_in_its_stacks(watched, clock):
    """Below what started them: nova asks its cells in threads."""

    def app():
        work(clock)
        in_thread(functools.partial(watched.spawned(more_work), clock))

    watched.run(app)

    made = watched.finish()
    found = stacks(made)
    assert found["app work advance"] == 0.5
    assert found["app spawned more_work work advance"] == 1.5
    assert made.profile["notes"] == [
        "What ran beside the request in threads or greenthreads (1) is in "
        "here, below the function that started it: times add up to more than "
        "the request took.",
        INFLATES,
    ]


def test_threads_of_threads_have_the_whole_way_in_their_stacks(watched, clock):
    """From the application on, however many threads are between."""

    def asks_cell():
        in_thread(functools.partial(watched.spawned(work), clock))

    def app():
        in_thread(watched.spawned(asks_cell))

    watched.run(app)

    found = stacks(watched.finish())
    assert found["app spawned asks_cell spawned work advance"] == 0.5


def test_no_more_threads_than_fit_are_watched(watched, clock):
    """The others work as before, and are counted."""
    for _ in range(watch.MOST_THREADS + 3):
        in_thread(functools.partial(watched.spawned(work), clock))
    watched.run(work, clock)

    made = watched.finish()

    assert "more threads or greenthreads (3)" in made.profile["notes"][1]


def test_a_thread_that_outlives_its_request_is_let_go(watched, clock):
    """It does not stay slow for good, nor is what it does in the stacks."""
    watched.run(work, clock)
    begun, over = threading.Event(), threading.Event()
    left: list[object] = []

    def lasting():
        begun.set()
        over.wait()
        left.append(sys.getprofile() is not None)
        work(clock)
        left.append(sys.getprofile())
        work(clock)

    thread = threading.Thread(target=watched.spawned(lasting))
    thread.start()
    begun.wait()
    made = watched.finish()
    over.set()
    thread.join()

    assert left == [True, None]
    assert "(1) went on after the request" in made.profile["notes"][-2]
    assert stacks(made) == {"work advance": 0.5}
    assert watched.failures.counts() == {}


def test_a_thread_that_begins_too_late_is_not_watched(watched, clock):
    """Its work is done all the same."""
    watched.finish()

    assert in_thread(lambda: watched.spawned(lambda: sys.getprofile())()) is (
        None
    )


def test_a_failure_in_the_samples_stays_out_of_the_application(
    watched, clock, monkeypatch
):
    """It would come out of whatever function was called there."""

    def fails(*args):
        raise OSError("the engine's")

    monkeypatch.setattr(watch.SampleList, "add", fails)

    watched.run(work, clock)

    assert watched.failures.counts() == {"profiler": 1}
    assert sys.getprofile() is None


def test_a_sampler_that_cannot_begin_is_counted(watched, clock, monkeypatch):
    """The request is served without it."""
    monkeypatch.setattr(
        "nova_profiler.capture.profilers.pyinstrument.sampler.ThreadSampler.begin",
        lambda *args: 1 / 0,
    )

    assert watched.run(lambda: 7) == 7

    assert watched.failures.counts() == {"profiler": 1}


def test_a_missing_pyinstrument_is_one_line(monkeypatch):
    """With what to install."""
    name = "nova_profiler.capture.profilers.pyinstrument.sampler"
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(
        EngineError, match=r"pip install 'pyinstrument>=5,<6'"
    ) as raised:
        module.engine(Failures().note)

    assert len(str(raised.value).splitlines()) == 1


def test_an_older_pyinstrument_is_one_line(monkeypatch):
    """It has no such sampler."""
    monkeypatch.setattr("pyinstrument.__version__", "4.7.3")

    with pytest.raises(
        EngineError, match=r"^pyinstrument 4\.7\.3 will not do"
    ):
        module.engine(Failures().note)


def test_it_works_under_the_filter():
    """With the real clock, a body in steps and a thread of its own."""

    def app(environ, start_response):
        start_response("200 OK", [])
        capture = current_lane().capture
        thread = threading.Thread(target=LaneCall(capture, busy_in_thread))
        thread.start()
        busy_in_app()
        thread.join()

        def body():
            busy_in_body()
            yield b"ok"

        return body()

    over = Profiled(
        app,
        load=lambda name, note: module.engine(note),
        profiler="pyinstrument",
        profile_when=("always",),
        profiler_interval_ms=1.0,
    )

    assert over.get().body == b"ok"

    found = " ".join(stacks(over.record))
    for name in ("busy_in_app", "busy_in_thread", "busy_in_body"):
        assert name in found
    assert over.failures.counts() == {}


def _busy():
    for _ in range(5_000):
        sum(range(100))


def busy_in_app():
    """Work for some milliseconds."""
    _busy()


def busy_in_thread():
    """Work for some milliseconds."""
    _busy()


def busy_in_body():
    """Work for some milliseconds."""
    _busy()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["threads", "eventlet"])
def test_sixteen_requests_at_once_have_their_own_stacks(mode):
    """Each has its own functions only, in each way to serve them."""
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "side_by_side.py"), mode],
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["requests"] == 16 * found["served"]
    assert found["without_samples"] == 0
    assert found["own"] > 100
    assert found["foreign"] == 0
    assert found["left"] == 0
