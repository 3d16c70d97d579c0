# SPDX-License-Identifier: Apache-2.0
"""Where a request stands among the others of its route."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from nova_profiler.reading.requests.calls_by_route import percentile

STEPS = 32
# Fewer have no distribution.
_LEAST = 5


class Step(NamedTuple):
    """A bar of the histogram: how many took ``low_ms`` to ``high_ms``.

    ``low_ms`` belongs to it, ``high_ms`` to the next one.
    """

    low_ms: float
    high_ms: float
    requests: int


class Standing(NamedTuple):
    """The requests of a route, and the place of one of them.

    ``slower`` of them took longer; ``place`` is the step that it is in.
    """

    route: str
    requests: int
    slower: int
    p50_ms: float
    p99_ms: float
    steps: list[Step]
    place: int

    @property
    def share_quicker(self) -> float:
        """Return the share of the others that took no longer."""
        return 1 - self.slower / max(1, self.requests - 1)

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        fields = self._asdict()
        fields["p50_ms"] = round(self.p50_ms, 3)
        fields["p99_ms"] = round(self.p99_ms, 3)
        fields["steps"] = [one._asdict() for one in self.steps]
        return fields


def standing_of(
    route: str, own_ms: float, durations_ms: Iterable[float]
) -> Standing | None:
    """Return where *own_ms* stands in *durations_ms*, which have it, too.

    None where there are too few. Steps are as wide as the ratio of their
    ends: half as long and twice as long are as far away.
    """
    ordered = sorted(ms for ms in durations_ms if 0 < ms < math.inf)
    if len(ordered) < _LEAST or not 0 < own_ms < math.inf:
        return None
    low, high = min(ordered[0], own_ms), max(ordered[-1], own_ms)
    edges = _edges(low, high)
    found = [bisect_left(ordered, edge) for edge in edges]
    # The longest is in the last step.
    found[-1] = len(ordered)
    steps = [
        Step(round(edges[n], 3), round(edges[n + 1], 3), until - since)
        for n, (since, until) in enumerate(zip(found, found[1:], strict=False))
    ]
    place = min(len(steps) - 1, bisect_right(edges, own_ms) - 1)
    return Standing(
        route,
        len(ordered),
        len(ordered) - bisect_right(ordered, own_ms),
        percentile(ordered, 50),
        percentile(ordered, 99),
        steps,
        max(0, place),
    )


def _edges(low: float, high: float) -> list[float]:
    """Return the ends of STEPS steps from *low* to above *high*."""
    if high <= low * 1.001:
        low, high = low * 0.99, high * 1.01
    ratio = (high / low) ** (1 / STEPS)
    edges = [low * ratio**step for step in range(STEPS)]
    return [*edges, high * 1.000001]
