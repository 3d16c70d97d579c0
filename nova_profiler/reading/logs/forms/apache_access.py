# SPDX-License-Identifier: Apache-2.0
"""Apache's access log with ``%D``, as devstack and kolla configure it.

devstack: combined with ``12345(us)`` at the end. kolla: microseconds after
the size. The stamp is when the request was received.
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
from nova_profiler.reading.logs.line_parts.stamps import clf_epoch

APACHE = "apache"

_MESSAGE = re.compile(
    r"(?P<address>[^\"\[]{1,300}?) \S{1,200} [^\s\[]{1,200} "
    r"\[(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}):(?P<clock>\d\d:\d\d:\d\d)"
    r" ?(?P<zone>[+-]\d{4})?\] "
    r'"(?P<method>[^\s"]{1,40}) (?P<path>(?:[^"\\]|\\.)*?)'
    r'(?: HTTP/\d(?:\.\d)?)?" (?P<status>\d{3}) (?P<size>\d+|-)(?P<rest>.*)\Z',
    re.DOTALL,
)
_TIME = re.compile(
    # kolla's after the size, or devstack's at the end.
    r' (?P<first>-?[\w.]+) "|.*\s(?P<last>-?[\w.]+)\(us\)\s*\Z',
    re.DOTALL,
)


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    time = _TIME.match(found["rest"])
    if time is None:
        raise Unusable(NO_TIME)
    ms = ms_of(time["first"] or time["last"], 0.001)
    began = clf_epoch(found["date"], found["clock"], found["zone"], line.local)
    status = int(found["status"])
    return AccessEntry(
        APACHE,
        service_of(line),
        None if began is None else began + ms / 1000,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms,
        bytes_of(found["size"]),
        remote_address=_client_of(found["address"]),
    )


def _client_of(text: str) -> str | None:
    """Return the first address; a virtual host may stand before it."""
    return address_of(text.partition(",")[0].rpartition(" ")[2])
