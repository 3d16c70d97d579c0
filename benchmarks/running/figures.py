# SPDX-License-Identifier: Apache-2.0
"""Measured values beside the limits that they have to keep."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """A median between its quartiles."""

    q25: float
    median: float
    q75: float


class Figure(NamedTuple):
    """One figure to reach: a measured value and its limit."""

    label: str
    value: float | None
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None if it was not measured."""
        if self.value is None:
            return None
        if self.at_least:
            return self.value >= self.limit
        return self.value <= self.limit


def spread_of(values: Sequence[float]) -> Spread:
    """Return the median of *values* and its quartiles."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))
