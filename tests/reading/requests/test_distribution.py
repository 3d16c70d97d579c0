# SPDX-License-Identifier: Apache-2.0
"""Every request is in one step of a distribution, outliers as well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.requests.distribution import (
    distribution_of,
    edges_of,
    ticks_of,
)

DURATIONS = st.floats(0, 1e12, allow_nan=False)


@given(st.lists(DURATIONS, min_size=1, max_size=60))
def test_each_request_is_in_one_step(durations):
    """Within its ends, which a link chooses by; few steps are enough."""
    found = distribution_of(durations)

    assert sum(step.requests for step in found.steps) == len(durations)
    assert len(found.steps) <= 50
    for step in found.steps:
        inside = [ms for ms in durations if step.low_ms <= ms < step.high_ms]
        assert len(inside) == step.requests


def test_percentiles_and_an_outlier():
    """One slow request of a thousand has a step of its own."""
    durations = [100.0 + n % 10 for n in range(999)] + [60_000.0]

    found = distribution_of(durations)

    assert found.percentiles_ms == {50: 104.0, 90: 108.0, 99: 109.0}
    assert found.fields()["steps"][-1]["requests"] == 1


def test_two_distributions_have_the_same_steps():
    """So that they can stand one above the other."""
    edges = edges_of(1.0, 1000.0)

    one = distribution_of([1.0, 2.0], edges)
    other = distribution_of([1000.0], edges)

    assert [s.low_ms for s in one.steps] == [s.low_ms for s in other.steps]
    assert other.steps[-1].requests == 1


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.1), (0.0, 1e9), (90.0, 4000.0), (5.0, 5.0)]
)
def test_few_times_stand_at_the_axis(low, high):
    """Each within it."""
    ticks = ticks_of(low, high)

    assert len(ticks) <= 7
    assert all(low <= ms <= high for ms in ticks)


@pytest.mark.parametrize(
    ("low", "high", "some"),
    [(631.0, 944.1, 700.0), (5.0, 5.3, 5.1), (90.0, 230.0, 150.0)],
)
def test_times_near_each_other_have_an_axis(low, high, some):
    """No distance could be read of one number."""
    ticks = ticks_of(low, high)

    assert len(ticks) >= 3
    assert any(ms == pytest.approx(some) for ms in ticks)


def test_none_of_none():
    """Of no requests there is no distribution."""
    assert distribution_of([]) is None
