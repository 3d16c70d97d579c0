# SPDX-License-Identifier: Apache-2.0
"""The filter's own lines, at the end of the request that they are about.

They are written once the response is over: how long the log took, and what
else the process did until then, is no time of the request.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.logs.forms.own_log_lines import LOG_LINE

_OF_CALLS = "nova_profiler.calls"


def at_their_ends(lines: Sequence[LogLine]) -> list[LogLine]:
    """Return *lines* in their order, the filter's with the time of the end.

    That is known where another line has a time at which the request was on:
    it was over no later than its duration after that. What no other line
    bounds keeps the time that it was written at.
    """
    moved: dict[int, LogLine] = {}
    by_process: dict[tuple[object, ...], list[LogLine]] = {}
    for line in sorted(lines, key=lambda line: line.at or 0.0):
        if line.at is not None:
            whose = line.service, line.pid, line.request_id
            by_process.setdefault(whose, []).append(line)
    for own in by_process.values():
        moved |= _moved(own)
    return [moved.get(id(line), line) for line in lines]


def _moved(lines: Sequence[LogLine]) -> dict[int, LogLine]:
    """Return what stands for the filter's among the *lines* of a process.

    It may have served several requests with this id, one after the other.
    """
    moved: dict[int, LogLine] = {}
    before: list[LogLine] = []
    calls: list[LogLine] = []
    end: float | None = None
    for line in lines:
        if line.entry is not None and line.entry.form == LOG_LINE:
            end = _end_of(line, before)
            moved |= {id(one): _ended(one, end) for one in (*calls, line)}
            before, calls = [], []
        elif line.logger != _OF_CALLS:
            before.append(line)
            calls, end = [], None
        elif end is not None:
            moved[id(line)] = _ended(line, end)
        else:
            calls.append(line)
    return moved


def _end_of(line: LogLine, before: Sequence[LogLine]) -> float:
    """Return when the request of *line* was over, at the latest.

    It was not before the last of its other lines.
    """
    written = line.at or 0.0
    if line.entry is None or not before:
        return written
    began = min(map(_on_at, before))
    last = before[-1].at or 0.0
    return min(written, max(began + line.entry.ms / 1000, last))


def _on_at(line: LogLine) -> float:
    """Return the earliest time at which the request of *line* was on."""
    at = line.at or 0.0
    entry = line.entry
    if entry is None or entry.at is None:
        return at
    return min(at, entry.at - entry.ms / 1000)


def _ended(line: LogLine, end: float) -> LogLine:
    """Return *line* as if it was written at *end*, unless it was earlier."""
    at = min(line.at or 0.0, end)
    entry = line.entry
    if entry is not None:
        entry = entry._replace(at=at)
    return line._replace(at=at, entry=entry)
