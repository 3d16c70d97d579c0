# SPDX-License-Identifier: Apache-2.0
"""``10.0.0.1 - - [13/Dec/2014 17:12:23] "POST /v1/images ..." 400 396 31.5``.

The default of eventlet's server: nova until Folsom, others long after.
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

EVENTLET = "eventlet"

_MESSAGE = re.compile(
    r"(?P<address>[^\s\"]{1,300}) - - "
    r"\[(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}) (?P<clock>\d\d:\d\d:\d\d)\] "
    r'"(?P<method>[^\s"]{1,40}) (?P<path>.*?)(?: HTTP/\d(?:\.\d)?)?"'
    r" (?P<status>\d{3}) (?P<size>\d+|-) (?P<time>\S+)\s*\Z"
)


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    at = line.at
    if at is None:
        # A line on standard error has no prefix of oslo.log.
        at = clf_epoch(found["date"], found["clock"], local=line.local)
    status = int(found["status"])
    return AccessEntry(
        EVENTLET,
        service_of(line),
        at,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms_of(found["time"], 1000),
        bytes_of(found["size"]),
        *line.context,
        remote_address=address_of(found["address"]),
    )
