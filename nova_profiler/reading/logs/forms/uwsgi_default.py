# SPDX-License-Identifier: Apache-2.0
"""``[pid: 15083|app: 0|req: 77/156] ... => generated 389 bytes in 17 msecs``.

uWSGI's own line: whole milliseconds, and the second in which the request
began, in the host's time zone.
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
from nova_profiler.reading.logs.line_parts.stamps import clf_epoch

UWSGI = "uwsgi"

# Up to the path, which may hold anything, and from the last mark on: one
# expression for both would try each mark with all that follows it.
_HEAD = re.compile(
    r"\[pid: \d+\|app: [^|\]]*\|req: [^\]]*\] (?P<address>\S*) "
    r"\([^)]*\) \{[^}]*\} \[[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) "
    r"+(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{4})\] "
    r"(?P<method>\S{1,40}) "
)
MARK = " => generated "
_TAIL = re.compile(
    r"(?P<size>\d+) bytes in (?P<time>\S+) (?P<unit>msecs|micros) [^(]*"
    r"(?:\(\) )?\(HTTP/\S+ (?P<status>\d{3})"
)
_UNIT_MS = {"msecs": 1.0, "micros": 0.001}


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    head = _HEAD.match(line.message)
    mark_at = line.message.rfind(MARK)
    if head is None or mark_at < head.end():
        return None
    tail = _TAIL.match(line.message, mark_at + len(MARK))
    if tail is None or "\n" in (path := line.message[head.end() : mark_at]):
        return None
    found = head.groupdict() | tail.groupdict()
    date = f"{found['day']}/{found['month']}/{found['year']}"
    began = clf_epoch(date, found["clock"], local=line.local)
    ms = ms_of(found["time"], _UNIT_MS[found["unit"]])
    status = int(found["status"])
    return AccessEntry(
        UWSGI,
        service_of(line),
        None if began is None else began + ms / 1000,
        method_of(found["method"]),
        route_of_path(path, status),
        status,
        ms,
        bytes_of(found["size"]),
        remote_address=address_of(found["address"]),
    )
