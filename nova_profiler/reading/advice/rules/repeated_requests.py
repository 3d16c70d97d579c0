# SPDX-License-Identifier: Apache-2.0
"""Rule: another service is asked the same more than once in a request."""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.groups import HTTP_GROUPS
from nova_profiler.reading.advice.callers import caller_words
from nova_profiler.reading.advice.far_services import far_request
from nova_profiler.reading.advice.findings import (
    Finding,
    all_but_one_ms,
    all_but_one_of_totals_ms,
)
from nova_profiler.reading.record_calls import CallsAround
from nova_profiler.record import CallTotals, RequestRecord
from nova_profiler.routes import ID


def same(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for each route that is read more than once."""
    for call, finding in _repeated(record):
        if ID not in call.name:
            yield finding


def of_one_each(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for each route with an id that is read repeatedly."""
    for call, finding in _repeated(record):
        if ID in call.name:
            yield finding


def _repeated(
    record: RequestRecord,
) -> Iterator[tuple[CallTotals, Finding]]:
    around = None
    for call in record.calls:
        times = int(call.count - call.nested)
        if call.group not in HTTP_GROUPS or times < 2:
            continue
        asked = far_request(call)
        if asked is None or not asked.is_read:
            continue
        entries = [
            entry
            for entry in record.timeline or ()
            if (entry.group, entry.name) == (call.group, call.name)
            and not entry.nested
        ]
        if len(entries) < times:
            saves_ms = all_but_one_of_totals_ms(
                record, times, call.ms, call.max_ms
            )
        else:
            saves_ms = all_but_one_ms(record, entries)
        around = around or CallsAround(record)
        by = caller_words(entries, around)
        yield call, Finding(call.name, saves_ms, times, by)
