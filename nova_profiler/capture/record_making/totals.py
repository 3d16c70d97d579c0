# SPDX-License-Identifier: Apache-2.0
"""A closed capture's figures: its groups, calls and breakdown."""

from __future__ import annotations

from typing import Any

from nova_profiler.capture.lanes import Capture, Lane, Samples
from nova_profiler.capture.record_making.breakdown import (
    DRIVER_GROUPS,
    Span,
    covered_s,
    of_many_lanes,
    of_one_lane,
)
from nova_profiler.capture.sql import name_of_statement
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord

# Calls of one name whose durations go to statsd one by one.
MAX_DURATIONS = 10

# Group, name, the samples, whether they are of nested calls.
Named = tuple[str, str, Samples, bool]
# The fields of CallTotals, while they are added up.
_Row = list[Any]
_COUNT, _MS, _MAX_MS, _ERRORS, _NESTED, _DRIVER_MS = range(2, 8)


def close_into(
    record: RequestRecord, capture: Capture, duration_s: float
) -> None:
    """Fill groups, calls, breakdown and counts of *record*."""
    main = capture.main
    lanes = capture.lanes
    if capture.late_calls:
        record.counts["late_calls"] = capture.late_calls
    if capture.lanes_missing:
        record.counts["lanes_missing"] = capture.lanes_missing
    lookups = 0
    for lane in lanes:
        lookups += lane.config_lookups
    if lookups:
        record.counts["config_lookups"] = lookups
    if len(lanes) > 1:
        lanes = used_lanes(capture)
    elif not main.driver_s and not main.calls and not main.sql:
        _fill_empty(record, main, duration_s)
        return
    rows: dict[tuple[str, str], _Row] = {}
    by_group: dict[str, list[Any]] = {}
    kept = 0
    # Once for all that follows: a long statement is slow to name.
    named = [named_samples(lane) for lane in lanes]
    for lane, names in zip(lanes, named, strict=True):
        kept += _add_up(lane, names, rows, by_group, record)
    if not by_group and not rows:
        _fill_empty(record, main, duration_s)
        return
    # As CallTotals(*row) does, without its keyword handling.
    record.calls = [_new(CallTotals, row) for row in rows.values()]
    counted = sum([pair[0] for pair in by_group.values()])
    counted += sum([row[_NESTED] for row in rows.values()])
    record.dropped_calls = counted - min(kept, capture.max_calls)
    _fill_groups(record, by_group, lanes, named, duration_s)
    buckets = _buckets(record, capture, lanes, named, by_group, duration_s)
    record.breakdown_ms = {b: s * 1000 for b, s in buckets.items()}


def _fill_empty(record: RequestRecord, main: Lane, duration_s: float) -> None:
    """Fill the breakdown of a request in which nothing was called."""
    waiting_s = min(main.waiting_python_s, duration_s)
    record.breakdown_ms["python"] = (duration_s - waiting_s) * 1000
    if waiting_s:
        record.breakdown_ms["waiting"] = waiting_s * 1000


def _buckets(
    record: RequestRecord,
    capture: Capture,
    lanes: list[Lane],
    named: list[list[Named]],
    by_group: dict[str, list[Any]],
    duration_s: float,
) -> dict[str, float]:
    """Return the seconds of the breakdown's buckets."""
    main = capture.main
    if len(lanes) > 1 or lanes[0] is not main or "timed" in by_group:
        if not any(lane.tallies for lane in lanes):
            return _swept(capture, lanes, named, duration_s)
        # Calls that were only added up have no place in time any more:
        # the request's own thread alone is what can be told.
        record.counts["breakdown_of_own_lane"] = 1
        by_group = {}
        _add_up(main, named_samples(main), {}, by_group, RequestRecord())
    return of_one_lane(
        duration_s,
        {g: by_group[g][1] for g in DRIVER_GROUPS if g in by_group},
        by_group["db_api"][1] if "db_api" in by_group else 0.0,
        main.db_api_driver_s,
        main.waiting_db_api_s,
        main.waiting_python_s,
    )


def used_lanes(capture: Capture) -> list[Lane]:
    """Return the lanes of *capture* in which anything was called."""
    return [
        lane for lane in capture.lanes if lane.calls or lane.sql or lane.work
    ]


def named_samples(lane: Lane) -> list[Named]:
    """Return the samples of *lane*, name by name."""
    named = [
        (key.group, key.name, samples, not key.outermost)
        # A copy made in one step: a late thread may still be adding names.
        for key, samples in list(lane.calls.items())
    ]
    for by_text in list(lane.sql.values()):
        for text, samples in list(by_text.items()):
            named.append(("sql", name_of_statement(text), samples, False))
    return named


def work_of(lane: Lane) -> list[tuple[str, list[Any]]]:
    """Return the samples of the driver's work beside statements, by kind.

    A kind is a group, but for transactions, of which there are two.
    """
    return list(lane.work.items())


def group_of_kind(kind: str) -> str:
    """Return the group that *kind* of work belongs to."""
    return "transaction" if kind in ("COMMIT", "ROLLBACK") else kind


def kept_samples(lane: Lane, samples: list[Any]) -> list[Any]:
    """Return all that is still known one by one of *samples*."""
    tally = lane.tallies.get(id(samples)) if lane.tallies else None
    if tally is None:
        return samples
    return [*(one for chunk in tally.chunks for one in chunk), *samples]


def _add_up(
    lane: Lane,
    named: list[Named],
    rows: dict[tuple[str, str], _Row],
    by_group: dict[str, list[Any]],
    record: RequestRecord,
) -> int:
    """Add the calls of *lane* to *rows* and *by_group*; return how many.

    Written as one loop: it runs at the end of every request.
    """
    kept = 0
    tallies = lane.tallies
    for group, name, samples, nested in named:
        spans = None
        if len(samples) == 1:
            start, end, figure = samples[0]
            count = 1
            total_s = max_s = end - start
        else:
            spans = [end - start for start, end, _ in samples]
            count = len(spans)
            total_s = sum(spans)
            max_s = max(spans) if spans else 0.0
            figure = 0.0
            if group == "db_api" and lane.db_api_driver_s:
                figure = sum([sample[2] for sample in samples])
        kept += count
        tally = tallies.get(id(samples)) if tallies else None
        if tally is not None:
            count += tally.count
            kept += sum(map(len, tally.chunks))
            total_s += tally.total_s
            max_s = max(max_s, tally.max_s)
            figure += tally.extra
        errors = 0
        if lane.error_counts:
            errors = lane.error_counts.get(id(samples), 0)
        driver_ms = figure * 1000 if group == "db_api" else None
        ms = total_s * 1000
        max_ms = max_s * 1000
        key = group, name
        row = rows.get(key)
        if nested:
            ms = max_ms = 0.0
            driver_ms = None if driver_ms is None else 0.0
        else:
            if count > 1 or (row and row[_MS]):
                first = spans or [total_s]
                if tally is not None:
                    kept_first = kept_samples(lane, samples)[:MAX_DURATIONS]
                    first = [end - start for start, end, _ in kept_first]
                _keep_durations(record, key, row[_MS] if row else 0.0, first)
            pair = by_group.setdefault(group, [0, 0.0])
            pair[0] += count
            pair[1] += total_s
        inner = count if nested else 0
        new = [group, name, count, ms, max_ms, errors, inner, driver_ms]
        rows[key] = new if row is None else _merged(row, new)
    return kept + _add_work(lane, by_group)


def _merged(row: _Row, other: _Row) -> _Row:
    """Return *row* with the totals of *other*, of the same name, added."""
    for place in (_COUNT, _MS, _ERRORS, _NESTED):
        row[place] += other[place]
    row[_MAX_MS] = max(row[_MAX_MS], other[_MAX_MS])
    if row[_DRIVER_MS] is not None:
        row[_DRIVER_MS] += other[_DRIVER_MS]
    return row


def _add_work(lane: Lane, by_group: dict[str, list[Any]]) -> int:
    """Add the driver's other work of *lane*; return how many are kept."""
    kept = 0
    for kind, samples in work_of(lane):
        count = len(samples)
        kept += count
        total_s = sum([sample[1] - sample[0] for sample in samples])
        tally = lane.tallies.get(id(samples)) if lane.tallies else None
        if tally is not None:
            count += tally.count
            kept += sum(map(len, tally.chunks))
            total_s += tally.total_s
        pair = by_group.setdefault(group_of_kind(kind), [0, 0.0])
        pair[0] += count
        pair[1] += total_s
    return kept


def _keep_durations(
    record: RequestRecord,
    key: tuple[str, str],
    before_ms: float,
    spans: list[float],
) -> None:
    """Keep the first durations of a name that was called more than once.

    *before_ms* is what the calls that came before *spans* took.
    """
    listed = record.durations.get(key)
    if listed is None:
        # The one call that was there before needed no list.
        listed = record.durations[key] = [before_ms] if before_ms else []
    room = MAX_DURATIONS - len(listed)
    if room > 0:
        listed += [span * 1000 for span in spans[:room]]


_new = tuple.__new__


def _fill_groups(
    record: RequestRecord,
    by_group: dict[str, list[Any]],
    lanes: list[Lane],
    named: list[list[Named]],
    duration_s: float,
) -> None:
    if len(lanes) == 1:
        for group, (count, total_s) in by_group.items():
            ms = total_s * 1000
            record.groups[group] = _new(GroupTotals, (count, ms, ms))
        return
    spans: dict[str, list[tuple[float, float]]] = {}
    for lane, names in zip(lanes, named, strict=True):
        for group, _, samples, nested in names:
            if not nested:
                spans.setdefault(group, []).extend(
                    (start, end)
                    for start, end, _ in kept_samples(lane, samples)
                )
        for kind, work in work_of(lane):
            spans.setdefault(group_of_kind(kind), []).extend(
                sample[:2] for sample in kept_samples(lane, work)
            )
    for group, (count, total_s) in by_group.items():
        known = spans[group]
        # Calls that were only added up are taken as not overlapping, as far
        # as the request was long enough for that.
        lost_s = total_s - sum([end - start for start, end in known])
        wall_s = covered_s(known) + max(0.0, lost_s)
        wall_s = min(wall_s, total_s, duration_s)
        record.groups[group] = GroupTotals(
            count, total_s * 1000, wall_s * 1000
        )


def _swept(
    capture: Capture,
    lanes: list[Lane],
    named: list[list[Named]],
    duration_s: float,
) -> dict[str, float]:
    sides: tuple[list[Span], list[Span]] = ([], [])
    began = capture.started
    for lane, names in zip(lanes, named, strict=True):
        side = sides[lane is not capture.main]
        for group, _, samples, _ in names:
            side += [
                Span(group, start - began, end - began)
                for start, end, _ in samples
            ]
        for kind, work in work_of(lane):
            group = group_of_kind(kind)
            side += [
                Span(group, sample[0] - began, sample[1] - began)
                for sample in work
            ]
    main = capture.main
    return of_many_lanes(
        duration_s, *sides, main.waiting_db_api_s, main.waiting_python_s
    )
