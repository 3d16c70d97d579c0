# SPDX-License-Identifier: Apache-2.0
"""The cProfile engine where requests are threads."""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from serving import PLAIN, Profiled, during, environ_of, served

from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.profilers.cprofile import watch
from nova_profiler.capture.profilers.cprofile.engine import (
    CprofileEngine,
    engine,
)
from nova_profiler.capture.profilers.cprofile.notes import (
    ADDED,
    INFLATES,
    MIXED,
    MIXED_WORKERS,
    NOT_ALL,
    SKIPPED,
    STILL_AT_WORK,
)
from nova_profiler.capture.profilers.cprofile.scopes import (
    BUSY,
    PROCESS_WIDE,
    REPLACED,
    TAKEN,
    TAKEN_THREAD,
)
from nova_profiler.capture.profilers.cprofile.watch import (
    TOO_MANY_PARTS,
    TOO_MANY_STEPS,
)
from nova_profiler.record import RequestRecord

ONE_EACH = pytest.mark.skipif(
    PROCESS_WIDE, reason="from Python 3.12 on a process has one cProfile"
)
ONE_FOR_ALL = pytest.mark.skipif(
    not PROCESS_WIDE, reason="up to Python 3.11 each thread has a cProfile"
)


def left() -> None:
    leaf()


def right() -> None:
    leaf()


def leaf() -> None:
    pass


def filter_over(app: Any, **options: Any) -> Profiled:
    """Return the filter over *app*, with cProfile on each request."""
    return Profiled(
        app,
        load=lambda name, note: engine(note),
        profiler="cprofile",
        profile_when=("always",),
        **options,
    )


def stats_of(record: RequestRecord) -> pstats.Stats:
    """Return what pstats reads from the file of *record*."""
    kept: list[bytes] = []

    def attach(suffix: str, content: bytes, profile: Any) -> bool:
        assert suffix == ".prof"
        kept.append(content)
        return True

    assert record.profiled is not None
    record.profiled.attach(attach)
    with tempfile.NamedTemporaryFile(suffix=".prof") as file:
        file.write(kept[0])
        file.flush()
        return pstats.Stats(file.name, stream=io.StringIO())


@pytest.fixture
def spawns() -> Iterator[None]:
    """Take requests along into their threads."""
    undo = thread_spawns.install()
    yield
    undo()


@pytest.fixture(autouse=True)
def _leaves_no_profiler() -> Iterator[None]:
    """Fail a test after which anything is still profiled."""
    before = profilers_on()
    yield
    assert profilers_on() == before


def profilers_on() -> tuple[Any, Any]:
    """Return the profiler of this thread and that of the process."""
    if not PROCESS_WIDE:
        return sys.getprofile(), None
    tool = sys.monitoring.get_tool(sys.monitoring.PROFILER_ID)
    return sys.getprofile(), tool


def calls_in(stats: pstats.Stats) -> dict[str, int]:
    """Return the number of calls of this file's functions by name."""
    return {
        name: row[1]
        for (file, _, name), row in stats.stats.items()  # type: ignore[attr-defined]
        if file == __file__
    }


def test_a_request_is_profiled_and_its_file_is_what_pstats_reads() -> None:
    """Each call is in it, under its caller, and nothing of ours."""
    profiled = filter_over(during(left))
    profiled.get()

    stats = stats_of(profiled.record)
    rows = stats.stats  # type: ignore[attr-defined]

    assert calls_in(stats)["leaf"] == 1
    callers = {
        caller[2]
        for function, row in rows.items()
        if function[2] == "leaf"
        for caller in row[4]
    }
    assert callers == {"left"}
    assert not [
        function
        for function in rows
        if "nova_profiler/capture/profilers" in function[0]
        or "_lsprof" in function[2]
    ]
    assert profiled.record.profile == {
        "engine": "cprofile",
        "file": None,
        "notes": [INFLATES],
        "chosen_by": "always",
    }


def test_the_root_is_the_application_itself() -> None:
    """Who reads the file sees no caller that stands for the profiler."""
    profiled = filter_over(during(left))
    profiled.get()

    roots = [
        function[2]
        for function, row in stats_of(profiled.record).stats.items()  # type: ignore[attr-defined]
        if not row[4]
    ]

    assert roots == ["app"]


def test_each_step_of_a_body_is_in_it_and_nothing_between() -> None:
    """What the server does between two chunks is not the request's work."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for _ in range(3):
            left()
            yield b"ok"

    profiled = filter_over(app)
    body = profiled.filter(environ_of(), lambda *args: None)
    for _ in body:
        right()
    body.close()  # type: ignore[attr-defined]

    calls = calls_in(stats_of(profiled.record))

    assert calls["left"] == calls["leaf"] == 3
    assert "right" not in calls


@pytest.mark.parametrize("chunks", [0, 1])
def test_a_client_that_goes_away_leaves_nothing_on(chunks: int) -> None:
    """The profile is off between the steps, so no end can be missed."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        left()
        yield b"one"
        yield b"two"

    profiled = filter_over(app)
    served(profiled.filter, chunks=chunks)

    assert profiled.record.outcome == "aborted"
    assert profilers_on() == (None, None)


def test_a_body_that_nobody_closes_leaves_nothing_on() -> None:
    """Not all servers keep to the rules; the next request is profiled."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"one"
        yield b"two"

    profiled = filter_over(app)
    forgotten = profiled.filter(environ_of(), lambda *args: None)
    next(iter(forgotten))

    assert profilers_on() == (None, None)
    profiled.get()
    assert profiled.record.profiled is not None
    forgotten.close()  # type: ignore[attr-defined]


def test_an_exception_passes_and_its_calls_are_in_the_file() -> None:
    """A failed request is one that people want to look at."""

    def fail() -> None:
        left()
        raise LookupError("no such server")

    profiled = filter_over(during(fail))
    with pytest.raises(LookupError, match="no such server"):
        profiled.get()

    assert calls_in(stats_of(profiled.record))["left"] == 1


def in_threads(*requests: Callable[[], object]) -> None:
    """Run *requests* at once, to their ends."""
    threads = [threading.Thread(target=request) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def two_at_once() -> dict[str, RequestRecord]:
    """Return the records of two requests, each inside the other."""
    both = threading.Barrier(2, timeout=30)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        both.wait()
        for _ in range(50):
            work[environ["PATH_INFO"]]()
        both.wait()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    work = {"/left": left, "/right": right}
    profiled = filter_over(app)
    in_threads(lambda: profiled.get("/left"), lambda: profiled.get("/right"))
    return {record.path: record for record in profiled.records}


@ONE_EACH
def test_two_requests_at_once_have_a_profile_each() -> None:
    """Nothing of the one is in the other's."""
    records = two_at_once()

    for path, own, foreign in (
        ("/left", "left", "right"),
        ("/right", "right", "left"),
    ):
        calls = calls_in(stats_of(records[path]))
        assert calls[own] == calls["leaf"] == 50
        assert foreign not in calls


@ONE_FOR_ALL
def test_of_two_requests_at_once_one_has_a_profile_and_says_so() -> None:
    """The other one goes on without, and a note gives the reason."""
    records = two_at_once()

    with_file = [r for r in records.values() if r.profiled is not None]
    without = [r for r in records.values() if r.profiled is None]
    assert len(with_file) == len(without) == 1
    profile = with_file[0].profile
    assert profile is not None
    assert profile["overlapped"] == 1
    assert MIXED.format(1) in profile["notes"]
    assert without[0].profile == {
        "engine": "cprofile",
        "file": None,
        "notes": [SKIPPED.format(BUSY)],
        "chosen_by": "always",
    }


@ONE_FOR_ALL
def test_requests_that_come_and_go_meanwhile_are_counted() -> None:
    """Whether or not any of them is profiled itself."""

    def work() -> None:
        if not depth:
            depth.append(1)
            in_threads(*[profiled.get] * 3)

    depth: list[int] = []
    profiled = filter_over(during(work))
    profiled.get()

    profile = profiled.records[-1].profile
    assert profile is not None
    assert profile["overlapped"] == 3
    assert profiled.failures.counts() == {"cprofile_skipped": 3}


@ONE_FOR_ALL
def test_requests_between_two_steps_are_not_counted() -> None:
    """Only what ran while the profile was on can be in it."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"one"
        yield b"two"

    profiled = filter_over(app)
    body = profiled.filter(environ_of(), lambda *args: None)
    next(iter(body))
    in_threads(profiled.get)
    body.close()  # type: ignore[attr-defined]

    profile = profiled.records[-1].profile
    assert profile is not None
    assert "overlapped" not in profile


@ONE_EACH
def test_threads_that_work_for_the_request_are_added_up(spawns: None) -> None:
    """Each in a profile of its own, as a note in the dump has it."""
    profiled = filter_over(during(lambda: in_threads(left, left)))
    profiled.get()

    profile = profiled.record.profile
    assert profile is not None
    assert ADDED.format(2) in profile["notes"]
    stats = stats_of(profiled.record)
    assert calls_in(stats)["left"] == 2
    # A thread begins with run(): its caller is what started it.
    first = [
        caller[2]
        for (_, _, name), row in stats.stats.items()  # type: ignore[attr-defined]
        if name == "run"
        for caller in row[4]
    ]
    assert first == ["in_threads"]


@ONE_EACH
def test_of_many_threads_some_are_profiled(
    spawns: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request may start any number; a note names what is left out."""
    monkeypatch.setattr(watch, "MAX_PARTS", 2)
    profiled = filter_over(during(lambda: in_threads(*[left] * 5)))
    profiled.get()

    profile = profiled.record.profile
    assert profile is not None
    assert profile["notes"][0] == NOT_ALL.format(TOO_MANY_PARTS)
    assert calls_in(stats_of(profiled.record))["left"] == 2


@ONE_EACH
def test_a_thread_that_outlives_its_request_is_told_of(spawns: None) -> None:
    """What it did by then is in the file."""
    ready, go_on = threading.Event(), threading.Event()

    def outlive() -> None:
        left()
        ready.set()
        go_on.wait(30)
        left()

    def start() -> None:
        threads.append(threading.Thread(target=outlive))
        threads[0].start()
        ready.wait(30)

    threads: list[threading.Thread] = []
    profiled = filter_over(during(start))
    profiled.get()
    stats = stats_of(profiled.record)
    go_on.set()
    threads[0].join()

    profile = profiled.record.profile
    assert profile is not None
    assert STILL_AT_WORK in profile["notes"]
    assert calls_in(stats)["left"] == 1


@ONE_FOR_ALL
def test_threads_that_work_for_the_request_are_told_of(spawns: None) -> None:
    """Their calls are on the one stack that cProfile has."""
    profiled = filter_over(during(lambda: in_threads(left, left)))
    profiled.get()

    profile = profiled.record.profile
    assert profile is not None
    assert MIXED_WORKERS in profile["notes"]
    assert "overlapped" not in profile


@ONE_EACH
def test_somebody_elses_profiler_in_the_thread_is_left_alone() -> None:
    """Up to Python 3.11 ours would silence it."""
    seen: list[str] = []

    def theirs(frame: Any, event: str, argument: object) -> None:
        if event == "call":
            seen.append(frame.f_code.co_name)

    profiled = filter_over(during(left))
    sys.setprofile(theirs)
    try:
        profiled.get()
        assert sys.getprofile() is theirs
    finally:
        sys.setprofile(None)

    assert "left" in seen
    assert profiled.record.profile is not None
    assert profiled.record.profile["notes"] == [SKIPPED.format(TAKEN_THREAD)]
    assert profiled.failures.counts() == {"cprofile_skipped": 1}


@ONE_FOR_ALL
def test_somebody_elses_profile_of_the_process_is_left_alone() -> None:
    """cProfile raises ValueError then; the request does not."""
    theirs = cProfile.Profile()
    profiled = filter_over(during(left))
    theirs.enable()
    try:
        assert profiled.get().body == b"ok"
    finally:
        theirs.disable()

    assert profiled.record.profile is not None
    assert profiled.record.profile["notes"] == [SKIPPED.format(TAKEN)]
    profiled.get()
    assert profiled.records[-1].profiled is not None


def test_a_profiler_that_takes_over_in_the_middle_is_told_of() -> None:
    """What came after it is missing in ours, and it stays."""
    if PROCESS_WIDE:
        pytest.skip("from Python 3.12 on no other can take over")

    def theirs(frame: Any, event: str, argument: object) -> None:
        pass

    profiled = filter_over(during(lambda: sys.setprofile(theirs)))
    try:
        profiled.get()
        assert sys.getprofile() is theirs
    finally:
        sys.setprofile(None)

    assert profiled.record.profile is not None
    assert profiled.record.profile["notes"][0] == NOT_ALL.format(REPLACED)


def test_a_long_body_is_profiled_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Turning it on and off for ever would be paid by everybody."""
    monkeypatch.setattr(watch, "MAX_STEPS", 3)

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for _ in range(5):
            left()
            yield b"ok"

    profiled = filter_over(app)
    profiled.get()

    profile = profiled.record.profile
    assert profile is not None
    assert profile["notes"][0] == NOT_ALL.format(TOO_MANY_STEPS)
    assert calls_in(stats_of(profiled.record))["left"] == 2


def test_a_closed_engine_profiles_no_more() -> None:
    """The option was changed while requests came."""
    closed = engine(lambda *args: None)
    closed.close()
    closed.close()

    assert closed.watch(None, True, 10.0) is None  # type: ignore[arg-type]


def test_only_chosen_requests_have_a_watch() -> None:
    """All others cost no more than this question."""
    made = engine(lambda *args: None)

    assert made.watch(None, False, 10.0) is None  # type: ignore[arg-type]


def test_a_process_forked_in_a_request_is_not_profiled() -> None:
    """It would be for ever: the step that turns it off ends elsewhere."""

    def fork() -> None:
        nonlocal status
        pid = os.fork()
        if pid == 0:
            os._exit(0 if profilers_on() == (None, None) else 1)
        status = os.waitpid(pid, 0)[1]

    status = -1
    profiled = filter_over(during(fork))
    profiled.get()

    assert status == 0
    assert profiled.record.profiled is not None


def test_an_engine_that_cannot_turn_on_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is served as ever."""

    def fail(self: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(CprofileEngine, "scope_here", fail)
    profiled = filter_over(during(left))

    assert profiled.get().body == b"ok"
    assert profiled.failures.counts() == {"cprofile": 1, "cprofile_skipped": 1}
