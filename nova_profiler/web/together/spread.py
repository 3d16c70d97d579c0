# SPDX-License-Identifier: Apache-2.0
"""The mean of a figure over requests, and how sure it is."""

from __future__ import annotations

import math


class Spread:
    """A figure of many requests; one that lacks it counts 0."""

    __slots__ = ("squares", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self.squares = 0.0

    def add(self, value: float) -> None:
        """Add the figure of one request."""
        self.total += value
        self.squares += value * value

    def mean(self, requests: int) -> float:
        """Return the mean over *requests*, 0 of none."""
        return self.total / requests if requests else 0.0

    def error(self, requests: int) -> float:
        """Return the standard error of the mean; 0 of fewer than two."""
        if requests < 2:
            return 0.0
        mean = self.total / requests
        variance = max(0.0, self.squares / requests - mean * mean)
        return math.sqrt(variance / (requests - 1))
