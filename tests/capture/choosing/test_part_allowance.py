# SPDX-License-Identifier: Apache-2.0
"""Parts that are kept for their parents' sake: some at once, few a second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.choosing.part_allowance import (
    MOST_A_SECOND,
    MOST_AT_ONCE,
    PartAllowance,
)


def taken(allowance, times):
    return sum(allowance.take() for _ in range(times))


def test_some_at_once_then_few_a_second(clock):
    """However long there were none before."""
    allowance = PartAllowance(clock)
    clock.advance(1000.0)

    assert taken(allowance, 1000) == MOST_AT_ONCE
    clock.advance(0.5)
    assert taken(allowance, 1000) == MOST_A_SECOND / 2
    clock.advance(1000.0)
    assert taken(allowance, 1000) == MOST_AT_ONCE


@given(st.lists(st.floats(0.0, 10.0), max_size=300))
def test_in_any_time_no_more_than_that(steps):
    """What is refused takes nothing away."""
    now = [0.0]
    allowance = PartAllowance(lambda: now[0])
    count = 0
    for step in steps:
        now[0] += step
        count += allowance.take()

    assert count <= MOST_AT_ONCE + MOST_A_SECOND * now[0] + 1e-6
    if now[0] == 0.0:
        assert count == min(len(steps), MOST_AT_ONCE)
