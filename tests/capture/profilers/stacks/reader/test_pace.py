# SPDX-License-Identifier: Apache-2.0
"""How often the reader looks."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.stacks.reader.pace import (
    LONG_AFTER_NS,
    LONG_S,
    SHARE,
    SLOWEST_S,
    STEADY_S,
    Pace,
)


def cost_of(pace, is_long, cost_s, seconds):
    """Return the share of a processor that rounds of *cost_s* take."""
    now = spent_s = 0.0
    while now < seconds:
        step_s = pace.long_s() if is_long else pace.steady_s()
        now += step_s
        spent_s += cost_s
        pace.spent(is_long, cost_s, step_s)
    return spent_s / now


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("cost_s", [0.0001, 0.0003, 0.001, 0.005])
def test_the_share_is_kept_in_the_long_run(is_long, cost_s):
    """Whatever a round costs here."""
    pace = Pace()
    cost_of(pace, is_long, cost_s, 60)

    assert cost_of(pace, is_long, cost_s, 60) <= SHARE * 1.05


def test_steady_looks_leave_most_of_it_for_long_requests():
    """So that the first seconds of a long one have a look each 10 ms."""
    pace = Pace()
    assert cost_of(pace, False, 0.0005, 60) <= SHARE * 0.3 * 1.05

    assert pace.long_s() == LONG_S
    cost_of(pace, True, 0.0005, 2)

    assert pace.long_s() == LONG_S


@pytest.mark.parametrize("cost_s", [0.0005, 0.002, 0.003, 0.0045])
def test_a_request_that_takes_long_was_seen_before(cost_s):
    """The longest interval between two looks ends before it takes long."""
    pace = Pace()
    cost_of(pace, False, cost_s, 60)

    assert 1.5 * pace.steady_s() * 1e9 <= LONG_AFTER_NS * 1.001


@pytest.mark.parametrize("cost_s", [0.0005, 0.002, 0.003, 0.005, 0.02])
def test_both_kinds_of_looks_share_it(cost_s):
    """Also where steady looks alone would need all of it."""
    pace = Pace()
    later = [at for at in _rounds_of_both(pace, cost_s, 120) if at > 60]

    assert cost_s * len(later) / 60 <= SHARE * 1.05


def _rounds_of_both(pace, cost_s, seconds, besides=0.0):
    """Yield when rounds are where one request takes long all the while.

    Meanwhile *besides* of a processor goes to answers.
    """
    now = last = 0.0
    due = {False: 0.0, True: 0.0}
    while now < seconds:
        is_long = due[True] < due[False]
        last, now = now, due[is_long]
        since_s = now - last
        pace.spent(is_long, cost_s, since_s, besides * since_s)
        due[True] = now + pace.long_s()
        if not is_long:
            due[False] = now + pace.steady_s()
        yield now


@pytest.mark.parametrize("besides", [0.005, 0.01, 0.014])
def test_what_is_done_besides_comes_out_of_the_share(besides):
    """As long as the least of it is left for looks at long requests."""
    pace = Pace()
    rounds = _rounds_of_both(pace, 0.001, 120, besides)
    later = [at for at in rounds if at > 60]

    assert besides + 0.001 * len(later) / 60 <= SHARE * 1.05


@pytest.mark.parametrize("besides", [0.02, 0.2, 1.0])
def test_a_request_is_seen_whatever_is_done_besides(besides):
    """Answers for many requests leave the steady looks what they have."""
    pace = Pace()
    rounds = _rounds_of_both(pace, 0.001, 120, besides)
    later = [at for at in rounds if at > 60]

    assert 1.5 * pace.steady_s() * 1e9 <= LONG_AFTER_NS
    assert 0.001 * len(later) / 60 >= SHARE * 0.3 * 0.95


def test_answers_that_are_over_are_forgotten():
    """A minute later long requests have what they had."""
    pace, other = Pace(), Pace()
    list(_rounds_of_both(pace, 0.001, 60, 1.0))
    for one in (pace, other):
        list(_rounds_of_both(one, 0.001, 60))

    assert pace.long_s() == pytest.approx(other.long_s(), rel=0.05)


def test_cheap_looks_are_no_more_frequent_than_is_useful():
    """Not where they cost next to nothing, either."""
    pace = Pace()
    cost_of(pace, False, 0.000001, 10)

    assert pace.steady_s() == STEADY_S
    assert pace.long_s() == LONG_S


def test_dear_looks_still_come():
    """Once a second, on the slowest machine."""
    pace = Pace()
    for _ in range(1000):
        pace.spent(False, 1.0, 1.0)

    assert pace.steady_s() == SLOWEST_S


def test_an_interval_that_is_asked_for_is_kept():
    """Whatever it costs."""
    pace = Pace()
    pace.interval_s = 0.005
    for _ in range(1000):
        pace.spent(False, 1.0, 0.005)

    assert pace.steady_s() == pace.long_s() == 0.005
