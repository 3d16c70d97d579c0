# SPDX-License-Identifier: Apache-2.0
"""Where a request stands in its route: its rank, and a histogram."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.requests.one_request.page_parts.standing import (
    standing_of,
)


def test_the_rank_and_the_percentiles():
    """The request is one of the others; equal ones are no slower."""
    durations = [float(n) for n in range(1, 101)]

    standing = standing_of("GET /", 98.0, durations)

    assert (standing.requests, standing.slower) == (100, 2)
    assert (standing.p50_ms, standing.p99_ms) == (50.0, 99.0)
    assert round(standing.share_quicker, 4) == 1 - round(2 / 99, 4)


def test_few_requests_have_no_distribution():
    """Four say nothing of a fifth."""
    assert standing_of("GET /", 4.0, [1.0, 2.0, 3.0, 4.0]) is None
    assert standing_of("GET /", math.nan, [1.0] * 9) is None


@given(
    st.lists(
        st.floats(0.001, 1e9) | st.sampled_from([5.0, 5.0001, 1e9]),
        min_size=5,
        max_size=40,
    ),
    st.data(),
)
def test_each_request_is_in_one_step(durations, data):
    """And this one in the step that is marked."""
    own = data.draw(st.sampled_from(durations))

    standing = standing_of("GET /", own, durations)

    assert len(standing.steps) <= 50
    assert sum(step.requests for step in standing.steps) == len(durations)
    here = standing.steps[standing.place]
    assert here.low_ms <= own < here.high_ms
