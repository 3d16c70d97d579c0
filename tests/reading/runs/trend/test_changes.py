# SPDX-License-Identifier: Apache-2.0
"""Changes of level in a series, against a count of all orders."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.runs.trend.changes import (
    best_split,
    best_stretch,
    rank_sum_p,
    splits_of,
)


@pytest.mark.parametrize(("first", "second"), [(3, 4), (4, 4), (5, 3)])
def test_p_is_the_share_of_orders(first, second):
    """Each order of the values is as likely as any other."""
    orders = list(combinations(range(first + second), first))
    won = [sum(order) - first * (first - 1) // 2 for order in orders]

    for pairs_won in range(first * second + 1):
        low = min(pairs_won, first * second - pairs_won)
        share = sum(1 for each in won if each <= low) / len(orders)
        expected = min(1.0, 2 * share)
        assert rank_sum_p(first, second, pairs_won) == pytest.approx(expected)


def test_large_sides_meet_the_exact_count():
    """Where the normal distribution takes over, p does not jump."""
    exact = rank_sum_p(12, 130, 400)
    normal = rank_sum_p(13, 130, 13 * 130 * 400 / (12 * 130))

    assert exact == pytest.approx(normal, rel=0.25)


def test_the_normal_distribution_is_corrected_for_continuity():
    """Worked out by hand: 73 and 73 runs, two standard deviations apart.

    Of 5329 pairs half are won by chance, give or take 255.5, the root of
    5329 * 147 / 12. A half pair is left to chance, as pairs are whole.
    """
    assert rank_sum_p(73, 73, 2664.5 - 0.5 - 2 * 255.5) == pytest.approx(
        0.0455002639, rel=1e-8
    )


def test_a_step_is_found_where_it_is():
    """Six runs on the new level suffice among sixty series."""
    chance = random.Random(1)
    values = [
        chance.lognormvariate(0, 0.03) * (1.15 if run >= 20 else 1)
        for run in range(26)
    ]

    (split,) = splits_of(values, 0.05 / 60)

    assert split.at == 20


def test_up_and_down_again_are_two_steps():
    """A fault and its repair: one step alone would not show it."""
    values = [10.0 + 0.01 * (run % 7) for run in range(40)]
    values[15:28] = [value + 3 for value in values[15:28]]

    assert [split.at for split in splits_of(values, 0.001)] == [15, 28]


def test_equal_runs_have_no_step():
    """Of 200 histories at most five in a hundred are called changed."""
    chance = random.Random(2)
    found = sum(
        bool(
            splits_of([chance.lognormvariate(0, 0.1) for _ in range(40)], 0.05)
        )
        for _ in range(200)
    )

    assert found <= 10


def test_few_runs_have_no_step():
    """Five are not two levels of three, eight are not three."""
    assert best_split([1.0, 1.0, 1.0, 9.0, 9.0]) == []
    assert best_stretch([1.0, 1.0, 1.0, 9.0, 9.0, 1.0, 1.0, 1.0]) == []


def test_a_single_odd_run_is_no_level():
    """One bad night is not a change."""
    values = [10.0 + 0.01 * (run % 5) for run in range(30)]
    values[12] = 99.0

    assert splits_of(values, 0.01) == []


def test_the_same_value_throughout_has_no_step():
    """Ties are no evidence."""
    (split,) = best_split([5.0] * 30)

    assert split.p == 1.0


@given(st.lists(st.floats(0, 1e9), max_size=40))
def test_any_series_gets_an_answer(values):
    """Within the series, with a p below the chance."""
    for split in splits_of(values, 0.5):
        assert 3 <= split.at <= len(values) - 3
        assert 0 <= split.p <= 0.5
