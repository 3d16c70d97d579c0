# SPDX-License-Identifier: Apache-2.0
"""What a comparison fails for: limits that were passed, or no comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nova_profiler.reading.runs.compare.shifts import FEW_CALLS, Drift
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    SLOWER,
    Limits,
    RouteChange,
)


def failures_of(
    changes: Sequence[RouteChange], drift: Drift, limits: Limits
) -> Iterator[str]:
    """Yield each limit that was passed, in one line."""
    yield from _of_all(drift, limits)
    if limits.fail_above is None:
        return
    for change in changes:
        name = f"{change.method} {change.route}"
        slower = change.change or 0.0
        if change.verdict == SLOWER and slower > limits.fail_above:
            yield (
                f"{name} is {100 * slower:.1f} % slower; the limit is "
                f"{100 * limits.fail_above:g} %"
            )
        elif (
            change.verdict == FAILED_B
            and min(change.a.calls, change.b.failed) >= FEW_CALLS
        ):
            yield f"{name}: all {change.b.failed} calls in B failed"


def _of_all(drift: Drift, limits: Limits) -> Iterator[str]:
    most = limits.most_drift
    slower = math.expm1(drift.log_ratio)
    if most is None or slower <= max(most, limits.least_change):
        return
    # With few routes the interval reaches from the least moved to the most:
    # a single one that stayed must not excuse all the others.
    doubt = ""
    if drift.low <= 0:
        low, high = 100 * math.expm1(drift.low), 100 * math.expm1(drift.high)
        doubt = f" ({low:+.1f} to {high:+.1f}: too unsure to pass)"
    yield (
        f"all routes together are {100 * slower:.1f} % slower{doubt}; the "
        f"limit is {100 * most:g} %"
    )


def nothing_compared(changes: Sequence[RouteChange]) -> str | None:
    """Return why no route could be compared; None if one could."""
    if any(change.p is not None for change in changes):
        return None
    for side, figures in (
        ("A", [change.a for change in changes]),
        ("B", [change.b for change in changes]),
    ):
        if not any(one.calls for one in figures):
            failed = sum(one.failed for one in figures)
            return f"all {failed} requests of {side} failed"
    if not any(change.a.calls and change.b.calls for change in changes):
        return "no route has requests on both sides that did not fail"
    return f"no route has {FEW_CALLS} calls on both sides that did not fail"
