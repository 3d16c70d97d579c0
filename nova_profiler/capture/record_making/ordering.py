# SPDX-License-Identifier: Apache-2.0
"""The calls of lanes, put in the order in which they began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from nova_profiler.capture.calls import is_known
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.record_making.lane_calls import named_calls
from nova_profiler.capture.record_making.statements import Statements
from nova_profiler.capture.sql import database_of_pool, name_of_statement
from nova_profiler.groups import (
    CONNECT,
    FETCH,
    HTTP_GROUPS,
    POOL_WAIT,
    SQL,
)
from nova_profiler.record import CallWords, OrderedCalls

# What sums of floats differ by.
_NOISE_S = 1e-9
# As an open call that is around all others.
_NONE = (-inf, -1)
_OF_A_POOL = (CONNECT.name, POOL_WAIT.name)
# Groups whose calls differ in more than their times.
_EACH_ITS_WORDS = frozenset((FETCH.name, SQL.name, *HTTP_GROUPS, *_OF_A_POOL))


def ordered_calls(
    lanes: Sequence[Lane],
    first: int,
    started: float,
    max_calls: int,
    statements: Statements | None = None,
) -> OrderedCalls:
    """Return the first *max_calls* of *lanes*, which are counted from *first*.

    Their captures *started* then. *statements*, which has what the lanes
    executed, gets what they fetched; without it none has a place among them.
    """
    words: list[CallWords] = []
    times: list[tuple[float, float, int]] = []
    for number, lane in enumerate(lanes, first):
        for these, calls in _runs(lane, number, statements):
            place = len(words)
            words.append(these)
            times += [(call[0], -call[1], place) for call in calls]
    times.sort()
    del times[max_calls:]
    return OrderedCalls(started, words, times, _parents(words, times))


def _parents(
    words: list[CallWords], times: list[tuple[float, float, int]]
) -> list[int]:
    """Return the place of the call around each, -1 for none.

    The calls of a lane lie within each other.
    """
    of_lanes: dict[int, list[tuple[float, int]]] = {}
    open_of = [of_lanes.setdefault(one.lane, [_NONE]) for one in words]
    parents = []
    for place, (_, minus_end, place_of_words) in enumerate(times):
        open_calls = open_of[place_of_words]
        latest = minus_end + _NOISE_S
        while open_calls[-1][0] > latest:
            open_calls.pop()
        parents.append(open_calls[-1][1])
        open_calls.append((minus_end, place))
    return parents


def _runs(
    lane: Lane, number: int, statements: Statements | None
) -> Iterator[tuple[CallWords, Sequence[Any]]]:
    """Yield the calls of *lane*, whose number that is, with their words."""
    for group, name, calls, nested, _ in named_calls(lane):
        kept = calls.kept()
        if (
            group not in _EACH_ITS_WORDS
            and calls.errors is None
            and calls.lines is None
        ):
            yield CallWords(group, name, number, nested=nested), kept
            continue
        if statements is not None and group == FETCH.name and calls.tally:
            statements.add_fetched(lane, calls.tally)
        errors = dict(calls.errors or ())
        lines = dict(calls.lines or ())
        place = None if statements is None else calls.statement
        for call in kept:
            start = call[0]
            rows, request_id = None, None
            if group in HTTP_GROUPS:
                # 0: the other service gave none.
                request_id = call[2] or None
            elif group == FETCH.name:
                rows = call[2]
                if statements is None:
                    name = name_of_statement(call[3])
                else:
                    name, place = statements.fetched(lane, *call[2:])
            elif group in _OF_A_POOL:
                name = database_of_pool(call[2], lane.sql)
            elif group == SQL.name and is_known(call[2]):
                rows = int(call[2])
            these = CallWords(
                group,
                name,
                number,
                rows,
                errors.get(start),
                nested,
                place,
                request_id,
                lines.get(start),
            )
            yield these, (call,)
