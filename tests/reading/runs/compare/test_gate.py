# SPDX-License-Identifier: Apache-2.0
"""The gate: when it fails, however many routes moved, and when not."""

from __future__ import annotations

from functools import cache

import pytest
from compared_times import compare, pooled, run_of, verdicts

from nova_profiler.reading.runs.compare.comparison import figures_of
from nova_profiler.reading.runs.compare.verdicts import (
    FASTER,
    NO_CHANGE,
    SLOWER,
)

CALLS = 200


@cache
def nights(count, routes=10):
    """Return all runs of side a together, and each of them."""
    runs = [run_of(seed, calls=CALLS, routes=routes) for seed in range(count)]
    return pooled(runs), runs


def moved(count, factor, routes=10, seed=90):
    """Return a run in which the first *count* routes moved."""
    slowed = dict.fromkeys(range(count), factor)
    return run_of(seed, calls=CALLS, routes=routes, slowed=slowed)


@pytest.mark.parametrize("runs_in_a", [1, 2, 5])
@pytest.mark.parametrize("slowed", range(1, 11))
def test_routes_slowed_by_half_never_pass(slowed, runs_in_a):
    """Whether few, most or all are: a still route excuses none."""
    a, runs = nights(runs_in_a)

    found = compare(a, moved(slowed, 1.5), runs, fail_above=0.1)

    assert found.failures


@pytest.mark.parametrize("slowed", range(6, 10))
def test_a_move_that_some_routes_do_not_share_is_not_taken_out(slowed):
    """The slowed are slower and the others unchanged, not faster."""
    a, runs = nights(5)

    found = compare(a, moved(slowed, 1.5), runs, fail_above=0.1)

    expected = [SLOWER] * slowed + [NO_CHANGE] * (10 - slowed)
    assert [verdicts(found)[f"/r{n}"] for n in range(10)] == expected
    assert figures_of(found)["all_routes"]["taken_out"] is False


@pytest.mark.parametrize("slowed", [5, 6, 8, 9])
def test_a_shift_within_the_limit_of_all_hides_no_routes(slowed):
    """Fifteen per cent of most routes are more than the nights show."""
    a, runs = nights(5)

    found = compare(a, moved(slowed, 1.17), runs, fail_above=0.1)

    assert any(" /r" in failure for failure in found.failures)


@pytest.mark.parametrize("runs_in_a", [1, 5])
def test_routes_that_got_faster_make_the_others_no_slower(runs_in_a):
    """The same the other way round."""
    a, runs = nights(runs_in_a)

    found = compare(a, moved(7, 0.7), runs, fail_above=0.1)

    assert found.failures == ()
    assert list(verdicts(found).values()).count(FASTER) == 7


@pytest.mark.parametrize("runs_in_a", [1, 5])
def test_a_slower_machine_passes_within_its_limit(runs_in_a):
    """All routes alike: by less than --fail-all-above."""
    a, runs = nights(runs_in_a, routes=30)
    b = moved(30, 1.15, routes=30)

    found = compare(a, b, runs, fail_above=0.1, fail_all_above=0.25)
    strict = compare(a, b, runs, fail_above=0.1, fail_all_above=0.08)

    assert found.failures == ()
    assert set(verdicts(found).values()) == {NO_CHANGE}
    assert len(strict.failures) == 1


def test_a_route_that_improved_does_not_spoil_a_slower_machine():
    """Only a still route shows that the others moved by themselves."""
    a, runs = nights(5)
    b = moved(10, 1.15)
    b["/r9"] = [ms / 2 for ms in b["/r9"]]

    found = compare(a, b, runs, fail_above=0.1)

    assert found.drift.is_taken_out
    assert found.failures == ()


def test_nights_that_lie_as_far_apart_explain_a_shift():
    """A machine that is sometimes slow at one kind of work."""
    runs = [
        moved(8, factor, seed=seed)
        for seed, factor in enumerate([1.0, 1.3, 1.1, 1.25, 1.0, 1.2])
    ]
    b = moved(8, 1.3)

    found = compare(pooled(runs), b, runs)

    assert found.drift.is_usual
    assert found.drift.is_taken_out


def test_a_shift_that_is_unsure_does_not_pass():
    """The line has the interval in which it may lie."""
    a, _ = nights(1)

    (failure, *_) = compare(a, moved(6, 1.5), fail_above=0.1).failures

    assert failure.startswith("all routes together are ")
    assert failure.endswith(": too unsure to pass); the limit is 20 %")


def test_equal_runs_fail_at_most_two_gates_in_a_hundred():
    """Skewed times, wobbling runs and routes; few routes, few calls."""
    failed = 0
    for pair in range(100):
        found = compare(
            run_of(1000 + 2 * pair, calls=30, routes=10),
            run_of(1001 + 2 * pair, calls=30, routes=10),
            fail_above=0.1,
        )
        failed += bool(found.failures)

    assert failed <= 2
