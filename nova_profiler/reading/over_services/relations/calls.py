# SPDX-License-Identifier: Apache-2.0
"""The calls that records sent, to be found by a key and a moment."""

from __future__ import annotations

import math
from bisect import bisect_right

from nova_profiler.reading.over_services.relations.served import CAST, Sent

# Two clocks of one process, rounded to microseconds and read apart.
TOLERANCE_S = 0.002
# Calls of one name are looked at back from the moment of sending.
_MOST_LOOKED_AT = 64


class Calls:
    """The calls of records by a key, each for one record on the far side."""

    def __init__(self) -> None:
        self._rows: dict[object, list[tuple[float, int, Sent]]] = {}
        self._starts: dict[object, list[float]] = {}
        self._used: set[tuple[int, Sent]] = set()

    def add(self, key: object, place: int, sent: Sent) -> None:
        """Add the call *sent* of the record *place*."""
        self._rows.setdefault(key, []).append((sent.start, place, sent))

    def sort(self) -> None:
        """Make ready for take()."""
        for key, rows in self._rows.items():
            rows.sort(key=lambda row: row[0])
            self._starts[key] = [row[0] for row in rows]

    def take(
        self,
        key: object,
        moment: float,
        taker: int,
        until: float = -math.inf,
    ) -> tuple[int, Sent] | None:
        """Return the last call that began before *moment* and went on then.

        And still at *until*; one of the record *taker* itself is none. One
        that is known to have led to another record comes second, and only if
        its sender does not wait: a fanout leads to many.
        """
        rows = self._rows.get(key)
        if rows is None:
            return None
        after = bisect_right(self._starts[key], moment + TOLERANCE_S)
        again = None
        for _, place, sent in reversed(
            rows[max(0, after - _MOST_LOOKED_AT) : after]
        ):
            if sent.end < max(moment, until) - TOLERANCE_S or place == taker:
                continue
            if (place, sent) not in self._used:
                self._used.add((place, sent))
                return place, sent
            if again is None and sent.how == CAST:
                again = place, sent
        return again
