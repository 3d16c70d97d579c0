# SPDX-License-Identifier: Apache-2.0
"""What held each moment of a request."""

from __future__ import annotations

import pytest

from nova_profiler.reading.follow.story import Held
from nova_profiler.reading.follow.summary import held_shares

LEAST_S = 5e-324


def held(*spans):
    return Held("nova", False, 1.0, 1.0, 1, 0, 0.0, 0, 0.0, spans)


def test_a_cell_has_the_part_that_was_held():
    """Of its own time."""
    assert held_shares(held((0.0, 1.5), (3.0, 4.0)), 4.0, 4) == (
        pytest.approx([1.0, 0.5, 0.0, 1.0])
    )


@pytest.mark.parametrize("whole_s", [0.0, LEAST_S, 3 * LEAST_S])
def test_the_shortest_time_that_there_is_has_no_parts(whole_s):
    """A record may have it."""
    shares = held_shares(held((0.0, whole_s)), whole_s, 10)

    assert len(shares) == 10
    assert all(0 <= share <= 1 for share in shares)
