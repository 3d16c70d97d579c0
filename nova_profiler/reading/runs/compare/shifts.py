# SPDX-License-Identifier: Apache-2.0
"""The factor by which times moved, of a route and of a whole run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from scipy.special import bdtr

from nova_profiler.reading.runs import FEW_CALLS, RouteKey

# With this many routes, a move that most of them share is the run's and not
# a route's.
MANY_ROUTES = 8

# The wobble is estimated from the calmer part of the routes, as some of the
# others may really have changed. The mean square is that of this part of a
# standard normal distribution. More than the largest wobble would be a change
# of many routes, which must not hide itself.
_CALM_PART = 0.9
_CALM_MEAN_SQUARE = 0.623
_LARGEST_WOBBLE = 0.05
# The error is the slope of the quantiles within this many standard deviations
# of the rank statistic.
_ERROR_SPAN = 1.5


class Shift(NamedTuple):
    """How a route's times moved, as the logarithm of a factor."""

    log_ratio: float
    error: float
    low: float
    high: float
    calls: int


class Drift(NamedTuple):
    """The move that the routes of a run have in common.

    ``log_ratio`` is the move of all routes, ``wobble`` the standard
    deviation of a route beside the others between equal runs, ``routes``
    the number of routes behind both; 0 for too few. ``span`` is how far the
    runs of side a lie apart as wholes; 0 for one.
    """

    log_ratio: float
    low: float
    high: float
    wobble: float
    routes: int
    span: float = 0.0
    is_taken_out: bool = True

    @property
    def taken_out(self) -> float:
        """Return the part of ``log_ratio`` that is not a route's own."""
        return self.log_ratio if self.is_taken_out else 0.0

    @property
    def ratio(self) -> float:
        """Return the factor by which the times of side b are divided."""
        return math.exp(self.taken_out)

    @property
    def is_usual(self) -> bool:
        """Return whether the runs of side a lie as far apart themselves."""
        return abs(self.log_ratio) <= self.span

    @property
    def is_wobble_the_largest(self) -> bool:
        """Return whether the wobble may be larger than the estimate can be."""
        return self.wobble > 0.99 * _LARGEST_WOBBLE


NO_DRIFT = Drift(0.0, 0.0, 0.0, 0.0, 0)


class Sample(NamedTuple):
    """Times of a route on one side, and the number of its calls."""

    calls: int
    log_ms: list[float]


Samples = dict[str, dict[RouteKey, Sample]]


def samples_of(rows: Iterable[Mapping[str, Any]]) -> Samples:
    """Return the order statistics in *rows* by side and route.

    A row has side, method, route, size (the calls of that side) and value.
    """
    samples: Samples = {}
    for row in rows:
        routes = samples.setdefault(row["side"], {})
        sample = routes.setdefault(
            (row["method"], row["route"]), Sample(row["size"], [])
        )
        sample.log_ms.append(math.log(row["value"]))
    return samples


def shifts_of(
    a: Mapping[RouteKey, Sample],
    b: Mapping[RouteKey, Sample],
    confidence: float = 0.99,
) -> dict[RouteKey, Shift]:
    """Return the shift of each route that both sides have.

    It is the median of all ratios of a time of b to one of a (Hodges and
    Lehmann), which holds for times of any distribution; its interval comes
    from the ranks.
    """
    return {
        key: _shift(sample, b[key], confidence)
        for key, sample in a.items()
        if key in b
    }


def _shift(a: Sample, b: Sample, confidence: float) -> Shift:
    ratios = np.subtract.outer(b.log_ms, a.log_ms).ravel()
    # Of the share of pairs in which b is slower, for two equal sides.
    sd = math.sqrt((a.calls + b.calls + 1) / (12 * a.calls * b.calls))
    wide = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    at = np.clip(
        0.5 + sd * np.array([-wide, -_ERROR_SPAN, 0.0, _ERROR_SPAN, wide]),
        0.0,
        1.0,
    )
    low, below, middle, above, high = np.quantile(ratios, at).tolist()
    return Shift(
        log_ratio=middle,
        error=(above - below) / (2 * _ERROR_SPAN),
        low=low,
        high=high,
        calls=min(a.calls, b.calls),
    )


def drift_of(
    shifts: Mapping[RouteKey, Shift],
    baseline: Sequence[Mapping[RouteKey, Shift]] = (),
) -> Drift:
    """Return the move that the routes have in common, NO_DRIFT of a few.

    Two runs of the same software on two machines, or on one at two hours,
    differ as a whole. In one pair of runs that looks like a change that
    slows every route alike, so it is shown apart. *baseline* are the shifts
    from each run of side a to the next, if it has several: they show the
    wobble better than the two sides do.
    """
    counted = _counted(shifts)
    if len(counted) < MANY_ROUTES:
        return NO_DRIFT
    moves = sorted(one.log_ratio for one in counted)
    low, high = _median_interval(moves)
    middle = statistics.median(moves)
    steps = [
        pair for pair in map(_counted, baseline) if len(pair) >= MANY_ROUTES
    ]
    pairs = steps or [counted]
    wobble = _wobble(pairs)
    # B differs from the mean of several runs by less than from one of them.
    wobble *= math.sqrt((1 + 1 / (len(steps) + 1)) / 2)
    return Drift(middle, low, high, wobble, sum(map(len, pairs)), _span(steps))


def _counted(shifts: Mapping[RouteKey, Shift]) -> list[Shift]:
    return [one for one in shifts.values() if one.calls >= FEW_CALLS]


def _span(steps: Sequence[Sequence[Shift]]) -> float:
    """Return how far the runs before and after *steps* lie apart."""
    moves = (
        statistics.median(one.log_ratio for one in step) for step in steps
    )
    places = list(accumulate(moves, initial=0.0))
    return max(places) - min(places)


def _median_interval(moves: Sequence[float]) -> tuple[float, float]:
    """Return the moves between which their median lies, at 99 % or more."""
    count = len(moves)
    # The median has at most n of the moves below it as often as a coin that
    # is tossed for each of them shows at most n heads.
    tails = bdtr(np.arange(count // 2), count, 0.5)
    below = max(0, int(np.count_nonzero(tails <= 0.005)) - 1)
    return moves[below], moves[-1 - below]


def _wobble(pairs: Sequence[Sequence[Shift]]) -> float:
    """Return how far routes lie apart beyond the error of each."""
    apart = np.concatenate([_apart(pair) for pair in pairs])
    errors = np.array([one.error for pair in pairs for one in pair])

    def excess(wobble: float) -> float:
        squares = np.sort(apart**2 / np.maximum(errors**2 + wobble**2, 1e-18))
        calm = squares[: max(1, int(len(squares) * _CALM_PART))]
        return float(calm.mean()) / _CALM_MEAN_SQUARE

    if excess(0.0) <= 1:
        return 0.0
    low, high = 0.0, _LARGEST_WOBBLE
    for _step in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 1 else (low, middle)
    return high


def _apart(pair: Sequence[Shift]) -> np.ndarray[Any, Any]:
    moves = np.array([one.log_ratio for one in pair])
    return np.asarray(moves - np.median(moves))
