# SPDX-License-Identifier: Apache-2.0
"""How many requests took how long, in steps that grow by one factor."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_profiler.reading.requests.calls_by_route import percentile

_MOST_STEPS = 48
# So many to a factor of ten; fewer where times are far apart.
_STEPS_OF_TEN = (40, 20, 10, 5, 2, 1)
_LEAST_MS = 0.01
MARKED = (50, 90, 99)
# Of one, no distance can be read.
_FEWEST_TICKS = 3


class Step(NamedTuple):
    """Requests that took at least ``low_ms`` and less than ``high_ms``."""

    low_ms: float
    high_ms: float
    requests: int


class Distribution(NamedTuple):
    """The steps from the shortest request to the longest, empty ones too.

    ``percentiles_ms`` are those of MARKED, each by nearest rank.
    """

    steps: list[Step]
    percentiles_ms: dict[int, float]

    def place(self, ms: float) -> float:
        """Return where *ms* is between the ends, 0 to 1, by its logarithm."""
        low = math.log(max(_LEAST_MS, self.steps[0].low_ms))
        high = math.log(self.steps[-1].high_ms)
        at = (math.log(max(_LEAST_MS, ms)) - low) / (high - low)
        return max(0.0, min(1.0, at))

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values, without the empty steps."""
        return {
            "percentiles_ms": {
                f"p{percent}": round(ms, 3)
                for percent, ms in self.percentiles_ms.items()
            },
            "steps": [step._asdict() for step in self.steps if step.requests],
        }


def distribution_of(
    durations_ms: Sequence[float], edges_ms: Sequence[float] | None = None
) -> Distribution | None:
    """Return how *durations_ms* are spread; None of none.

    *edges_ms* are ends of steps that another distribution has, too.
    """
    if not durations_ms:
        return None
    in_order = sorted(durations_ms)
    edges = edges_ms or edges_of(in_order[0], in_order[-1])
    counts = [0] * (len(edges) - 1)
    for ms in in_order:
        step = bisect_right(edges, ms) - 1
        counts[max(0, min(len(counts) - 1, step))] += 1
    return Distribution(
        [
            Step(edges[n], edges[n + 1], count)
            for n, count in enumerate(counts)
        ],
        {percent: percentile(in_order, percent) for percent in MARKED},
    )


def edges_of(shortest_ms: float, longest_ms: float) -> list[float]:
    """Return ends of steps from *shortest_ms* to above *longest_ms*."""
    low = math.log10(max(_LEAST_MS, shortest_ms))
    high = math.log10(max(_LEAST_MS, longest_ms))
    per_ten = next(
        (n for n in _STEPS_OF_TEN if n * (high - low) + 2 <= _MOST_STEPS),
        _STEPS_OF_TEN[-1],
    )
    first = math.floor(low * per_ten)
    last = max(first, math.floor(high * per_ten)) + 1
    edges = [_rounded(10 ** (n / per_ten)) for n in range(first, last + 1)]
    # Rounding may have put the ends on the wrong side.
    edges[0] = min(edges[0], max(0.0, shortest_ms))
    if edges[-1] <= longest_ms:
        edges.append(_rounded(10 ** ((last + 1) / per_ten)))
    return edges


def ticks_of(low_ms: float, high_ms: float) -> list[float]:
    """Return times to write at an axis: five or so, each a round number.

    Of ends that are near each other, those of even steps.
    """
    low_ms = max(_LEAST_MS, low_ms)
    decades = range(-2, 16)
    for steps in ((1.0, 2.0, 5.0), (1.0,)):
        found = [
            step * 10.0**decade
            for decade in decades
            for step in steps
            if low_ms <= step * 10.0**decade <= high_ms
        ]
        if len(found) <= 7:
            break
    if len(found) < _FEWEST_TICKS and high_ms > low_ms:
        found = _even_ticks(low_ms, high_ms) or found
    return found[:: max(1, -(-len(found) // 7))]


def _even_ticks(low_ms: float, high_ms: float) -> list[float]:
    least = (high_ms - low_ms) / 5
    decade = 10.0 ** math.floor(math.log10(least))
    steps = (one * decade for one in (1.0, 2.0, 5.0))
    step = next((one for one in steps if one >= least), 10.0 * decade)
    first, last = math.ceil(low_ms / step), math.floor(high_ms / step)
    # Of ends that are all but equal there is no number between.
    ticks = [n * step for n in range(first, min(last, first + 6) + 1)]
    return [ms for ms in ticks if low_ms <= ms <= high_ms]


def _rounded(ms: float) -> float:
    return float(f"{ms:.4g}")
