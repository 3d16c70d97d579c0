# SPDX-License-Identifier: Apache-2.0
"""Finds where a series changed its level, from ranks only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.intp]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

# A level has at least this many runs.
LEAST_RUNS = 3

# All orders of up to this many pairs are counted. With more, and with a side
# that is no longer tiny, the normal distribution gives the same p.
_MOST_PAIRS = 1500
_TINY = 12

_NORMAL = NormalDist()


class Split(NamedTuple):
    """The values from *at* on differ from those before them."""

    at: int
    p: float


def splits_of(values: Sequence[float], chance: float) -> list[Split]:
    """Return where the level of *values* changed, in order.

    The best split in two is taken if its p is at most half of *chance*.
    The other half of it is for a stretch that differs from the values
    before and after it: a fault and its repair. Each part is then searched
    in the same way.
    """
    return sorted(_splits(values, 0, len(values), chance))


def _splits(
    values: Sequence[float], start: int, end: int, chance: float
) -> Iterator[Split]:
    part = values[start:end]
    found = best_split(part)
    if not found or found[0].p > chance / 2:
        found = best_stretch(part)
    if not found or found[0].p > chance / 2:
        return
    edges = [start, *(start + split.at for split in found), end]
    for left, right in pairwise(edges):
        yield from _splits(values, left, right, chance)
    for split in found:
        yield Split(start + split.at, min(1.0, 2 * split.p))


def best_split(values: Sequence[float]) -> list[Split]:
    """Return the split in two with the smallest p, or an empty list.

    The rank sum test (Mann and Whitney, two-sided) tries each place with
    LEAST_RUNS values on both sides; p is corrected for their number.
    """
    count = len(values)
    ends = np.arange(LEAST_RUNS, count - LEAST_RUNS + 1)
    end, p = _best(values, np.zeros_like(ends), ends)
    return [Split(end[1], p)] if end else []


def best_stretch(values: Sequence[float]) -> list[Split]:
    """Return both ends of the stretch with the smallest p, or nothing.

    Each stretch is compared with all the rest; p is corrected for their
    number.
    """
    count = len(values)
    starts, ends = np.triu_indices(count + 1, LEAST_RUNS)
    is_inside = (starts >= LEAST_RUNS) & (ends <= count - LEAST_RUNS)
    stretch, p = _best(values, starts[is_inside], ends[is_inside])
    return [Split(place, p) for place in stretch]


def _best(
    values: Sequence[float], starts: Indices, ends: Indices
) -> tuple[tuple[int, ...], float]:
    """Return the stretch that stands out most, and its p."""
    if not len(starts):
        return (), 1.0
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(_middle_ranks(values))])
    sizes = ends - starts
    pairs_won = sums[ends] - sums[starts] - sizes * (sizes + 1) / 2
    pairs = sizes * (count - sizes)
    apart = np.abs(pairs_won - pairs / 2) / np.sqrt(pairs)
    best = int(apart.argmax())
    size = int(sizes[best])
    p = rank_sum_p(size, count - size, float(pairs_won[best]))
    place = (int(starts[best]), int(ends[best]))
    return place, min(1.0, p * len(starts))


def rank_sum_p(first: int, second: int, pairs_won: float) -> float:
    """Return the two-sided p of *pairs_won* among first x second pairs."""
    pairs = first * second
    # Ties give halves; rounding towards the middle makes p larger.
    low = math.ceil(min(pairs_won, pairs - pairs_won))
    if pairs <= _MOST_PAIRS or min(first, second) <= _TINY:
        counts = _counts(min(first, second), max(first, second))
        tail = sum(counts[: low + 1]) / math.comb(first + second, first)
        return min(1.0, 2 * tail)
    sd = math.sqrt(pairs * (first + second + 1) / 12)
    return min(1.0, 2 * _NORMAL.cdf((low + 0.5 - pairs / 2) / sd))


@lru_cache(maxsize=4096)
def _counts(small: int, large: int) -> tuple[int, ...]:
    """Return how many orders win 0, 1, 2 ... pairs, up to half of them.

    The coefficients of the Gaussian binomial: for each i up to *small*
    multiply by 1 - q^(large + i), divide by 1 - q^i.
    """
    # Only scipy.stats has these counts; to import it takes half as long as
    # the whole command.
    most = small * large // 2
    counts = [1] + [0] * most
    for i in range(1, small + 1):
        for power in range(most, large + i - 1, -1):
            counts[power] -= counts[power - large - i]
        for power in range(i, most + 1):
            counts[power] += counts[power - i]
    return tuple(counts)


def _middle_ranks(values: Sequence[float]) -> Floats:
    """Return the rank of each value from 1; equal ones share the middle."""
    _, places, counts = np.unique(
        values, return_inverse=True, return_counts=True
    )
    middles: Floats = np.cumsum(counts) - (counts - 1) / 2
    return middles[places]
