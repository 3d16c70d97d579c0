# SPDX-License-Identifier: Apache-2.0
"""The reader between its pipes, with clocks and looks of the test."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from nova_profiler.capture.profilers.stacks.reader import main as module
from nova_profiler.capture.profilers.stacks.reader.main import Reader
from nova_profiler.capture.profilers.stacks.slot_words import INTERVAL_US

LOOK_S, CHECK_S = 0.001, 0.02


class Clock:
    """Time, and what of it was spent on a processor."""

    def __init__(self):
        self.now = self.spent = 100.0

    def work(self, seconds):
        self.now += seconds
        self.spent += seconds


class FakeRounds:
    """Rounds that take as long as they are told, and know no request."""

    def __init__(self, clock):
        self.clock = clock
        self.words = [0] * 64
        self.has_long = False
        self.begun_anew = 0
        self.requests = SimpleNamespace(take=self._take)

    def _take(self, number):
        self.clock.work(CHECK_S)

    def look_at_all(self, only_long=False):
        self.clock.work(LOOK_S)
        return 1

    def tidy(self, is_asleep=False):
        self.clock.work(CHECK_S)

    def live_slots(self):
        return [1]

    def begin_anew(self):
        self.begun_anew += 1


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", lambda: clock.now)
    monkeypatch.setattr(module, "process_time", lambda: clock.spent)
    monkeypatch.setattr(module, "send", lambda answer: None)
    return clock


@pytest.fixture
def asks(clock):
    """A reader and the end of the pipe through which it is asked."""
    ours, theirs = os.pipe()
    reader = Reader(FakeRounds(clock), None, ours)
    wait = reader._poll

    def poll(milliseconds):
        found = wait.poll(0)
        if not found:
            clock.now += milliseconds / 1000
        return found

    reader._poll = SimpleNamespace(poll=poll)
    yield reader, theirs
    os.close(ours)
    os.close(theirs)


def asked_while_it_runs(reader, theirs, clock, seconds, interval_us=0):
    """Ask for a request between any two rounds; return the rounds."""
    rounds = []
    look = reader._rounds.look_at_all
    reader._rounds.words[INTERVAL_US] = interval_us
    until = clock.now + seconds

    def look_and_ask(only_long=False):
        rounds.append(clock.now)
        line = ["keep", 1, [], 0, 0] if clock.now < until else ["end"]
        os.write(theirs, json.dumps(line).encode() + b"\n")
        return look(only_long)

    reader._rounds.look_at_all = look_and_ask
    reader.run()
    return rounds


def test_answers_are_no_part_of_what_a_look_costs(asks, clock):
    """Requests that are kept make looks at others no rarer."""
    reader, theirs = asks
    rounds = asked_while_it_runs(reader, theirs, clock, 60)

    # Three tenths of 2.5 % for rounds of a millisecond.
    assert reader.pace.steady_s() == pytest.approx(0.133, rel=0.2)
    assert len(rounds) == pytest.approx(60 / 0.133, rel=0.2)


def test_answers_are_paid_all_the_same(asks, clock):
    """Looks at long requests are rarer for them."""
    reader, theirs = asks
    before_s = reader.pace.long_s()
    asked_while_it_runs(reader, theirs, clock, 60)

    assert reader.pace.long_s() > 10 * before_s


def test_a_round_that_is_late_takes_nothing_for_begun_before(asks, clock):
    """The reader was stopped, and knows nothing of the time meanwhile."""
    reader, theirs = asks
    asked_while_it_runs(reader, theirs, clock, 1)
    assert reader._rounds.begun_anew == 0

    clock.now += 60
    reader._round_at = clock.now - 30
    asked_while_it_runs(reader, theirs, clock, 0)

    assert reader._rounds.begun_anew == 1


def test_an_interval_that_is_set_is_kept_whatever_answers_cost(asks, clock):
    """Looks at all come as often as they were asked for."""
    reader, theirs = asks
    rounds = asked_while_it_runs(reader, theirs, clock, 60, 50_000)

    assert len(rounds) == pytest.approx(60 / 0.05, rel=0.1)
