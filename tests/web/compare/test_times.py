# SPDX-License-Identifier: Apache-2.0
"""Times of pages are compared as those of kept runs are."""

from __future__ import annotations

import math

import pytest
from builders import numbered, written
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from web_pages import still_index

from nova_profiler.reading.runs.compare.comparison import Limits, compared
from nova_profiler.web.compare.times import (
    TimesOfSides,
    evenly,
    rank_sum,
    spread,
)

TIMES = st.lists(st.integers(1, 30).map(float), min_size=1, max_size=40)


@given(TIMES, TIMES)
def test_rank_sums_are_those_of_mann_and_whitney(a, b):
    """Ties included."""
    found = rank_sum(a, b)
    u = found["rank_sum_b"] - len(b) * (len(b) + 1) / 2
    values = [*a, *b]

    assert u == pytest.approx(mannwhitneyu(b, a).statistic)
    assert found["ties"] == sum(
        values.count(one) ** 3 - values.count(one) for one in set(values)
    )


@given(TIMES, st.integers(1, 10))
def test_times_are_taken_evenly(values, most):
    """In their order, no more than asked for."""
    values.sort()
    found = evenly(values, most)

    assert len(found) == min(most, len(values))
    assert found == sorted(found)
    assert set(found) <= set(values)


def test_whole_milliseconds_are_spread():
    """Equal ones over the millisecond that they stand for."""
    assert spread([3.0, 3.0, 4.0]) == [2.75, 3.25, 4.0]
    assert spread([3.5, 3.5]) == [3.5, 3.5]


def rows_of(tmp_path, name, factor, **fields):
    """Return thirty rows of two routes, *factor* times as long."""
    (tmp_path / name).mkdir()
    records = [
        numbered(n, duration_ms=factor * (100.3 + n), route=route, **fields)
        for n in range(30)
        for route in ("/v2.1/servers", "/v2.1/flavors")
    ]
    written(tmp_path / name, *records)
    return still_index(tmp_path / name).rows


def test_a_slower_side_is_found(tmp_path):
    """With the route, the factor and how sure it is."""
    a = rows_of(tmp_path, "a", 1.0)
    b = rows_of(tmp_path, "b", 2.0)

    found = compared(("A", "B"), TimesOfSides(a, b, as_one=False), Limits())

    assert [change.verdict for change in found.changes] == ["slower"] * 2
    assert {change.route for change in found.changes} == {
        "/v2.1/servers",
        "/v2.1/flavors",
    }
    for change in found.changes:
        assert math.isclose(change.change, 1.0, rel_tol=0.05)
        assert change.p < 1e-6


def test_a_whole_side_can_be_one_route(tmp_path):
    """As where two routes are compared with each other."""
    a = rows_of(tmp_path, "a", 1.0)
    b = rows_of(tmp_path, "b", 1.0)

    [change] = compared(
        ("A", "B"), TimesOfSides(a, b, as_one=True), Limits()
    ).changes

    assert (change.verdict, change.a.calls) == ("no change", 60)


def test_failed_requests_are_counted_and_not_timed(tmp_path):
    """What they did not do took no time."""
    a = rows_of(tmp_path, "a", 1.0)
    b = rows_of(tmp_path, "b", 5.0, status=503)

    changes = compared(
        ("A", "B"), TimesOfSides(a, b, as_one=False), Limits()
    ).changes

    assert [change.verdict for change in changes] == ["failed in B"] * 2
    assert [change.b.failed for change in changes] == [30, 30]
