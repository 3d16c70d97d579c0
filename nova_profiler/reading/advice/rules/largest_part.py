# SPDX-License-Identifier: Apache-2.0
"""Rules for requests of which one kind of waiting is the largest part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nova_profiler.groups import HTTP, Group, Unnamed
from nova_profiler.reading.advice.callers import caller_words
from nova_profiler.reading.advice.far_services import (
    far_request,
    project_of,
)
from nova_profiler.reading.advice.findings import Finding, parts_of, within
from nova_profiler.reading.record_calls import CallsAround
from nova_profiler.record import CallTotals, RequestRecord


def longest_of(
    group: Group,
) -> Callable[[RequestRecord], Iterator[Finding]]:
    """Return the rule for *group*: about the name with the most time."""

    def found(record: RequestRecord) -> Iterator[Finding]:
        ms = record.breakdown_ms.get(group.bucket.name, 0.0)
        call = _longest(record, group)
        if call is not None:
            by = _made_by(record, call)
            yield Finding(call.name, within(record, ms), int(call.count), by)

    return found


def without_names(
    group: Group,
) -> Callable[[RequestRecord], Iterator[Finding]]:
    """Return the rule for a *group* whose calls have no names."""

    def found(record: RequestRecord) -> Iterator[Finding]:
        ms = record.breakdown_ms.get(group.bucket.name, 0.0)
        yield Finding("", within(record, ms))

    return found


def of_waiting(
    part: Unnamed,
) -> Callable[[RequestRecord], Iterator[Finding]]:
    """Return the rule for *part* of the waiting that no group claims."""

    def found(record: RequestRecord) -> Iterator[Finding]:
        parts = parts_of(record)
        ms = parts.get(part.name, 0.0)
        if ms > 0 and ms >= max(parts.values()):
            yield Finding("", within(record, ms))

    return found


def of_a_service(record: RequestRecord) -> Iterator[Finding]:
    """Yield a finding for the service that HTTP requests waited for most."""
    by_service: dict[str, list[CallTotals]] = {}
    for call in record.calls:
        asked = far_request(call)
        if call.group == HTTP.name and asked is not None:
            by_service.setdefault(asked.service, []).append(call)
    if not by_service:
        return
    service, calls = max(by_service.items(), key=lambda one: _sum_ms(one[1]))
    longest = max(calls, key=_ms)
    whole_ms = record.breakdown_ms.get(HTTP.bucket.name, 0.0)
    yield Finding(
        project_of(service),
        within(record, min(whole_ms, _sum_ms(calls))),
        int(sum(call.count for call in calls)),
        _made_by(record, longest),
        f"{longest.name} {longest.ms:.1f} ms",
    )


def _longest(record: RequestRecord, group: Group) -> CallTotals | None:
    calls = (call for call in record.calls if call.group == group.name)
    return max(calls, key=_ms, default=None)


def _made_by(record: RequestRecord, call: CallTotals) -> str:
    """Return what made the longest of the calls that *call* adds up."""
    entries = [
        entry
        for entry in record.timeline or ()
        if (entry.group, entry.name) == (call.group, call.name)
    ]
    if not entries:
        return ""
    longest = max(entries, key=lambda entry: entry.ms)
    return caller_words([longest], CallsAround(record))


def _ms(call: CallTotals) -> float:
    return call.ms


def _sum_ms(calls: list[CallTotals]) -> float:
    return sum(call.ms for call in calls)
