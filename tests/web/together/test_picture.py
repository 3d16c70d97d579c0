# SPDX-License-Identifier: Apache-2.0
"""Bars and marks of a distribution stand within their picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.requests.distribution import distribution_of
from nova_profiler.web.together.picture import picture_of

DURATIONS = st.floats(0, 1e12, allow_nan=False)


@given(st.lists(DURATIONS, min_size=1, max_size=20))
def test_the_picture_stays_within_its_box(durations):
    """Whatever the times are."""
    found = distribution_of(durations)
    picture = picture_of(found, 1000.0, lambda step: "")

    for bar in picture.bars:
        assert 0 <= bar.left <= bar.left + bar.width <= 1 + 1e-9
        assert 0 < bar.height <= 1
    for mark in (*picture.marks, *picture.ticks):
        assert 0 <= mark.left <= 1


def test_an_outlier_has_a_bar():
    """One slow request of a thousand is seen, and known as slow."""
    durations = [100.0 + n % 10 for n in range(999)] + [60_000.0]
    found = distribution_of(durations)

    picture = picture_of(found, 1000.0, lambda step: f"{step.low_ms:g}")

    assert [bar.is_slow for bar in picture.bars] == [False, True]
    assert picture.bars[-1].words.startswith("1 took")
    assert [mark.text for mark in picture.marks][0] == "p50 104 ms"
