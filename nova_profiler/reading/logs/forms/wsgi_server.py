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
# neutron's agent passes a server's request for its metadata on to nova.
METADATA_AGENT = "metadata agent"
_METADATA = "nova-metadata"

# A program that shows the line as a text of its own escapes its quotation
# marks, and puts something behind the time.
_MESSAGE = re.compile(
    r'(?:\[instance: [^\]]*\] )?(?P<address>[^"\\]{0,300}?) ?'
    r'\\?"(?P<method>[^\s"]{1,40}) (?P<path>.*?)(?: HTTP/\d(?:\.\d)?)?\\?"'
    r" status: +(?P<status>\d{3}) +len: +(?P<size>\S+)"
    r"(?P<requestlog> +microversion: +\S+)?"
    r"(?: +time: +(?P<time>[^\s\"'`,;|<>)\]}\\]+))?"
    r"(?:\\[nr]|[\s\"'`,;|<>)\]}]){0,20}\Z"
)


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    if found["time"] is None:
        raise Unusable(NO_TIME)
    status = int(found["status"])
    form = REQUESTLOG if found["requestlog"] else WSGI_SERVER
    service = service_of(line)
    if _is_of_agent(line):
        form, service = METADATA_AGENT, _METADATA
    return AccessEntry(
        form,
        service,
        line.at,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms_of(found["time"], 1000),
        bytes_of(found["size"]),
        *line.context,
        # A context that was no part of a known prefix may stand before it.
        remote_address=address_of(found["address"].rpartition("] ")[2]),
    )


def _is_of_agent(line: LinePrefix) -> bool:
    """Return whether neutron's metadata agent logged *line*."""
    return (line.service or "").endswith("metadata-agent") or (
        line.logger.startswith("neutron.agent.") and "metadata" in line.logger
    )
