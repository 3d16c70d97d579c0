# SPDX-License-Identifier: Apache-2.0
"""Access logs of Apache, nginx and ingress-nginx that have a time.

devstack: combined with ``12345(us)`` at the end. kolla: microseconds after
the size. Apache's stamp is when the request was received, nginx's when it was
answered.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import (
    NO_TIME,
    OPEN_UNIT,
    SENDING,
    SERVER,
    Unusable,
    address_of,
    bytes_of,
    ms_of,
    request_id_in,
    service_of,
)
from nova_profiler.reading.logs.forms.access_times import (
    APACHE,
    has_open_time,
    time_in,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import (
    is_service,
    service_named_in,
)
from nova_profiler.reading.logs.line_parts.stamps import clf_epoch

_MESSAGE = re.compile(
    r"\[(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}):(?P<clock>\d\d:\d\d:\d\d)"
    r" ?(?P<zone>[+-]\d{4})?\] "
    r'"(?P<method>[^\s"]{1,40}) (?P<path>(?:[^"\\]|\\.)*?)'
    r'(?: HTTP/\d(?:\.\d)?)?" (?P<status>\d{3}) (?P<size>\d+|-)(?P<rest>.*)\Z',
    re.DOTALL,
)
# The address, what identd said and the user stand before the stamp; a viewer
# may have put something before them.
_STAMP = re.compile(
    r" \S{1,200} [^\s\[]{1,200} (?=\[\d\d/[A-Z][a-z]{2}/\d{4}:)"
)
_FAR = 1_000


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    stamp = _STAMP.search(line.message, 0, _FAR)
    found = stamp and _MESSAGE.match(line.message, stamp.end())
    if stamp is None or found is None:
        return None
    address = line.message[: stamp.start()]
    time = time_in(found["rest"])
    if time is None:
        is_open = has_open_time(found["rest"])
        raise Unusable(OPEN_UNIT if is_open else NO_TIME)
    ms = ms_of(time.text, time.unit_ms)
    at = clf_epoch(found["date"], found["clock"], found["zone"], line.local)
    if at is not None and time.form == APACHE:
        at += ms / 1000
    status = int(found["status"])
    return AccessEntry(
        time.form,
        _service_of(line, found),
        at,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms,
        bytes_of(found["size"]),
        request_id_in(found["rest"]),
        remote_address=_client_of(address),
        waits_ms=waits_of(ms, time.upstream_ms),
    )


def waits_of(ms: float, upstream_ms: float | None) -> dict[str, float] | None:
    """Return how much of *ms* the service had, None if that is not known."""
    if upstream_ms is None:
        return None
    rest = max(0.0, ms - upstream_ms)
    return {SERVER: min(ms, upstream_ms), SENDING: rest}


def _service_of(line: LinePrefix, found: re.Match[str]) -> str:
    """Return the service: an ingress names it behind the size."""
    service = service_of(line)
    if is_service(service):
        return service
    return service_named_in(found["rest"].rpartition('"')[2]) or service


def _client_of(text: str) -> str | None:
    """Return the first address; a virtual host may stand before it."""
    return address_of(text.partition(",")[0].rpartition(" ")[2])
