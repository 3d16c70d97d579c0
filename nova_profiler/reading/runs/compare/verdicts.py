# SPDX-License-Identifier: Apache-2.0
"""Which routes got slower or faster, with how much certainty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scipy.special import stdtr, stdtrit

from nova_profiler.reading.runs import FEW_CALLS, RouteKey
from nova_profiler.reading.runs.compare.shifts import Drift, Shift

SLOWER = "slower"
FASTER = "faster"
NO_CHANGE = "no change"
FEW = "few"
FAILED_A = "failed in A"
FAILED_B = "failed in B"
FAILED_BOTH = "failed in both"
ONLY_A = "only in A"
ONLY_B = "only in B"

# The degrees of freedom that a route adds to the wobble: less than one, as the
# wobble is estimated from the calmer part of the routes.
_FREEDOM_OF_A_ROUTE = 0.75


class Limits(NamedTuple):
    """How sure and how large a change must be, as parts of one.

    Beyond the last two the comparison fails; None is no limit.
    """

    confidence: float = 0.99
    least_change: float = 0.05
    fail_above: float | None = None
    fail_all_above: float | None = None

    @property
    def is_gate(self) -> bool:
        """Return whether the comparison can fail."""
        return self.most_drift is not None

    @property
    def most_drift(self) -> float | None:
        """Return by how much the run as a whole may be slower.

        The default is twice the limit of a route: a whole run also moves
        with its machine.
        """
        if self.fail_all_above is not None or self.fail_above is None:
            return self.fail_all_above
        return 2 * self.fail_above


class SideFigures(NamedTuple):
    """The figures of a route on one side; failed requests are not timed."""

    calls: int = 0
    failed: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None


class RouteChange(NamedTuple):
    """One route on both sides.

    ``change`` is the route's own: the move of the whole run is taken out of
    it and of its interval, unless some routes did not move with the others.
    ``p`` is corrected for the number of routes. ``detectable`` is the
    smallest change that this many calls would show. ``all_change`` includes
    the move of the whole run.
    """

    method: str
    route: str
    a: SideFigures
    b: SideFigures
    verdict: str
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None
    all_change: float | None = None


class _Test(NamedTuple):
    p: float
    error: float
    freedom: float


def side_figures(
    rows: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str, str], SideFigures]:
    """Return the figures by side, method and route."""
    return {
        (row["side"], row["method"], row["route"]): SideFigures(
            row["calls"], row["failed"], row["p50_ms"], row["p99_ms"]
        )
        for row in rows
    }


def changes_of(
    figures: Mapping[tuple[str, str, str], SideFigures],
    shifts: Mapping[RouteKey, Shift],
    drift: Drift,
    rank_rows: Iterable[Mapping[str, Any]],
    limits: Limits,
) -> list[RouteChange]:
    """Return each route with its verdict, the most slowed first."""
    tests = {
        (row["method"], row["route"]): _test(row, shifts, drift)
        for row in rank_rows
        if min(row["calls_a"], row["calls_b"]) >= FEW_CALLS
    }
    corrected = holm({key: test.p for key, test in tests.items()})
    # Holm's method asks this p of the surest of the routes.
    strictest = (1 - limits.confidence) / max(1, len(tests))
    changes = []
    for method, route in sorted({key[1:] for key in figures}):
        a = figures.get(("a", method, route), SideFigures())
        b = figures.get(("b", method, route), SideFigures())
        change = RouteChange(method, route, a, b, _standing(a, b))
        key = (method, route)
        if key in shifts:
            change = _with_shift(change, shifts[key], drift, limits)
        if key in tests:
            change = change._replace(
                p=corrected[key],
                detectable=_detectable(tests[key], strictest, limits),
            )
            change = change._replace(verdict=_verdict(change, limits))
        changes.append(change)
    return sorted(changes, key=_order)


def holm(values: Mapping[RouteKey, float]) -> dict[RouteKey, float]:
    """Return the p values corrected for their number (Holm's method).

    So the chance that any unchanged route is called changed stays below one
    minus the confidence.
    """
    corrected = {}
    largest = 0.0
    for place, key in enumerate(sorted(values, key=values.__getitem__)):
        largest = max(largest, values[key] * (len(values) - place))
        corrected[key] = min(1.0, largest)
    return corrected


def _test(
    row: Mapping[str, Any], shifts: Mapping[RouteKey, Shift], drift: Drift
) -> _Test:
    """Return the p value of the rank sum test (Mann and Whitney).

    The engine adds up the ranks, since it has the times; so this is the
    normal approximation with ties and a continuity correction, as scipy's
    mannwhitneyu has it, and then Student's t for the wobble.
    """
    a, b = int(row["calls_a"]), int(row["calls_b"])
    count = a + b
    ties = float(row["ties"]) / (count * (count - 1))
    variance = a * b / 12 * (count + 1 - ties)
    apart = float(row["rank_sum_b"]) - b * (count + 1) / 2
    t = 0.0
    if variance > 0:
        t = max(0.0, abs(apart) - 0.5) / math.sqrt(variance)
    own = shifts[row["method"], row["route"]].error
    error = math.hypot(own, drift.wobble)
    freedom = _freedom(drift, error)
    # A route that wobbles from run to run is less certain by that much, and
    # the wobble is itself an estimate.
    if error > 0:
        t *= own / error
    return _Test(2 * float(stdtr(freedom, -t)), error, freedom)


def _freedom(drift: Drift, error: float) -> float:
    """Return the degrees of freedom of *error* (Welch, Satterthwaite).

    Infinite without a wobble: Student's t is then the normal deviate.
    """
    if not drift.wobble:
        return math.inf
    share = (drift.wobble / error) ** 2
    return _FREEDOM_OF_A_ROUTE * drift.routes / share**2


def _detectable(test: _Test, p: float, limits: Limits) -> float:
    least = _deviate(p, test.freedom) * test.error
    return math.expm1(max(least, math.log1p(limits.least_change)))


def _deviate(p: float, freedom: float) -> float:
    """Return the Student's t that has the two-sided *p*."""
    return -float(stdtrit(freedom, p / 2))


def _with_shift(
    change: RouteChange, shift: Shift, drift: Drift, limits: Limits
) -> RouteChange:
    freedom = _freedom(drift, math.hypot(shift.error, drift.wobble))
    wide = drift.wobble * _deviate(1 - limits.confidence, freedom)
    beyond = shift.log_ratio - drift.taken_out
    below = math.hypot(shift.log_ratio - shift.low, wide)
    above = math.hypot(shift.high - shift.log_ratio, wide)
    return change._replace(
        change=math.expm1(beyond),
        low=math.expm1(beyond - below),
        high=math.expm1(beyond + above),
        all_change=math.expm1(shift.log_ratio),
    )


def _standing(a: SideFigures, b: SideFigures) -> str:
    if not a.calls + a.failed:
        return ONLY_B
    if not b.calls + b.failed:
        return ONLY_A
    # A side may have requests and no times.
    all_failed = (not a.calls, not b.calls)
    return {
        (False, False): FEW,
        (True, False): FAILED_A,
        (False, True): FAILED_B,
        (True, True): FAILED_BOTH,
    }[all_failed]


def _verdict(change: RouteChange, limits: Limits) -> str:
    if change.p is None or change.change is None:
        return FEW
    if change.p > 1 - limits.confidence or (
        abs(math.log1p(change.change)) < math.log1p(limits.least_change)
    ):
        return NO_CHANGE
    return SLOWER if change.change > 0 else FASTER


VERDICTS = (
    FAILED_B,
    SLOWER,
    FASTER,
    NO_CHANGE,
    FEW,
    FAILED_A,
    FAILED_BOTH,
    ONLY_B,
    ONLY_A,
)


def _order(change: RouteChange) -> tuple[int, float, str, str]:
    moved = abs(change.change or 0.0)
    return (
        VERDICTS.index(change.verdict),
        -moved if change.verdict in (SLOWER, FASTER) else 0.0,
        change.route,
        change.method,
    )
