# SPDX-License-Identifier: Apache-2.0
"""``osprofiler nova/osapi_compute "GET /v2.1" 200 0.500000 s``: of a trace.

``files/osprofiler_traces`` makes these lines of osprofiler's JSON.
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
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_of_logger,
    service_of_unit,
)
from nova_profiler.reading.logs.line_parts.urls import service_of_url

OSPROFILER = "osprofiler"
MARK = "osprofiler "

_MESSAGE = re.compile(
    r"osprofiler (?P<project>[^\s/]{0,130})/(?P<program>[^\s/]{0,130}) "
    r'"(?P<method>\S{1,130}) (?P<url>\S{0,4000})" (?P<status>\d{1,3}) '
    r"(?P<time>\d{1,9}\.\d{6}) s"
    r"(?: of the service (?P<served>\d{1,9}\.\d{6}) s)?\Z"
)


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    status = int(found["status"])
    served = found["served"]
    return AccessEntry(
        OSPROFILER,
        _service_of(found),
        line.at,
        method_of(found["method"]),
        route_of_path(found["url"], status),
        status,
        ms_of(found["time"], 1000),
        server_ms=None if served is None else ms_of(served, 1000),
    )


def _service_of(found: re.Match[str]) -> str:
    """Return the service that answered: a point names it, or the URL does."""
    if not found["project"] and not found["program"]:
        return (
            service_of_url(found["url"]) if "://" in found["url"] else UNKNOWN
        )
    return (
        service_of_logger(found["project"])
        or service_of_unit(found["program"])
        or UNKNOWN
    )
