# SPDX-License-Identifier: Apache-2.0
"""Profiles that go with their greenlets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import greenlet
import pytest

from nova_profiler.capture.profilers.cprofile.greenlets import (
    OVERLAID,
    GreenletScope,
    Tracer,
)
from nova_profiler.capture.profilers.cprofile.scopes import (
    BUSY,
    PROCESS_WIDE,
    TAKEN,
    TAKEN_THREAD,
    Part,
    ProcessScope,
    ThreadScope,
)

OTHERS = TAKEN if PROCESS_WIDE else TAKEN_THREAD


@pytest.fixture
def scope() -> GreenletScope:
    native = ProcessScope() if PROCESS_WIDE else ThreadScope()
    return GreenletScope(greenlet, native)


@pytest.fixture(autouse=True)
def _leaves_nothing_behind_in_greenlet() -> Iterator[None]:
    yield
    assert greenlet.gettrace() is None
    assert sys.getprofile() is None
    if PROCESS_WIDE:
        assert sys.monitoring.get_tool(sys.monitoring.PROFILER_ID) is None


def first() -> None:
    pass


def second() -> None:
    pass


def third() -> None:
    pass


def calls_of(part: Part) -> dict[str, int]:
    """Return the calls of this file's functions by name."""
    return {
        entry.code.co_name: entry.callcount
        for entry in part.profile.getstats()
        if not isinstance(entry.code, str)
        and entry.code.co_filename == __file__
    }


class Worker:
    """A greenlet that calls *function* again and again, profiled."""

    def __init__(self, scope: GreenletScope, function: Any, rounds: int = 5):
        self.part = Part()
        self.greenlet = greenlet.greenlet(lambda: self._run(scope))
        self._function = function
        self._rounds = rounds

    def _run(self, scope: GreenletScope) -> None:
        assert scope.begin(self.part) is None
        try:
            for _ in range(self._rounds):
                self._function()
                self.greenlet.parent.switch()
        finally:
            scope.end(self.part)


def run_in_turn(*greenlets: Any) -> None:
    """Switch to each of *greenlets* until all are dead."""
    while any(not one.dead for one in greenlets):
        for one in greenlets:
            if not one.dead:
                one.switch()


def test_each_greenlet_has_its_own_calls(scope: GreenletScope) -> None:
    """Two that are profiled and one that is not, in turn."""
    one = Worker(scope, first)
    two = Worker(scope, second)
    other = greenlet.greenlet(
        lambda: [(third(), other.parent.switch()) for _ in range(5)]
    )

    run_in_turn(one.greenlet, other, two.greenlet)

    assert calls_of(one.part) == {"first": 5}
    assert calls_of(two.part) == {"second": 5}


def test_a_call_ends_where_its_greenlet_switches(scope: GreenletScope) -> None:
    """What it waited is no function's: the dump calls its times partial."""
    now = 0
    part = Part()
    part.profile = type(part.profile)(lambda: now, 1.0)

    def switching() -> None:
        worker.parent.switch()
        first()

    def run() -> None:
        scope.begin(part)
        switching()
        scope.end(part)

    worker = greenlet.greenlet(run)
    worker.switch()
    now += 7
    worker.switch()

    assert calls_of(part) == {"switching": 1, "first": 1}
    assert all(entry.totaltime == 0 for entry in part.profile.getstats())
    assert scope.cuts_calls


def test_a_greenlet_that_is_killed_is_turned_off(scope: GreenletScope) -> None:
    """As eventlet does with the request of a client that went away."""
    worker = Worker(scope, first)
    worker.greenlet.switch()
    worker.greenlet.throw()

    assert worker.greenlet.dead
    assert calls_of(worker.part) == {"first": 1}


def test_an_abandoned_greenlet_is_turned_off(scope: GreenletScope) -> None:
    """Nothing of ours keeps it from being collected."""
    worker = Worker(scope, first)
    part = worker.part
    worker.greenlet.switch()
    assert greenlet.gettrace() is not None
    del worker.greenlet

    assert greenlet.gettrace() is None
    assert calls_of(part) == {"first": 1}


def test_a_trace_function_that_was_there_goes_on(scope: GreenletScope) -> None:
    """It sees each switch, and is back alone in the end."""
    seen: list[str] = []

    def theirs(event: str, greenlets: Any) -> None:
        seen.append(event)

    greenlet.settrace(theirs)
    try:
        run_in_turn(Worker(scope, first, rounds=2).greenlet)
        assert greenlet.gettrace() is theirs
    finally:
        greenlet.settrace(None)

    # There and back, three times; the first way there is before ours.
    assert seen == ["switch"] * 6


def test_a_trace_function_that_raises_does_not_stop_ours(
    scope: GreenletScope,
) -> None:
    """greenlet would drop it; so do we, and the request goes on."""

    def theirs(event: str, greenlets: Any) -> None:
        if greenlets[0] is worker.greenlet:
            raise LookupError

    worker = Worker(scope, first)
    greenlet.settrace(theirs)
    try:
        run_in_turn(worker.greenlet)
    finally:
        greenlet.settrace(None)

    assert calls_of(worker.part) == {"first": 5}


def test_a_trace_function_that_comes_in_the_middle_stays(
    scope: GreenletScope,
) -> None:
    """It may call ours or not: the profile may hold calls of others."""
    worker = Worker(scope, first, rounds=2)
    worker.greenlet.switch()
    ours = greenlet.gettrace()

    def theirs(event: str, greenlets: Any) -> None:
        ours(event, greenlets)

    greenlet.settrace(theirs)
    run_in_turn(worker.greenlet)
    left = greenlet.settrace(None)

    assert left is theirs
    assert worker.part.refused == [OVERLAID]


def test_a_profiler_that_comes_while_the_greenlet_is_away_stays(
    scope: GreenletScope,
) -> None:
    """What ours does not see from then on is missing, which it notes."""
    worker = Worker(scope, first)
    worker.greenlet.switch()
    theirs = Part()
    theirs.profile.enable()
    try:
        worker.greenlet.switch()
    finally:
        theirs.profile.disable()
    run_in_turn(worker.greenlet)

    assert calls_of(worker.part) == {"first": 4}
    assert worker.part.refused == [OTHERS]


def test_what_cannot_be_turned_on_is_turned_off(
    scope: GreenletScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it would stay for ever."""

    def fail(part: Part) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr(scope._native, "begin", fail)
        with pytest.raises(RuntimeError, match="no"):
            scope.begin(Part())

    assert scope.begin(part := Part()) is None
    scope.end(part)


def test_a_greenlet_has_one_profile(scope: GreenletScope) -> None:
    """A request inside a request, by a server of its own."""
    outer, inner = Part(), Part()
    assert scope.begin(outer) is None
    try:
        assert scope.begin(inner) == BUSY
    finally:
        scope.end(outer)


def test_a_profiler_of_others_is_left_alone(scope: GreenletScope) -> None:
    """The request goes on without."""
    theirs = Part()
    theirs.profile.enable()
    try:
        refused = scope.begin(Part())
    finally:
        theirs.profile.disable()

    assert refused == OTHERS
    assert scope.begin(part := Part()) is None
    scope.end(part)


def test_trace_functions_of_ended_scopes_do_not_pile_up() -> None:
    """Each new engine drops those that a later one left behind it."""

    def theirs(event: str, greenlets: Any) -> None:
        behind(event, greenlets)

    native = ProcessScope() if PROCESS_WIDE else ThreadScope()
    depths = []
    for _ in range(5):
        worker = Worker(GreenletScope(greenlet, native), first, rounds=2)
        worker.greenlet.switch()
        ours = greenlet.gettrace()
        depths.append(depth_of(ours))
        behind = ours
        greenlet.settrace(theirs)
        run_in_turn(worker.greenlet)
        # What came in between goes away, and puts ours back.
        greenlet.settrace(ours)
    greenlet.settrace(None)

    assert depths == [1] * 5


def depth_of(trace: Any) -> int:
    """Return how many of our trace functions stand behind each other."""
    return 1 + depth_of(trace.previous) if isinstance(trace, Tracer) else 0
