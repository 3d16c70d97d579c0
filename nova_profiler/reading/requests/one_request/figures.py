# SPDX-License-Identifier: Apache-2.0
"""The content of a request's page, as plain figures."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova_profiler.groups import (
    COUNTS,
    DB_API,
    FETCH,
    LABELS,
    LOG_LINE_GROUPS,
    UNNAMED,
    WAITING,
    Group,
)
from nova_profiler.profiles import STACKS, WAITING_FOR_GIL
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.record_calls import SHORTEST_MS, merged_spans
from nova_profiler.reading.record_words import profile_notes
from nova_profiler.reading.screen.terminal import counted, ms_text
from nova_profiler.record import (
    CallTotals,
    GroupTotals,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

_LONGEST = 20_000
_COLUMNS = re.compile(r"\bSELECT\s[^()]{20,}?\sFROM\s", re.IGNORECASE)

# Less is no part of a page.
SHOWN_MS = 0.0005

# The sum of parallel calls exceeds their cover by more than this.
_ROUNDING_MS = 0.1


# So much of a request, in so many looks, is worth a sentence.
_GIL_SHARE, _FEWEST_LOOKS = 0.25, 5


class Part(NamedTuple):
    """A part of the request's time."""

    name: str
    label: str
    ms: float
    share: float


class Lane(NamedTuple):
    """One thread's calls: its merged spans of time, in milliseconds."""

    number: int
    spans: list[tuple[float, float]]
    busy_ms: float


def db_api_share(record: RequestRecord) -> float | None:
    """Return the part of the request in which a DB API call ran.

    Each moment counts once, however many calls ran in it. None if no call
    was recorded.
    """
    totals = record.groups.get(DB_API.name)
    if totals is None or not totals.calls:
        return None
    if record.duration_ms < SHORTEST_MS:
        return None
    return totals.wall_ms / record.duration_ms


def buckets_of(record: RequestRecord) -> list[Part]:
    """Return the breakdown, largest part first, without empty parts."""
    whole = max(record.duration_ms, SHORTEST_MS)
    return [
        Part(name, LABELS.get(name, name), ms, ms / whole)
        for name, ms in sorted(
            record.parts_ms.items(), key=lambda item: -item[1]
        )
        if ms >= SHOWN_MS
    ]


def inside(record: RequestRecord, bucket: Part) -> list[Part]:
    """Return what *bucket* consists of, where the record knows it."""
    if bucket.name != WAITING.name or bucket.ms <= 0:
        return []
    share = bucket.share / bucket.ms
    parts = record.unnamed_ms or {}
    return [
        Part(one.name, one.label, parts[one.name], parts[one.name] * share)
        for one in UNNAMED
        if parts.get(one.name, 0.0) >= SHOWN_MS
    ]


def gil_sentence(record: RequestRecord, profile: Profile | None) -> str:
    """Return what stacks saw of waiting for the GIL, empty if that is little.

    The breakdown cannot tell it: a call ends only once its thread runs again.
    """
    if not isinstance(profile, StackTree) or profile.engine != STACKS:
        return ""
    if profile.number < _FEWEST_LOOKS:
        return ""
    gil_ms = 1000 * profile.time_in(WAITING_FOR_GIL)
    share = gil_ms / max(record.duration_ms, SHORTEST_MS)
    # More than all of it was seen where several threads worked for it.
    if not _GIL_SHARE <= share <= 1.01:
        return ""
    return (
        f"of this the stacks saw {ms_text(gil_ms)} ms waiting for the GIL, "
        "which other threads of the worker held; a call's time contains such "
        "a wait, so what it called may be quick"
    )


def group_sentences(record: RequestRecord) -> list[str]:
    """Return in words what each group of the log line took.

    "db_api 15 calls 840.0 ms, 26.9 % of the call; driver 188.3 ms of it,
    the rest SQLAlchemy and what else runs inside".
    """
    sentences = []
    for group in LOG_LINE_GROUPS:
        totals = record.groups.get(group.name)
        if totals is None or not totals.calls:
            continue
        sentence = _calls_in_words(group, totals, record)
        driver_ms = [
            call.driver_ms
            for call in calls_of(record, group.name)
            if call.driver_ms is not None
        ]
        if driver_ms:
            sentence += (
                f"; driver {sum(driver_ms):.1f} ms of it, the rest "
                f"SQLAlchemy and what else runs inside"
            )
        sentences.append(sentence)
    return sentences


def calls_of(record: RequestRecord, group: str) -> list[CallTotals]:
    """Return the totals of *group*, the longest first."""
    return sorted(
        (call for call in record.calls if call.group == group),
        key=lambda call: -call.ms,
    )


def slowest_statements(
    record: RequestRecord,
) -> list[tuple[StatementTotals, float]]:
    """Return each statement and how long its rows were fetched, in ms.

    The one with the longest time of both first. Only calls in the timeline
    are known to fetch the rows of a statement.
    """
    fetch_ms: dict[float, float] = {}
    for entry in record.timeline or ():
        if entry.group == FETCH.name and entry.statement is not None:
            known = fetch_ms.get(entry.statement, 0.0)
            fetch_ms[entry.statement] = known + float(entry.ms)
    return sorted(
        (
            (row, fetch_ms.get(place, 0.0))
            for place, row in enumerate(record.statements or ())
        ),
        key=lambda item: -(item[0].ms + item[1]),
    )


def condensed(row: StatementTotals) -> str:
    """Return a statement without its lists of columns.

    Statements differ in their tables and conditions. Where capture cut the
    text within the columns, only its name is left.
    """
    text = _COLUMNS.sub("SELECT ... FROM ", str(row.statement)[:_LONGEST])
    if text.endswith(" ...") and " FROM " not in text.upper():
        return f"{row.name} (its text was cut within the columns)"
    return text


def lanes_of(record: RequestRecord) -> list[Lane]:
    """Return the lanes with recorded calls, in their order."""
    lanes: dict[int, list[TimelineEntry]] = {}
    for entry in record.timeline or ():
        lanes.setdefault(int(entry.lane), []).append(entry)
    return [
        Lane(number, spans, sum(end - start for start, end in spans))
        for number in sorted(lanes)
        for spans in [merged_spans(lanes[number], record.duration_ms)]
    ]


def is_parallel(totals: GroupTotals) -> bool:
    """Return whether calls of a group ran side by side."""
    return totals.ms - totals.wall_ms > _ROUNDING_MS


def notes_of(record: RequestRecord) -> list[str]:
    """Return what a reader must know to take the figures rightly."""
    notes = []
    if record.dropped_calls:
        notes.append(
            f"{counted(record.dropped_calls, 'call')} beyond max_calls: in "
            f"the totals, missing from the timeline"
        )
    for name, count in sorted(record.counts.items()):
        if count:
            notes.append(_count_note(name, count))
    notes.extend(profile_notes(record))
    return notes


def routine_notes(record: RequestRecord) -> list[str]:
    """Return those of the notes that count what each request does."""
    return [
        _count_note(one.name, record.counts[one.name])
        for one in COUNTS
        if record.counts.get(one.name)
    ]


_COUNT_NOTES = {
    "late_calls": ("call", " ended after the request, left out"),
    "unfinished_work": (
        "piece",
        " of work in threads went on after the request: not in this record",
    ),
    "unclaimed_calls": (
        "hook event",
        " meanwhile in threads of no known request, maybe of this one",
    ),
    **{count.name: (count.noun, count.rest) for count in COUNTS},
}


def _count_note(name: str, count: int) -> str:
    if name not in _COUNT_NOTES:
        return f"{name}: {count}"
    noun, rest = _COUNT_NOTES[name]
    return counted(count, noun) + rest


def _calls_in_words(
    group: Group, totals: GroupTotals, record: RequestRecord
) -> str:
    number = counted(totals.calls, group.noun)
    text = f"{group.name} {number} {totals.ms:.1f} ms"
    ms = totals.ms
    if is_parallel(totals):
        ms = totals.wall_ms
        text += f" added up, {ms:.1f} ms of the clock"
    if record.duration_ms >= SHORTEST_MS:
        text += f", {100 * ms / record.duration_ms:.1f} % of the call"
    return text
