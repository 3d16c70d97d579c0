# SPDX-License-Identifier: Apache-2.0
"""Rules: connections to databases that are opened or tested too often."""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.groups import CONNECT, DRIVER_GROUPS, PING
from nova_profiler.reading.advice.findings import (
    Finding,
    all_but_one_ms,
    within,
)
from nova_profiler.record import RequestRecord, TimelineEntry

_A_DATABASE = "the database"


def opened(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding where the request opened a connection at all."""
    totals = record.groups.get(CONNECT.name)
    if totals is not None and totals.calls > 0:
        saves_ms = within(record, totals.wall_ms)
        yield Finding(_A_DATABASE, saves_ms, int(totals.calls))


def opened_again(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for a database that one thread connects to again."""
    opened_by: dict[tuple[float, str], list[TimelineEntry]] = {}
    for entry in record.timeline or ():
        if entry.group == CONNECT.name and not entry.nested:
            place = (entry.lane, entry.name)
            opened_by.setdefault(place, []).append(entry)
    for (_, name), entries in opened_by.items():
        if len(entries) > 1:
            saves_ms = all_but_one_ms(record, entries)
            yield Finding(name or _A_DATABASE, saves_ms, len(entries))


def mostly_tested(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding where tests are half of the driver's time."""
    totals = record.groups.get(PING.name)
    if totals is None or totals.calls <= 0:
        return
    driver_ms = sum(
        record.groups[name].ms
        for name in DRIVER_GROUPS
        if name in record.groups
    )
    if 0 < driver_ms <= 2 * totals.ms:
        saves_ms = within(record, totals.wall_ms)
        yield Finding(_A_DATABASE, saves_ms, int(totals.calls))
