# SPDX-License-Identifier: Apache-2.0
"""Times to doubt: of clocks that do not agree, of lines without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.rows import BEGIN, Row, RpcMessages
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    ANSWERED,
    CALL,
    CAST,
    RECEIVED,
    REPLY,
    requests_named_in,
)
from nova_profiler.reading.screen.terminal import counted

# A line is written a little after what it is about, in milliseconds.
_TOLERATED_MS = 5.0
# What stands where a time would.
NO_TIME = "-"


class Skew(NamedTuple):
    """The clock of ``service`` is at least ``ms`` behind that of ``other``."""

    service: str
    other: str
    ms: float
    why: str


def skews_of(rows: Sequence[Row]) -> list[Skew]:
    """Return the largest hint for each pair of services."""
    largest: dict[tuple[str, str], Skew] = {}
    for skew in _hints(rows):
        pair = skew.service, skew.other
        known = largest.get(pair)
        if skew.service == skew.other or skew.ms <= _TOLERATED_MS:
            continue
        if known is None or skew.ms > known.ms:
            largest[pair] = skew
    return sorted(largest.values(), key=lambda skew: -skew.ms)


def _hints(rows: Sequence[Row]) -> Iterator[Skew]:
    lines = [line for row in rows if row.kind != BEGIN for line in row.lines]
    yield from _of_messages(lines)
    yield from _of_answers(lines)
    yield from _of_begins(rows, lines)


def _of_messages(lines: list[LogLine]) -> Iterator[Skew]:
    """Yield a hint for each RPC message received before it was sent."""
    for steps in RpcMessages(lines).steps.values():
        sent = steps.get(CALL) or steps.get(CAST)
        received = steps.get(RECEIVED)
        if sent and received:
            why = "it received an RPC message before that was sent"
            yield _skew(received, sent, why)
        replied, answered = steps.get(REPLY), steps.get(ANSWERED)
        if replied and answered:
            why = "it had the answer to an RPC call before that was sent"
            yield _skew(answered, replied, why)


def _of_answers(lines: list[LogLine]) -> Iterator[Skew]:
    """Yield a hint for each HTTP answer from before its request ended."""
    ended: dict[str | None, LogLine] = {}
    for line in lines:
        if line.entry is not None and line.entry.at is not None:
            ended.setdefault(line.request_id, line)
    for line in lines:
        for request_id in requests_named_in(line.message):
            answer = ended.get(request_id)
            if answer is not None:
                why = "it had the answer before that was given"
                yield _skew(line, answer, why)


def _of_begins(rows: Sequence[Row], lines: list[LogLine]) -> Iterator[Skew]:
    """Yield a hint for each service with lines from before the begin."""
    first: dict[str | None, dict[str, float]] = {}
    for line in lines:
        if line.at is not None:
            services = first.setdefault(line.request_id, {})
            known = services.get(line.service, line.at)
            services[line.service] = min(known, line.at)
    why = "it has lines of the request from before its begin"
    # A service may answer its caller under the caller's id: only the
    # outermost of its requests is the first of all.
    outermost: dict[str | None, Row] = {}
    for begin in rows:
        if begin.kind == BEGIN:
            longest = outermost.get(begin.request_id)
            if longest is None or _ms_of(begin) > _ms_of(longest):
                outermost[begin.request_id] = begin
    for begin in outermost.values():
        for service, at in first.get(begin.request_id, {}).items():
            ms = (begin.at - at) * 1000
            yield Skew(service, begin.service, ms, why)


def _ms_of(begin: Row) -> float:
    entry = begin.lines[0].entry
    return 0.0 if entry is None else entry.ms


def _skew(early: LogLine, late: LogLine, why: str) -> Skew:
    """Return that *early*, which must come after *late*, comes before it."""
    ms = ((late.at or 0.0) - (early.at or 0.0)) * 1000
    return Skew(early.service, late.service, ms, why)


class Placed(NamedTuple):
    """Lines with the time of their place, and lines without a place."""

    standing: list[tuple[float, LogLine]]
    apart: list[LogLine]


def placed(lines: Sequence[LogLine]) -> Placed:
    """Return the places of *lines*, which come in the order of their files.

    A line without a time stands after the line before it in its file, or
    else before the file's first line with a time. In a file without any
    time no line has a place.
    """
    places: dict[str, float] = {}
    for line in lines:
        if line.at is not None:
            places.setdefault(line.source, line.at)
    standing, apart = [], []
    for line in lines:
        if line.at is not None:
            places[line.source] = line.at
        place = places.get(line.source)
        if place is None:
            apart.append(line)
        else:
            standing.append((place, line))
    return Placed(standing, apart)


def no_time_text(count: int) -> str:
    """Return the sentence about *count* lines without a place in time."""
    if count == 1:
        lines, order = "this line", "its order"
    else:
        lines, order = f"these {counted(count, 'line')}", "their order"
    return (
        f"The time of {lines} is not known: {order} across files and the "
        "gaps around are missing."
    )
