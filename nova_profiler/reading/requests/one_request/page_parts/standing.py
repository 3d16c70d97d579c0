# SPDX-License-Identifier: Apache-2.0
"""Where a request stands among the others of its route."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from nova_profiler.reading.requests.distribution import (
    Step,
    distribution_of,
)

# Fewer have no distribution.
_LEAST = 5


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

    None where there are too few. Its steps are those of the route's page.
    """
    ordered = sorted(ms for ms in durations_ms if 0 < ms < math.inf)
    if len(ordered) < _LEAST or not 0 < own_ms < math.inf:
        return None
    found = distribution_of(ordered)
    if found is None:
        return None
    place = bisect_right(found.steps, own_ms, key=lambda step: step.low_ms) - 1
    return Standing(
        route,
        len(ordered),
        len(ordered) - bisect_right(ordered, own_ms),
        found.percentiles_ms[50],
        found.percentiles_ms[99],
        found.steps,
        max(0, place),
    )
