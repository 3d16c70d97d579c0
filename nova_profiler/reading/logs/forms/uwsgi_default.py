# SPDX-License-Identifier: Apache-2.0
"""``[pid: 15083|app: 0|req: 77/156] ... => generated 389 bytes in 17 msecs``.

uWSGI's own line: whole milliseconds, and the second in which the request
began, in the host's time zone. Its options ``memory-report``, ``logdate`` and
``log-x-forwarded-for`` add to it.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import (
    address_of,
    bytes_of,
    ms_of,
    service_of,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import service_named_in
from nova_profiler.reading.logs.line_parts.stamps import clf_epoch

UWSGI = "uwsgi"

# Up to the path, which may hold anything, and from the last mark on: one
# expression for both would try each mark with all that follows it.
_HEAD = re.compile(
    r"\[pid: \d+\|app: [^|\]]*\|req: [^\]]*\] "
    r"(?P<address>[^()\[\]{}\"]{0,300}?) ?"
    r"\([^)]*\) \{[^}]*\} \[[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) "
    r"+(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{4})\] "
    r"(?P<method>\S{1,40}) "
)
_START = "[pid: "
# What options or a viewer put before it is shorter.
_FAR = 400
MARK = " => generated "
_TAIL = re.compile(
    r"(?P<size>\d+) bytes in (?P<time>\S+) (?P<unit>msecs|micros) [^(]*"
    r"(?:\(\) )?\(HTTP/\S+ (?P<status>\d{3})"
)
_UNIT_MS = {"msecs": 1.0, "micros": 0.001}


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    start = line.message.find(_START, 0, _FAR)
    head = _HEAD.match(line.message, max(0, start))
    mark_at = line.message.rfind(MARK)
    if head is None or mark_at < head.end():
        return None
    tail = _TAIL.match(line.message, mark_at + len(MARK))
    if tail is None or "\n" in (path := line.message[head.end() : mark_at]):
        return None
    address, month, day, clock, year, method = head.groups()
    size, time, unit, code = tail.groups()
    began = clf_epoch(f"{day}/{month}/{year}", clock, local=line.local)
    ms = ms_of(time, _UNIT_MS[unit])
    status = int(code)
    return AccessEntry(
        UWSGI,
        _service_of(line, line.message[: head.start()]),
        None if began is None else began + ms / 1000,
        method_of(method),
        route_of_path(path, status),
        status,
        ms,
        bytes_of(size),
        remote_address=address_of(address),
    )


def _service_of(line: LinePrefix, before: str) -> str:
    """Return the service: a viewer may have put a container's name before."""
    return (service_named_in(before) if before else None) or service_of(line)
