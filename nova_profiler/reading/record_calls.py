# SPDX-License-Identifier: Apache-2.0
"""The calls of a record's timeline: what is around them, what they cover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_profiler.groups import DB_API
from nova_profiler.record import RequestRecord, TimelineEntry

# Records have microseconds: a shorter time gives no shares.
SHORTEST_MS = 0.001
# Calls within each other are looked at this far.
DEEPEST = 30


class CallsAround:
    """Which calls of a record are around another one."""

    def __init__(self, record: RequestRecord) -> None:
        self._by_id = {entry.id: entry for entry in record.timeline or ()}

    def of(self, entry: TimelineEntry) -> Iterator[TimelineEntry]:
        """Yield the calls around *entry*, the innermost first."""
        around = entry
        for _ in range(DEEPEST):
            # A damaged dump may go round in a circle: parents stand before.
            if around.parent is None or around.parent == around.id:
                return
            before = self._by_id.get(around.parent)
            if before is None or (before.id or 0) >= (around.id or 0):
                return
            yield before
            around = before

    def db_api_of(self, entry: TimelineEntry) -> str | None:
        """Return the innermost DB API function around *entry*."""
        for around in self.of(entry):
            if around.group == DB_API.name:
                return around.name
        return None


def merged_spans(
    entries: Iterable[TimelineEntry], until_ms: float
) -> list[tuple[float, float]]:
    """Return the times in which any of *entries* ran, merged, in order."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(
        (
            max(0.0, float(entry.start_ms)),
            min(until_ms, float(entry.start_ms) + float(entry.ms)),
        )
        for entry in entries
    ):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def covered_ms(entries: Iterable[TimelineEntry], until_ms: float) -> float:
    """Return how long any of *entries* ran, each moment counted once."""
    return sum(end - start for start, end in merged_spans(entries, until_ms))
