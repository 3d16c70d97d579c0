# SPDX-License-Identifier: Apache-2.0
"""What ``openstack --timing`` prints: ``| GET http://... | 0.412 |``.

Beside ``-f json`` and the like it is CSV: ``"GET http://...",0.412``. Neither
has a time of day, a status or an id.
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

OPENSTACK_TIMING = "openstack --timing"
MARK = "://"

_MESSAGE = re.compile(
    r"\| (?P<method>[A-Z]{3,10}) (?P<url>https?://[^\s|]{1,4000}) {0,400}\| "
    r"{0,40}(?P<time>\d{1,7}(?:\.\d{1,12})?) {0,40}\|\s*\Z"
)
_ROW = re.compile(
    r"\"?(?P<method>[A-Z]{3,10}) (?P<url>https?://[^\s\",]{1,4000})\"?,"
    r"(?P<time>\d{1,7}(?:\.\d{1,12})?)\s*\Z"
)
# A console may have put something before the table.
_START = re.compile(r"\| [A-Z]{3,10} https?://")
_FAR = 400


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    start = _START.search(line.message, 0, _FAR)
    found = (
        _MESSAGE.match(line.message, start.start())
        if start
        else _ROW.match(line.message)
    )
    if found is None:
        return None
    return AccessEntry(
        OPENSTACK_TIMING,
        service_of_url(found["url"]),
        None,
        method_of(found["method"]),
        route_of_path(found["url"], 0),
        0,
        ms_of(found["time"], 1000),
    )
