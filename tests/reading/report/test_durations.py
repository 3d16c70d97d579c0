# SPDX-License-Identifier: Apache-2.0
"""Percentiles: exact for few, within a known error for many."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.report.durations import (
    QUANTILE_ERROR,
    Batch,
    Durations,
)

MS = st.floats(0, 1e9, allow_subnormal=False) | st.integers(0, 5).map(float)


def of(values, is_exact=True) -> Durations:
    durations = Durations(is_exact)
    if values:
        durations.add(Batch(values, 1000.0))
    return durations


def test_percentiles_by_hand():
    """The smallest value that so many do not exceed."""
    durations = of([float(number) for number in range(1, 11)])

    assert durations.percentiles_ms(50, 90, 99, 100) == [5, 9, 10, 10]
    assert (durations.count, durations.mean_ms) == (10, 5.5)
    assert (durations.shortest_ms, durations.longest_ms) == (1, 10)


def test_slow_from_the_limit_on():
    """A call of just that long is slow."""
    durations = of([999.9, 1000.0, 2000.0, 1.0])

    assert (durations.slow, durations.slow_share) == (2, 0.5)


def test_nothing():
    """No call is no error."""
    durations = of([])

    assert durations.percentiles_ms(50, 99) == [0.0, 0.0]
    assert (durations.mean_ms, durations.slow_share) == (0.0, 0.0)
    assert list(durations.spread()) == []


@given(st.lists(MS, min_size=1, max_size=200), st.integers(0, 100))
def test_a_histogram_is_within_its_error(values, percent):
    """All but percentiles stay as they were; these by 1 % at most."""
    exact, about = of(values), of(values)
    about.collapse()

    assert not about.is_exact
    (right,) = exact.percentiles_ms(percent)
    (found,) = about.percentiles_ms(percent)
    assert abs(found - right) <= right * QUANTILE_ERROR * 1.001 + 1e-9
    for name in ("count", "slow", "total_ms", "shortest_ms", "longest_ms"):
        assert getattr(about, name) == getattr(exact, name)


@given(
    st.lists(st.tuples(st.lists(MS, max_size=20), st.booleans()), max_size=6)
)
def test_parts_add_up(parts):
    """In whichever way the parts were kept."""
    whole = of([ms for values, _ in parts for ms in values])
    merged = Durations()

    for values, is_exact in parts:
        part = pickle.dumps(of(values, is_exact))
        merged.merge(pickle.loads(part))  # made just now

    assert merged.count == whole.count
    assert merged.slow == whole.slow
    assert merged.longest_ms == whole.longest_ms
    assert merged.total_ms == whole.total_ms
    assert sum(count for _, count in merged.spread()) == whole.count
    for found, right in zip(
        merged.percentiles_ms(50, 99), whole.percentiles_ms(50, 99),
        strict=True,
    ):  # fmt: skip
        assert abs(found - right) <= right * QUANTILE_ERROR * 1.001 + 1e-9
