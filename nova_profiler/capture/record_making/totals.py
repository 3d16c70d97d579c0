# SPDX-License-Identifier: Apache-2.0
"""A closed capture's figures: its groups, calls and breakdown."""

from __future__ import annotations

from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.record_making.breakdown import (
    LaneSums,
    Span,
    any_begins_in,
    covered_s,
    of_many_lanes,
    of_one_lane,
)
from nova_profiler.capture.record_making.lane_calls import (
    named_calls,
    used_lanes,
)
from nova_profiler.capture.run_queue import Split
from nova_profiler.capture.sinks import Named
from nova_profiler.groups import (
    COUNTS,
    DB_API,
    DRIVER_GROUPS,
    GC,
    LOCK,
    LOG,
    NOT_PROCESSOR,
    PROCESSOR,
    PYTHON,
    TIMED,
    UNSPLIT,
    WAITING,
)
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord

# Calls of one name whose durations go to statsd one by one.
MAX_DURATIONS = 10

_DB_API = DB_API.name
# What sums of floats differ by.
_NOISE_S = 1e-7
# What may go on inside a call of a driver.
_IN_DRIVERS = frozenset(group.name for group in (GC, LOCK, LOG, TIMED))
_DRIVERS = frozenset(DRIVER_GROUPS)
_NO_COUNTS = [0] * len(COUNTS)

# The fields of CallTotals, while they are added up.
_Row = list[Any]
_COUNT, _MS, _MAX_MS, _ERRORS, _NESTED, _DRIVER_MS = range(2, 8)
# Number of calls and their seconds, by group.
_ByGroup = dict[str, list[Any]]


def fill_totals(
    record: RequestRecord, capture: Capture, duration_s: float
) -> None:
    """Fill groups, calls, breakdown and counts of *record*."""
    main = capture.main
    # A thread may begin a lane meanwhile, which has no call that counts.
    lanes = capture.lanes[:]
    if (
        len(lanes) > 1
        or capture.late_calls
        or capture.lanes_missing
        or capture.handing is not None
        or capture.unclaimed
        or main.counts != _NO_COUNTS
    ):
        _fill_counts(record, capture)
    if len(lanes) > 1:
        lanes = used_lanes(capture)
    elif not main.calls and not main.sql:
        _fill_empty(record, main, duration_s)
        return
    rows: dict[tuple[str, str], _Row] = {}
    by_group: _ByGroup = {}
    kept = 0
    # Once for all that follows: a long statement is slow to name.
    named = [named_calls(lane) for lane in lanes]
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
    _fill_groups(record, by_group, named, duration_s)
    if (
        len(lanes) == 1
        and lanes[0] is main
        and _has_sums(main, by_group, named[0])
    ):
        buckets = _of_one_lane(main, by_group, duration_s)
    else:
        buckets = _of_many_lanes(record, capture, lanes, named, duration_s)
    record.breakdown_ms = {b: s * 1000 for b, s in buckets.items()}


def fill_unnamed(record: RequestRecord, split: Split) -> None:
    """Fill what the waiting without a name consists of, if it is known."""
    if not split.readings:
        return
    waiting_ms = record.breakdown_ms.get(WAITING.name, 0.0)
    # Lanes beside it may have names for some of what it waited.
    processor_ms = min(split.processor_s * 1000, waiting_ms)
    unsplit_ms = min(split.unsplit_s * 1000, waiting_ms - processor_ms)
    record.unnamed_ms = {
        PROCESSOR.name: processor_ms,
        NOT_PROCESSOR.name: waiting_ms - processor_ms - unsplit_ms,
    }
    if unsplit_ms:
        record.unnamed_ms[UNSPLIT.name] = unsplit_ms


def _fill_counts(record: RequestRecord, capture: Capture) -> None:
    """Fill what is counted and not timed."""
    counts = record.counts
    handing = capture.handing
    for name, number in (
        ("late_calls", capture.late_calls),
        ("lanes_missing", capture.lanes_missing),
        ("unfinished_work", 0 if handing is None else handing.unfinished),
        ("unclaimed_calls", capture.unclaimed),
    ):
        if number:
            counts[name] = number
    numbers = capture.main.counts
    if len(capture.lanes) > 1:
        columns = zip(*[lane.counts for lane in capture.lanes], strict=True)
        numbers = [sum(column) for column in columns]
    for count, number in zip(COUNTS, numbers, strict=True):
        if number:
            counts[count.name] = number


def _fill_empty(record: RequestRecord, main: Lane, duration_s: float) -> None:
    """Fill the breakdown of a request in which nothing was called."""
    waiting_s = min(main.waiting_python_s, duration_s)
    record.breakdown_ms[PYTHON.name] = (duration_s - waiting_s) * 1000
    if waiting_s:
        record.breakdown_ms[WAITING.name] = waiting_s * 1000


def _add_up(
    lane: Lane,
    named: list[Named],
    rows: dict[tuple[str, str], _Row],
    by_group: _ByGroup,
    record: RequestRecord,
) -> int:
    """Add a lane's calls to *rows* and *by_group*; return how many are kept.

    Written as one loop: it runs at the end of every request.
    """
    kept = 0
    has_driver_time = lane.db_api_driver_s > 0.0
    for group, name, calls, nested, is_listed in named:
        if calls.tally is not None:
            count, total_s, max_s = calls.totals()
            kept += calls.kept_count()
            first = calls.kept()[:MAX_DURATIONS]
            spans = [call[1] - call[0] for call in first]
        elif len(calls) == 1:
            call = calls[0]
            count = 1
            total_s = max_s = call[1] - call[0]
            kept += 1
            spans = [total_s]
        else:
            # All that is listed has three numbers: quicker than by place.
            spans = (
                [end - start for start, end, _ in calls]
                if is_listed
                else [call[1] - call[0] for call in calls]
            )
            count = len(spans)
            total_s = sum(spans)
            max_s = max(spans, default=0.0)
            kept += count
        if not nested:
            pair = by_group.setdefault(group, [0, 0.0])
            pair[0] += count
            pair[1] += total_s
        if not is_listed:
            continue
        key = group, name
        row = rows.get(key)
        driver_ms = None
        if group == _DB_API:
            driver_ms = 0.0
            if has_driver_time and not nested:
                driver_ms = calls.figure() * 1000
        inner = count if nested else 0
        ms = max_ms = 0.0
        if not nested:
            ms = total_s * 1000
            max_ms = max_s * 1000
            if count > 1 or (row and row[_MS]):
                _keep_durations(record, key, row[_MS] if row else 0.0, spans)
        errors = calls.failures
        new = [group, name, count, ms, max_ms, errors, inner, driver_ms]
        rows[key] = new if row is None else _merged(row, new)
    return kept


def _merged(row: _Row, other: _Row) -> _Row:
    """Return *row* with the totals of *other*, of the same name, added."""
    for place in (_COUNT, _MS, _ERRORS, _NESTED):
        row[place] += other[place]
    row[_MAX_MS] = max(row[_MAX_MS], other[_MAX_MS])
    if row[_DRIVER_MS] is not None:
        row[_DRIVER_MS] += other[_DRIVER_MS]
    return row


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
    by_group: _ByGroup,
    named: list[list[Named]],
    duration_s: float,
) -> None:
    if len(named) == 1:
        for group, (count, total_s) in by_group.items():
            ms = total_s * 1000
            record.groups[group] = _new(GroupTotals, (count, ms, ms))
        return
    spans: dict[str, list[tuple[float, float]]] = {}
    for names in named:
        for group, _, calls, nested, _ in names:
            if not nested:
                spans.setdefault(group, []).extend(
                    call[:2] for call in calls.kept()
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


def _has_sums(main: Lane, by_group: _ByGroup, named: list[Named]) -> bool:
    """Return whether no moment can be in two sums of *main*.

    A DB API call that did not reach the driver tells calls round it nothing,
    and a driver's call nothing of those inside it: to be the quickest is
    worth a slower breakdown where both are there.
    """
    others_s = main.others_s
    if others_s is None:
        return True
    if by_group.get(_DB_API, (0, 0.0))[1] > main.db_api_s + _NOISE_S:
        return False
    if _IN_DRIVERS.isdisjoint(others_s) or _DRIVERS.isdisjoint(by_group):
        return True
    if any(calls.has_lost for _, _, calls, _, _ in named):
        # What was only added up has no place in time any more.
        return True
    # One that begins while a driver's call goes on is in two sums.
    return not any_begins_in(
        _calls_in(named, _DRIVERS), _calls_in(named, _IN_DRIVERS)
    )


def _calls_in(
    named: list[Named], groups: frozenset[str]
) -> list[tuple[float, float]]:
    return [
        call[:2]
        for group, _, calls, _, _ in named
        if group in groups
        for call in calls.kept()
    ]


def _of_one_lane(
    main: Lane, by_group: _ByGroup, duration_s: float
) -> dict[str, float]:
    sums = LaneSums(
        {group: total_s for group, (_, total_s) in by_group.items()},
        main.others_s or {},
        main.db_api_driver_s,
        main.db_api_other_s,
        main.waiting_db_api_s,
        main.waiting_python_s,
    )
    return of_one_lane(duration_s, sums)


def _of_many_lanes(
    record: RequestRecord,
    capture: Capture,
    lanes: list[Lane],
    named: list[list[Named]],
    duration_s: float,
) -> dict[str, float]:
    main = capture.main
    if any(calls.has_lost for names in named for _, _, calls, _, _ in names):
        # Calls that were only added up have no place in time any more: the
        # breakdown can be of the request's own thread alone, by its sums.
        record.counts["breakdown_of_own_lane"] = 1
        by_group: _ByGroup = {}
        _add_up(main, named_calls(main), {}, by_group, RequestRecord())
        return _of_one_lane(main, by_group, duration_s)
    began = capture.started
    own: list[Span] = []
    others: list[list[Span]] = []
    for lane, names in zip(lanes, named, strict=True):
        spans = [
            Span(group, call[0] - began, call[1] - began)
            for group, _, calls, is_nested, _ in names
            # Within another one of its lane it is a part of what is around
            # it, which may be of another group that stands between.
            if not (is_nested and group == _DB_API and lane is main)
            for call in calls.kept()
        ]
        if lane is main:
            own = spans
        else:
            others.append(spans)
    return of_many_lanes(
        duration_s, own, others, main.waiting_db_api_s, main.waiting_python_s
    )
