# SPDX-License-Identifier: Apache-2.0
"""Profiles that go with their greenlets, and the trial of that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import greenlet
import pytest

from nova_profiler.capture.profilers.cprofile.greenlet_self_test import (
    is_right,
)
from nova_profiler.capture.profilers.cprofile.greenlets import (
    OVERLAID,
    GreenletTurns,
)
from nova_profiler.capture.profilers.cprofile.pausing import (
    FlushingHands,
    Hands,
    MonitoringHands,
    ThreadHands,
)
from nova_profiler.capture.profilers.cprofile.scopes import (
    BUSY,
    PROCESS_WIDE,
    TAKEN,
    TAKEN_THREAD,
    Part,
    Slot,
)


def keeping_hands() -> Hands:
    """Return the hands that keep open calls on this Python."""
    return MonitoringHands() if PROCESS_WIDE else ThreadHands()


@pytest.fixture(params=[keeping_hands, FlushingHands])
def turns(request: Any) -> GreenletTurns:
    return GreenletTurns(greenlet, request.param(), Slot())


@pytest.fixture
def keeping() -> GreenletTurns:
    return GreenletTurns(greenlet, keeping_hands(), Slot())


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
    """A greenlet that calls *function* again and again, profiled or not."""

    def __init__(self, turns: GreenletTurns, function: Any, rounds: int = 5):
        self.part = Part()
        self.refused: str | None = None
        self.greenlet = greenlet.greenlet(lambda: self._run(turns))
        self._function = function
        self._rounds = rounds

    def _run(self, turns: GreenletTurns) -> None:
        self.refused = turns.begin(self.part)
        try:
            for _ in range(self._rounds):
                self._function()
                self.greenlet.parent.switch()
        finally:
            if self.refused is None:
                turns.end(self.part)


def run_in_turn(*greenlets: Any) -> None:
    """Switch to each of *greenlets* until all are dead."""
    while any(not one.dead for one in greenlets):
        for one in greenlets:
            if not one.dead:
                one.switch()


def test_what_is_right_is_found_to_be(keeping: GreenletTurns) -> None:
    """On each Python that we support."""
    assert is_right(greenlet, keeping) is True


def test_what_flushes_is_found_out() -> None:
    """Own times and counts are right, callers are not."""
    turns = GreenletTurns(greenlet, FlushingHands(), Slot())

    assert is_right(greenlet, turns) is False


def test_the_trial_does_not_touch_a_profiler_that_is_on() -> None:
    """It tells that nothing could be tried."""
    turns = GreenletTurns(greenlet, keeping_hands(), Slot())
    theirs = Part()
    theirs.profile.enable()
    try:
        assert is_right(greenlet, turns) is None
    finally:
        theirs.profile.disable()


def test_each_greenlet_has_its_own_calls(turns: GreenletTurns) -> None:
    """Two that are profiled and one that is not, in turn."""
    one = Worker(turns, first)
    two = Worker(turns, second)
    other = greenlet.greenlet(
        lambda: [(third(), other.parent.switch()) for _ in range(5)]
    )

    run_in_turn(one.greenlet, other, two.greenlet)

    assert calls_of(one.part) == {"first": 5}
    assert calls_of(two.part) == {"second": 5}


def test_a_call_lasts_over_its_switches(keeping: GreenletTurns) -> None:
    """The time it waited is its own: the clock on the wall goes on."""
    now = 0

    def clock() -> int:
        return now

    part = Part()
    part.profile = type(part.profile)(clock, 1.0)

    def switching() -> None:
        worker.parent.switch()
        first()

    def run() -> None:
        keeping.begin(part)
        switching()
        keeping.end(part)

    worker = greenlet.greenlet(run)
    worker.switch()
    now += 7
    worker.switch()

    cumulative = {
        entry.code.co_name: entry.totaltime
        for entry in part.profile.getstats()
        if not isinstance(entry.code, str)
    }
    assert cumulative["switching"] == 7
    assert cumulative["first"] == 0


def test_a_greenlet_that_is_killed_is_turned_off(
    turns: GreenletTurns,
) -> None:
    """As eventlet does with the request of a client that went away."""
    worker = Worker(turns, first)
    worker.greenlet.switch()
    worker.greenlet.throw()

    assert worker.greenlet.dead
    assert calls_of(worker.part)["first"] == 1


def test_an_abandoned_greenlet_is_turned_off(turns: GreenletTurns) -> None:
    """Nothing of ours keeps it from being collected."""
    worker = Worker(turns, first)
    part = worker.part
    worker.greenlet.switch()
    assert greenlet.gettrace() is not None
    del worker.greenlet

    assert greenlet.gettrace() is None
    assert calls_of(part)["first"] == 1


def test_a_trace_function_that_was_there_goes_on(
    turns: GreenletTurns,
) -> None:
    """It sees each switch, and is back alone in the end."""
    seen: list[str] = []

    def theirs(event: str, greenlets: Any) -> None:
        seen.append(event)

    greenlet.settrace(theirs)
    try:
        run_in_turn(Worker(turns, first, rounds=2).greenlet)
        assert greenlet.gettrace() is theirs
    finally:
        greenlet.settrace(None)

    # There and back, three times; the first way there is before ours.
    assert seen == ["switch"] * 6


def test_a_trace_function_that_raises_does_not_stop_ours(
    turns: GreenletTurns,
) -> None:
    """greenlet would drop it; so do we, and the request goes on."""

    def theirs(event: str, greenlets: Any) -> None:
        if greenlets[0] is worker.greenlet:
            raise LookupError

    worker = Worker(turns, first)
    greenlet.settrace(theirs)
    try:
        run_in_turn(worker.greenlet)
    finally:
        greenlet.settrace(None)

    assert calls_of(worker.part) == {"first": 5}


def test_a_trace_function_that_comes_later_is_told_of(
    turns: GreenletTurns,
) -> None:
    """It may call ours or not: the profile may hold calls of others."""
    worker = Worker(turns, first, rounds=2)
    worker.greenlet.switch()
    ours = greenlet.settrace(lambda *args: ours(*args))
    run_in_turn(worker.greenlet)
    greenlet.settrace(None)

    assert worker.part.refused == [OVERLAID]


def test_what_cannot_be_turned_on_is_turned_off(
    turns: GreenletTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it would stay for ever."""

    def fail(part: Part) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr(turns._hands, "resume", fail)
        with pytest.raises(RuntimeError, match="no"):
            turns.begin(Part())

    assert turns.begin(part := Part()) is None
    turns.end(part)


def test_a_greenlet_has_one_profile(turns: GreenletTurns) -> None:
    """A request inside a request, by a server of its own."""
    outer, inner = Part(), Part()
    assert turns.begin(outer) is None
    try:
        assert turns.begin(inner) == BUSY
    finally:
        turns.end(outer)


def test_a_profiler_of_others_is_left_alone(turns: GreenletTurns) -> None:
    """The request goes on without."""
    theirs = Part()
    theirs.profile.enable()
    try:
        refused = turns.begin(Part())
    finally:
        theirs.profile.disable()

    assert refused == (TAKEN if PROCESS_WIDE else TAKEN_THREAD)
    assert turns.begin(part := Part()) is None
    turns.end(part)
