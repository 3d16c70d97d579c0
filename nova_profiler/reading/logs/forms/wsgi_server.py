# SPDX-License-Identifier: Apache-2.0
"""``"GET /v2/... HTTP/1.1" status: 200 len: 1893 time: 0.2477829``.

What nova's own server logs since Grizzly, under eventlet, and what the
filter ``requestlog`` logs under uWSGI and mod_wsgi, with a microversion.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import (
    NO_TIME,
    Unusable,
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

WSGI_SERVER = "wsgi.server"
REQUESTLOG = "requestlog"

_MESSAGE = re.compile(
    r'(?:\[instance: [^\]]*\] )?(?P<address>[^"]{0,300}?) ?'
    r'"(?P<method>[^\s"]{1,40}) (?P<path>.*?)(?: HTTP/\d(?:\.\d)?)?"'
    r" status: +(?P<status>\d{3}) +len: +(?P<size>\S+)"
    r"(?P<requestlog> +microversion: +\S+)?(?: +time: +(?P<time>\S+))?\s*\Z"
)


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    if found["time"] is None:
        raise Unusable(NO_TIME)
    status = int(found["status"])
    return AccessEntry(
        REQUESTLOG if found["requestlog"] else WSGI_SERVER,
        service_of(line),
        line.at,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms_of(found["time"], 1000),
        bytes_of(found["size"]),
        *line.context,
        remote_address=address_of(found["address"]),
    )
