# SPDX-License-Identifier: Apache-2.0
"""By which factor times moved: of a route, and of a run as a whole."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from scipy.special import bdtr

RouteKey = tuple[str, str]

# Fewer calls than these tell nothing that is worth a word.
FEW_CALLS = 20
# From so many routes on, they are each other's measure: what most of them
# share is the run's, not the route's.
MANY_ROUTES = 8

# The calmer part of the routes tells how much all of them wobble: some of the
# others may really have changed. Beside it the mean square of that part of a
# standard normal distribution. What would be more than the largest wobble is
# a change of many routes and must not hide itself.
_CALM_PART = 0.9
_CALM_MEAN_SQUARE = 0.623
_LARGEST_WOBBLE = 0.05
# Standard deviations of the rank statistic between which the error is read.
_ERROR_SPAN = 1.5


class Shift(NamedTuple):
    """How a route's times moved, as the logarithm of a factor."""

    log_ratio: float
    error: float
    low: float
    high: float
    calls: int


class Drift(NamedTuple):
    """What the routes of a run have in common.

    ``log_ratio`` is by how much all of them moved, ``wobble`` how far a
    route moves beside the others from run to run for no reason of its own
    (a standard deviation), ``routes`` how many say so; 0 for too few.
    ``span`` is how far the runs of side a lie apart as wholes; 0 for one.
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
        """Return the part of ``log_ratio`` that is no route's own."""
        return self.log_ratio if self.is_taken_out else 0.0

    @property
    def ratio(self) -> float:
        """Return the factor that is divided out of side b."""
        return math.exp(self.taken_out)

    @property
    def is_usual(self) -> bool:
        """Tell whether the runs of side a lie as far apart themselves."""
        return abs(self.log_ratio) <= self.span

    @property
    def is_wobble_the_largest(self) -> bool:
        """Tell whether the wobble may be more than is ever allowed for."""
        return self.wobble > 0.99 * _LARGEST_WOBBLE


NO_DRIFT = Drift(0.0, 0.0, 0.0, 0.0, 0)


class Sample(NamedTuple):
    """Times of a route on one side, and how many calls they stand for."""

    calls: int
    log_ms: list[float]


Samples = dict[str, dict[RouteKey, Sample]]


def samples_of(rows: Iterable[Mapping[str, Any]]) -> Samples:
    """Return by side and route what order statistics in *rows* say.

    Each has side, method, route, size (the calls of that side) and value.
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
    Lehmann), which takes no shape of the times for granted; its interval
    comes from the ranks.
    """
    return {
        key: _shift(sample, b[key], confidence)
        for key, sample in a.items()
        if key in b
    }


def _shift(a: Sample, b: Sample, confidence: float) -> Shift:
    ratios = np.subtract.outer(b.log_ms, a.log_ms).ravel()
    # Of the share of pairs in which b is slower, were both sides alike.
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
    """Return what the routes have in common, if they are many enough.

    Two runs of the same software on two machines, or on one at two hours,
    differ as a whole. One pair of runs cannot tell that from a change that
    slows every route alike; it is shown apart. *baseline* are the shifts
    from each run of side a to the next, if it has several: they tell the
    wobble better than the two sides can.
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
    # Of a difference to the mean of several runs, not to one of them.
    wobble *= math.sqrt((1 + 1 / (len(steps) + 1)) / 2)
    return Drift(middle, low, high, wobble, sum(map(len, pairs)), _span(steps))


def _counted(shifts: Mapping[RouteKey, Shift]) -> list[Shift]:
    return [one for one in shifts.values() if one.calls >= FEW_CALLS]


def _span(steps: Sequence[Sequence[Shift]]) -> float:
    """Return how far the runs lie apart between which are *steps*."""
    moves = (
        statistics.median(one.log_ratio for one in step) for step in steps
    )
    places = list(accumulate(moves, initial=0.0))
    return max(places) - min(places)


def _median_interval(moves: Sequence[float]) -> tuple[float, float]:
    """Return between which of *moves* their median lies, at least 99 %."""
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
