# SPDX-License-Identifier: Apache-2.0
"""The lines of a request as its story has them: each once, each in its place.

Collectors copy lines, hosts share names, libraries hide the service, and
periodic tasks log under the id of the request that their process served last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    RECEIVED,
    rpc_step_of,
)
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms.begin_and_end import END, paired
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    is_service,
)

LEFT_OVER = (
    "periodic tasks, which log under the id that their process served last"
)
_PERIODIC = re.compile(r"\.periodic_task\Z|\Aperiodic_task\Z")
_RUNNING = "Running periodic task "
# nova-compute ends its work so, beside which its tasks run.
_DONE = re.compile(r"(?:\A|\] ?)Took \d{1,9}(?:\.\d{1,9})? seconds to ")


class Sorted(NamedTuple):
    """Lines of the request, and lines that only have its id."""

    lines: list[LogLine]
    left_over: list[LogLine]


def sorted_lines(lines: Sequence[LogLine]) -> Sorted:
    """Return *lines* once each, with their service and host, and sorted."""
    named = _with_hosts(_with_services(_with_pairs(_once(lines))))
    left_over = _left_over(named)
    return Sorted(
        [line for line in named if id(line) not in left_over],
        [line for line in named if id(line) in left_over],
    )


def _once(lines: Iterable[LogLine]) -> list[LogLine]:
    """Return *lines* without those that another file has as well."""
    first: dict[tuple[object, ...], str] = {}
    kept = []
    for line in lines:
        if line.at is None:
            kept.append(line)
            continue
        key = line.at, line.request_id, line.logger, line.pid, line.message
        # One process may write a line twice, but into one file.
        if first.setdefault(key, line.source) == line.source:
            kept.append(line)
    return kept


def _with_pairs(lines: Sequence[LogLine]) -> list[LogLine]:
    """Return *lines*; a line that ends a begun request has it as its entry."""
    begun: dict[tuple[object, ...], AccessEntry] = {}
    found = []
    for line in sorted(lines, key=lambda line: line.at or 0.0):
        half = line.half
        if half is not None:
            whose = half.request_id, line.service, half.route
            if half.form != END:
                begun[whose] = half
            elif whose in begun:
                entry = paired(begun.pop(whose), half)
                found.append((line, line._replace(entry=entry)))
    ends = {id(line): ended for line, ended in found}
    return [ends.get(id(line), line) for line in lines]


def _with_services(lines: Sequence[LogLine]) -> list[LogLine]:
    """Return *lines*, those of one process with its one service."""
    known: dict[tuple[str, int], str] = {}
    for line in lines:
        if line.pid and _is_known(line.service):
            known.setdefault((line.source, line.pid), line.service)
    return [
        line
        if not line.pid or _is_known(line.service)
        else line._replace(
            service=known.get((line.source, line.pid), line.service)
        )
        for line in lines
    ]


def _is_known(service: str) -> bool:
    return service != UNKNOWN and "-" in service and is_service(service)


def _with_hosts(lines: Sequence[LogLine]) -> list[LogLine]:
    """Return *lines*, with the host in the name of services on several."""
    hosts: dict[str, set[str]] = {}
    for line in lines:
        if line.host:
            hosts.setdefault(line.service, set()).add(line.host)
    return [
        line._replace(service=f"{line.service}@{line.host}")
        if line.host and len(hosts[line.service]) > 1
        else line
        for line in lines
    ]


def _left_over(lines: Sequence[LogLine]) -> set[int]:
    """Return which lines a periodic task wrote under a left-over id.

    A task that nothing came before is what the id is about. Until a process
    says that its work for the request took so long, it is not left over.
    """
    timed = sorted(
        (line for line in lines if line.at is not None),
        key=lambda line: line.at or 0.0,
    )
    done = {
        (line.source, line.pid): place
        for place, line in enumerate(timed)
        if _DONE.search(line.message)
    }
    found: set[int] = set()
    at_tasks: set[tuple[str, int | None]] = set()
    for place, line in enumerate(timed):
        process = line.source, line.pid
        if place <= done.get(process, -1):
            if _is_task(line) and place:
                found.add(id(line))
            continue
        if _is_task(line) and place:
            at_tasks.add(process)
        elif _is_received(line):
            at_tasks.discard(process)
        if process in at_tasks and line.entry is None:
            found.add(id(line))
    return found


def _is_task(line: LogLine) -> bool:
    return line.message.startswith(_RUNNING) or (
        _PERIODIC.search(line.logger) is not None
    )


def _is_received(line: LogLine) -> bool:
    step = rpc_step_of(line.message)
    return step is not None and step.step == RECEIVED
