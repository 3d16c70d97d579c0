# SPDX-License-Identifier: Apache-2.0
"""Means over requests and their standard errors."""

from __future__ import annotations

import statistics

import pytest

from nova_profiler.web.together.spread import Spread


def test_requests_without_the_figure_count_zero():
    """In the mean and in its error."""
    spread = Spread()
    spread.add(4.0)
    spread.add(8.0)
    values = [4.0, 8.0, 0.0, 0.0]

    assert spread.mean(4) == 3.0
    assert spread.error(4) == pytest.approx(statistics.stdev(values) / 2)


def test_one_request_has_no_error():
    """Nor have none."""
    spread = Spread()

    assert (spread.mean(0), spread.error(1)) == (0.0, 0.0)
