# SPDX-License-Identifier: Apache-2.0
"""What a rule finds in one request, and how much time that can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nova_profiler.groups import WAITING
from nova_profiler.reading.record_calls import covered_ms
from nova_profiler.record import RequestRecord, TimelineEntry


class Finding(NamedTuple):
    """Evidence in one request.

    ``saves_ms`` is the most that could be saved. ``about`` is the same for
    the same thing in other requests; ``times`` and ``by`` need not be.
    ``by`` is what made the calls, in words that follow on, or empty.
    ``longest`` is a call with its time in this request.
    """

    about: str
    saves_ms: float
    times: int = 1
    by: str = ""
    longest: str = ""


def parts_of(record: RequestRecord) -> dict[str, float]:
    """Return the breakdown; of waiting, the parts that are known of it."""
    return parts_with(record.parts_ms, record.unnamed_ms)


def parts_with(
    parts_ms: Mapping[str, float], unnamed_ms: Mapping[str, float] | None
) -> dict[str, float]:
    """Return *parts_ms* with the parts of the waiting in its place."""
    parts = dict(parts_ms)
    for name, ms in (unnamed_ms or {}).items():
        parts[name] = parts.get(name, 0.0) + ms
        parts[WAITING.name] = parts.get(WAITING.name, 0.0) - ms
    return parts


def within(record: RequestRecord, ms: float) -> float:
    """Return *ms* as a time that *record* can have."""
    return max(0.0, min(float(ms), float(record.duration_ms)))


def all_but_one_ms(
    record: RequestRecord,
    calls: Sequence[TimelineEntry],
    besides: Sequence[TimelineEntry] = (),
) -> float:
    """Return the most that is saved where one of *calls* stays.

    What stands *besides* them goes away with them.
    """
    shortest_ms = min((float(call.ms) for call in calls), default=0.0)
    covered = covered_ms([*calls, *besides], record.duration_ms)
    return within(record, covered - max(0.0, shortest_ms))


def all_but_one_of_totals_ms(
    record: RequestRecord, count: float, ms: float, max_ms: float
) -> float:
    """Return the same where only the totals of the calls are known."""
    return within(record, min(ms, (count - 1) * max_ms))
