# SPDX-License-Identifier: Apache-2.0
"""tempest's client: ``Request (Class:test): 200 POST https://... 7.639s``.

The time is what the test waited; the test is what a user is elsewhere.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import ms_of
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.urls import service_of_url

TEMPEST = "tempest"
MARK = "Request ("

_MESSAGE = re.compile(
    r"Request \((?P<test>[^()]{0,300})\): (?P<status>\d{3}) "
    r"(?P<method>[A-Z]{3,10}) (?P<url>\S+) (?P<time>\d{1,7}\.\d{1,9})s\b"
)
_FAR = 400


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    # An older tempest writes its logger between brackets in front.
    start = line.message.find(MARK, 0, _FAR)
    found = _MESSAGE.match(line.message, start) if start >= 0 else None
    if found is None:
        return None
    status = int(found["status"])
    context = line.context
    return AccessEntry(
        TEMPEST,
        service_of_url(found["url"]),
        line.at,
        method_of(found["method"]),
        route_of_path(found["url"], status),
        status,
        ms_of(found["time"], 1000),
        None,
        context.request_id,
        user_name=found["test"] or None,
    )
