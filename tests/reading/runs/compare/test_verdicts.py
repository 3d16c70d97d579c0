# SPDX-License-Identifier: Apache-2.0
"""Which routes changed: found where they did, quiet where they did not."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from compared_times import compare, pooled, run_of, verdicts
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, rankdata

from nova_profiler.reading.runs.compare.comparison import figures_of
from nova_profiler.reading.runs.compare.shifts import NO_DRIFT, Shift
from nova_profiler.reading.runs.compare.verdicts import (
    FASTER,
    FEW,
    NO_CHANGE,
    ONLY_A,
    ONLY_B,
    SLOWER,
    Limits,
    SideFigures,
    changes_of,
    holm,
)


@pytest.mark.parametrize("seed", range(3))
def test_one_route_of_thirty_slowed_by_15_percent_is_found(seed):
    """At 200 calls each; no other route is."""
    a = run_of(2 * seed, calls=200, wobble=0)
    b = run_of(2 * seed + 1, calls=200, wobble=0, slowed={7: 1.15})

    found = compare(a, b, fail_above=0.08)

    changed = {k: v for k, v in verdicts(found).items() if v != NO_CHANGE}
    assert changed == {"/r7": SLOWER}
    first = found.changes[0]
    assert first.low < 0.15 < first.high
    assert len(found.failures) == 1
    assert found.failures[0].startswith("GET /r7 is ")


def test_equal_runs_raise_at_most_two_alarms_in_a_hundred_pairs():
    """Skewed times, wobbling runs and routes."""
    alarms = 0
    for pair in range(100):
        found = compare(
            run_of(1000 + 2 * pair, calls=30, routes=20),
            run_of(1001 + 2 * pair, calls=30, routes=20),
            fail_above=0.0,
        )
        alarms += sum(v in (SLOWER, FASTER) for v in verdicts(found).values())

    assert alarms <= 2


def test_a_faster_route_fails_nothing():
    """It is called faster."""
    found = compare(
        run_of(1, wobble=0), run_of(2, slowed={3: 0.5}), fail_above=0.1
    )

    assert verdicts(found)["/r3"] == FASTER
    assert found.failures == ()


def test_the_move_of_the_whole_run_slows_no_route():
    """It has a line of its own; beyond twice the limit it fails, too."""
    a = run_of(1, wobble=0)
    b = {route: [1.4 * ms for ms in times] for route, times in a.items()}

    found = compare(a, b, fail_above=0.15)
    lenient = compare(a, b, fail_above=0.15, fail_all_above=0.5)

    assert set(verdicts(found).values()) == {NO_CHANGE}
    assert found.drift.ratio == pytest.approx(1.4)
    assert found.failures == (
        "all routes together are 40.0 % slower; the limit is 30 %",
    )
    assert lenient.failures == ()


def test_a_few_routes_are_compared_as_they_are():
    """Three routes do not show the move of a whole run."""
    a = run_of(1, routes=3, wobble=0)
    b = {route: [1.5 * ms for ms in times] for route, times in a.items()}

    found = compare(a, b)

    assert set(verdicts(found).values()) == {SLOWER}
    assert found.drift.routes == 0
    assert found.changes[0].change == pytest.approx(0.5)


def test_few_calls_are_few_and_no_regression():
    """However slow they look."""
    a, b = run_of(1), run_of(2)
    a["/r5"], b["/r5"] = [1.0] * 500, [100.0] * 19

    found = compare(a, b, fail_above=0.1)

    few = next(one for one in found.changes if one.route == "/r5")
    assert few.verdict == FEW
    assert few.p is None
    assert few.b.calls == 19
    assert found.failures == ()


def test_routes_of_one_side_are_named():
    """New routes, and routes that are gone."""
    a, b = run_of(1), run_of(2)
    a["/old"], b["/new"] = [1.0] * 50, [1.0] * 50

    found = verdicts(compare(a, b))

    assert (found["/old"], found["/new"]) == (ONLY_A, ONLY_B)


def test_small_changes_are_none_however_sure():
    """Three per cent, known from hundreds of calls."""
    a = run_of(1, calls=400, spread=0.02, wobble=0)
    b = run_of(2, calls=400, spread=0.02, wobble=0, slowed={4: 1.03})

    assert verdicts(compare(a, b))["/r4"] == NO_CHANGE
    found = compare(a, b, least_change=0.01)
    assert verdicts(found)["/r4"] == SLOWER


def test_a_wobbling_service_needs_larger_changes():
    """Routes that move between equal runs make each other less certain."""
    calm = compare(
        run_of(1, calls=400, wobble=0), run_of(2, calls=400, wobble=0)
    )
    wild = compare(
        run_of(1, calls=400, wobble=0.05), run_of(2, calls=400, wobble=0.05)
    )

    assert calm.drift.wobble < 0.02 < wild.drift.wobble
    assert wild.changes[0].detectable > 2 * calm.changes[0].detectable


def test_a_baseline_shows_the_wobble_though_many_routes_changed():
    """A change of a third of the routes is not taken for unrest."""
    slowed = dict.fromkeys(range(10), 1.15)
    baseline = [run_of(seed, calls=200, wobble=0) for seed in range(4)]
    b = run_of(9, calls=200, wobble=0, slowed=slowed)

    alone = compare(baseline[0], b)
    found = compare(pooled(baseline), b, baseline)

    assert found.runs_a == 4
    assert found.drift.wobble < alone.drift.wobble
    slower = [k for k, v in verdicts(found).items() if v == SLOWER]
    assert {f"/r{number}" for number in slowed} >= set(slower)
    assert len(slower) >= 8


def test_the_confidence_decides():
    """A lower confidence finds more."""
    a, b = run_of(1), run_of(2, slowed={7: 1.3})

    sure = compare(a, b, confidence=0.9999)
    unsure = compare(a, b, confidence=0.9)

    assert verdicts(sure)["/r7"] == NO_CHANGE
    assert verdicts(unsure)["/r7"] == SLOWER


def test_figures_are_json_ready():
    """Changes as parts of one, each side's calls beside them."""
    figures = figures_of(compare(run_of(1), run_of(2), fail_above=0.1))

    assert figures["limits"]["fail_all_above"] == 0.2
    assert figures["all_routes"]["routes"] == 30
    assert figures["routes"][0]["a"]["calls"] == 60


def p_of(calls_a, calls_b, rank_sum_b, ties=0):
    """Return the p of one route, from its rank sum alone."""
    key = ("GET", "/r")
    row = {
        "method": "GET",
        "route": "/r",
        "calls_a": calls_a,
        "calls_b": calls_b,
        "rank_sum_b": rank_sum_b,
        "ties": ties,
    }
    figures = {
        ("a", *key): SideFigures(calls_a),
        ("b", *key): SideFigures(calls_b),
    }
    shifts = {key: Shift(0.1, 0.02, 0.05, 0.15, min(calls_a, calls_b))}
    (change,) = changes_of(figures, shifts, NO_DRIFT, [row], Limits())
    return change.p


def test_p_is_corrected_for_continuity():
    """Worked out by hand: 37 and 37 calls, two standard deviations apart.

    The ranks of b add up to 1387.5 by chance, give or take 92.5, the root
    of 37 * 37 * 75 / 12. Half a rank is left to chance, as ranks are whole.
    """
    assert p_of(37, 37, 1387.5 + 0.5 + 2 * 92.5) == pytest.approx(
        0.0455002639, rel=1e-8
    )
    assert p_of(37, 37, 1387.5 - 0.5) == 1.0


@pytest.mark.parametrize("digits", [0, 1, 3])
def test_p_is_that_of_scipy(digits):
    """With ties or without, and sides of unequal size."""
    chance = random.Random(digits)
    a = [round(chance.gauss(5, 1), digits) for _ in range(60)]
    b = [round(chance.gauss(5.3, 1), digits) for _ in range(35)]

    ties = sum(count**3 - count for count in Counter(a + b).values())
    found = p_of(60, 35, rankdata(a + b)[60:].sum(), ties)

    assert found == pytest.approx(
        mannwhitneyu(a, b, method="asymptotic").pvalue
    )


def test_holm_multiplies_by_what_is_left():
    """Worked out by hand; the order stays, and one is the most."""
    p = {("GET", "/a"): 0.01, ("GET", "/b"): 0.04, ("GET", "/c"): 0.015}

    assert holm(p) == pytest.approx(
        {("GET", "/a"): 0.03, ("GET", "/c"): 0.03, ("GET", "/b"): 0.04}
    )
    assert holm({("GET", "/a"): 0.9, ("GET", "/b"): 0.9}) == {
        ("GET", "/a"): 1.0,
        ("GET", "/b"): 1.0,
    }


@given(
    st.lists(st.floats(1e-4, 1e9), min_size=1, max_size=30),
    st.lists(st.floats(1e-4, 1e9), min_size=1, max_size=30),
)
def test_any_times_get_a_verdict(a, b):
    """Nothing is divided by zero."""
    (change,) = compare({"/r": a}, {"/r": b}).changes

    assert change.verdict in (SLOWER, FASTER, NO_CHANGE, FEW)
    assert change.low <= change.change + 1e-6 * (1 + abs(change.change))
    assert change.p is None or 0 <= change.p <= 1
