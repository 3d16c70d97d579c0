# SPDX-License-Identifier: Apache-2.0
"""Rule: one service is asked several things, each after the one before."""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.reading.advice.callers import caller_words
from nova_profiler.reading.advice.far_services import (
    FarRequest,
    far_request,
    project_of,
)
from nova_profiler.reading.advice.findings import Finding, within
from nova_profiler.reading.record_calls import CallsAround, covered_ms
from nova_profiler.record import RequestRecord, TimelineEntry

_Row = list[tuple[FarRequest, TimelineEntry]]

_MOST_ROUTES = 3
# Clocks are read a moment apart.
_NOISE_MS = 0.001


def found(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for each row of requests that only read.

    What is asked again and again under one name is another rule's.
    """
    around = None
    for service, row in _rows(record):
        routes = list(dict.fromkeys(asked.what for asked, _ in row))
        if len(routes) < 2:
            continue
        entries = [entry for _, entry in row]
        longest_ms = max(float(entry.ms) for entry in entries)
        covered = covered_ms(entries, record.duration_ms)
        shown = ", ".join(routes[:_MOST_ROUTES])
        if routes[_MOST_ROUTES:]:
            shown += f" and {len(routes) - _MOST_ROUTES} more"
        around = around or CallsAround(record)
        yield Finding(
            f"{project_of(service)} ({shown})",
            within(record, covered - longest_ms),
            len(row),
            caller_words(entries, around),
        )


def _rows(record: RequestRecord) -> Iterator[tuple[str, _Row]]:
    """Yield requests to one service that one call made, in their order.

    A request that changes something ends a row: the order may matter.
    """
    rows: dict[tuple[float, float | None, str], _Row] = {}
    for entry in sorted(record.timeline or (), key=_start):
        asked = None if entry.nested else far_request(entry)
        if asked is None:
            continue
        place = (entry.lane, entry.parent, asked.service)
        row = rows.setdefault(place, [])
        if row and not (asked.is_read and _is_after(row[-1][1], entry)):
            yield asked.service, row
            row = rows[place] = []
        if asked.is_read:
            row.append((asked, entry))
    for (_, _, service), row in rows.items():
        yield service, row


def _is_after(before: TimelineEntry, entry: TimelineEntry) -> bool:
    return entry.start_ms >= before.start_ms + before.ms - _NOISE_MS


def _start(entry: TimelineEntry) -> float:
    return entry.start_ms
