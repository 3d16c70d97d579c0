# SPDX-License-Identifier: Apache-2.0
"""A closed capture's figures: groups, calls, statements, timeline."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from nova_profiler.breakdown import (
    DRIVER_GROUPS,
    Span,
    covered_s,
    of_many_lanes,
    of_one_lane,
)
from nova_profiler.current import STRIDE, Capture, Lane, spans_of
from nova_profiler.record import (
    CallTotals,
    GroupTotals,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)
from nova_profiler.sql import (
    database_of,
    fingerprint_of,
    name_of_statement,
)

_Totals = list[Any]  # count, seconds, longest, errors, nested, driver seconds
# Calls of one name whose durations go to statsd one by one.
MAX_DURATIONS = 10
_MYSQL_FAMILY = ("mysql", "mariadb")


class _Calls:
    """The calls of one name in one lane."""

    __slots__ = (
        "engine",
        "group",
        "lane",
        "name",
        "nested",
        "samples",
        "text",
    )

    def __init__(
        self,
        lane: Lane,
        group: str,
        name: str,
        samples: list[float],
        nested: bool = False,
        engine: Any = None,
        text: str = "",
    ) -> None:
        self.lane = lane
        self.group = group
        self.name = name
        self.samples = samples
        self.nested = nested
        self.engine = engine
        self.text = text

    def sums(self) -> tuple[int, float, float, float]:
        """Return count, seconds, longest, sum of the third figures."""
        samples = self.samples
        if len(samples) == STRIDE:
            spent = samples[1] - samples[0]
            sums = 1, spent, spent, samples[2]
        else:
            spans = spans_of(samples)
            extra = sum(samples[2::STRIDE])
            sums = len(spans), sum(spans), max(spans, default=0.0), extra
        tally = self.lane.tallies and self.lane.tallies.get(id(samples))
        if not tally:
            return sums
        return (
            sums[0] + tally.count,
            sums[1] + tally.total_s,
            max(sums[2], tally.max_s),
            sums[3] + tally.extra,
        )

    def errors(self) -> dict[float, str]:
        """Return the names of the calls' errors by when they began."""
        return {
            start: name
            for samples, start, name in self.lane.errors
            if samples is self.samples
        }

    def kept(self) -> Iterator[tuple[float, float, float]]:
        """Yield start, end and third figure of each call still known."""
        tally = self.lane.tallies.get(id(self.samples))
        chunks = [*tally.chunks, self.samples] if tally else [self.samples]
        for chunk in chunks:
            for i in range(0, len(chunk), STRIDE):
                yield chunk[i], chunk[i + 1], chunk[i + 2]


def _calls_of(lane: Lane) -> Iterator[_Calls]:
    for key, samples in lane.calls.items():
        yield _Calls(lane, key.group, key.name, samples, not key.outermost)
    for group, by_engine in (("sql", lane.sql), ("fetch", lane.fetches)):
        for engine, by_text in by_engine.items():
            for text, samples in by_text.items():
                name = name_of_statement(text)
                yield _Calls(lane, group, name, samples, False, engine, text)


def _used_lanes(capture: Capture) -> list[Lane]:
    return [
        lane
        for lane in capture.lanes
        if lane.calls or lane.sql or lane.fetches
    ]


def close_into(
    record: RequestRecord, capture: Capture, duration_s: float
) -> None:
    """Fill groups, calls, breakdown and counts of *record*."""
    lanes = _used_lanes(capture)
    if not lanes:
        main = capture.main
        waiting_s = min(main.waiting_python_s, duration_s)
        record.breakdown_ms = {"python": (duration_s - waiting_s) * 1000}
        if waiting_s:
            record.breakdown_ms["waiting"] = waiting_s * 1000
    else:
        calls = [call for lane in lanes for call in _calls_of(lane)]
        by_group = _sum_up(record, calls, capture.max_calls)
        alone = len(lanes) == 1 and lanes[0] is capture.main
        _fill_groups(record, by_group, calls, len(lanes) == 1)
        _fill_breakdown(record, capture, calls, by_group, duration_s, alone)
    lookups = sum(lane.config_lookups for lane in capture.lanes)
    if lookups:
        record.counts["config_lookups"] = lookups
    if capture.late_calls:
        record.counts["late_calls"] = capture.late_calls


def _sum_up(
    record: RequestRecord, calls: list[_Calls], max_calls: int
) -> dict[str, list[float]]:
    """Fill the record's calls; return [count, seconds] by group."""
    rows: dict[tuple[str, str], _Totals] = {}
    by_group: dict[str, list[float]] = {}
    counted = kept = 0
    for call in calls:
        count, total_s, max_s, extra = call.sums()
        counted += count
        if call.lane.tallies:
            kept += sum(1 for _ in call.kept())
        else:
            kept += count
        row = rows.get((call.group, call.name))
        if row is None:
            row = rows[call.group, call.name] = [0, 0.0, 0.0, 0, 0, 0.0]
        row[0] += count
        if call.lane.errors:
            row[3] += len(call.errors())
        if call.nested:
            row[4] += count
            continue
        row[1] += total_s
        row[2] = max(row[2], max_s)
        row[5] += extra
        _add_durations(record, call, count, total_s)
        group = by_group.setdefault(call.group, [0, 0.0])
        group[0] += count
        group[1] += total_s
    record.calls = [
        CallTotals(
            group,
            name,
            row[0],
            row[1] * 1000,
            row[2] * 1000,
            row[3],
            row[4],
            row[5] * 1000 if group == "db_api" else None,
        )
        for (group, name), row in rows.items()
    ]
    record.dropped_calls = counted - min(kept, max_calls)
    return by_group


def _add_durations(
    record: RequestRecord, call: _Calls, count: int, total_s: float
) -> None:
    """Keep the first durations of each name, and the sum of the others."""
    key = (call.group, call.name)
    listed, more, more_ms = record.durations.get(key, ([], 0, 0.0))
    if count == 1 and len(listed) < MAX_DURATIONS:
        listed.append(total_s * 1000)
    else:
        room = MAX_DURATIONS - len(listed)
        first = [
            (end - start) * 1000
            for start, end, _ in islice(call.kept(), max(0, room))
        ]
        listed += first
        more += count - len(first)
        more_ms += total_s * 1000 - sum(first)
    record.durations[key] = (listed, more, max(0.0, more_ms))


def _fill_groups(
    record: RequestRecord,
    by_group: dict[str, list[float]],
    calls: list[_Calls],
    serial: bool,
) -> None:
    for group, (count, total_s) in by_group.items():
        wall_s = total_s
        if not serial:
            kept = [
                (start, end)
                for call in calls
                if call.group == group and not call.nested
                for start, end, _ in call.kept()
            ]
            # Calls that were only added up are taken as not overlapping.
            lost_s = total_s - sum(end - start for start, end in kept)
            wall_s = covered_s(kept) + max(0.0, lost_s)
        record.groups[group] = GroupTotals(
            int(count), total_s * 1000, min(wall_s, total_s) * 1000
        )


def _fill_breakdown(
    record: RequestRecord,
    capture: Capture,
    calls: list[_Calls],
    by_group: dict[str, list[float]],
    duration_s: float,
    alone: bool,
) -> None:
    main = capture.main
    capped = any(lane.tallies for lane in capture.lanes)
    if (alone and "timed" not in by_group) or capped:
        own = [call for call in calls if call.lane is main and not call.nested]
        seconds: dict[str, float] = {}
        for call in own:
            seconds[call.group] = seconds.get(call.group, 0.0) + call.sums()[1]
        buckets = of_one_lane(
            duration_s,
            {g: seconds[g] for g in DRIVER_GROUPS if g in seconds},
            seconds.get("db_api", 0.0),
            main.db_api_driver_s,
            main.waiting_db_api_s,
            main.waiting_python_s,
        )
    else:
        spans: tuple[list[Span], list[Span]] = ([], [])
        for call in calls:
            side = spans[call.lane is not main]
            for start, end, _ in call.kept():
                side.append(
                    Span(
                        call.group,
                        start - capture.started,
                        end - capture.started,
                    )
                )
        buckets = of_many_lanes(
            duration_s,
            *spans,
            main.waiting_db_api_s,
            main.waiting_python_s,
        )
    record.breakdown_ms = {b: s * 1000 for b, s in buckets.items()}


def fill_details(record: RequestRecord, capture: Capture) -> None:
    """Fill the statements and the timeline of *record*, for a dump."""
    lanes = _used_lanes(capture)
    if capture.main in lanes:
        numbers = {id(lane): n for n, lane in enumerate(lanes)}
    else:
        numbers = {id(lane): n for n, lane in enumerate(lanes, 1)}
    index: dict[tuple[str, str], int] = {}
    rows: list[_Totals] = []
    entries: list[TimelineEntry] = []
    for lane in lanes:
        for call in _calls_of(lane):
            place = _statement_place(call, index, rows)
            entries += _entries(call, capture, numbers[id(lane)], place)
    entries.sort(key=lambda entry: entry.start_ms)
    record.timeline = entries[: capture.max_calls]
    record.statements = [
        StatementTotals(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4] * 1000,
            row[5] * 1000,
            # A driver that counts its rows said so when it executed.
            row[6] or row[9],
            row[7],
            row[8],
        )
        for row in rows
    ]


def db_api_calls_of(capture: Capture) -> list[tuple[str, float]]:
    """Return module.function and seconds of each DB API call, in order."""
    calls = [
        (start, key.label, end - start)
        for lane in capture.lanes
        for key, samples in lane.calls.items()
        if key.group == "db_api" and key.outermost
        for start, end, _ in _Calls(lane, "db_api", "", samples).kept()
    ]
    calls.sort()
    return [(label, spent) for _, label, spent in calls[: capture.max_calls]]


def _statement_place(
    call: _Calls, index: dict[tuple[str, str], int], rows: list[_Totals]
) -> int | None:
    """Add *call* to its statement's row; return which row that is."""
    if call.engine is None:
        return None
    escapes = call.engine.dialect.name in _MYSQL_FAMILY
    text = fingerprint_of(call.text, escapes)
    engine = database_of(call.engine)
    place = index.setdefault((text, engine), len(rows))
    if place == len(rows):
        rows.append([text, call.name, engine, 0, 0.0, 0.0, 0, 0, 0, 0])
    row = rows[place]
    count, total_s, max_s, row_count = call.sums()
    if call.group == "fetch":
        row[9] += int(row_count)
        return place
    row[3] += count
    row[4] += total_s
    row[5] = max(row[5], max_s)
    row[6] += int(row_count)
    row[7] += len(call.errors())
    row[8] += call.lane.executemany.get(call.text, 0)
    return place


def _entries(
    call: _Calls, capture: Capture, lane: int, place: int | None
) -> Iterator[TimelineEntry]:
    errors = call.errors() if call.lane.errors else {}
    has_rows = call.engine is not None
    for start, end, extra in call.kept():
        yield TimelineEntry(
            call.group,
            call.name,
            (start - capture.started) * 1000,
            (end - start) * 1000,
            lane,
            int(extra) if has_rows else None,
            errors.get(start),
            call.nested,
            place,
        )
