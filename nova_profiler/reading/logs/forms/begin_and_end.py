# SPDX-License-Identifier: Apache-2.0
"""A line when a request begins and one when it ends, without its time.

``GET https://volume:8776/v3/volumes`` and ``https://volume:8776/v3/volumes
returned with HTTP 200``: cinder, manila, and nova until Essex. The time is
that between the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import service_of
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.unread import Unread

PAIR = "begin and end"
# Halves of a request: entries without a time, until they are paired.
BEGIN = "begin"
END = "end"
HALVES = frozenset([BEGIN, END])
MARK = "://"

NO_END = "begin of a request without its end"
NO_BEGIN = "end of a request without its begin"

_LOGGER = ".api."
_BEGIN = re.compile(
    r"(?P<method>[A-Z]{3,10}) (?P<url>https?://\S{1,4000})\s*\Z"
)
_END = re.compile(
    r"(?P<url>https?://\S{1,4000}) returned with HTTP (?P<status>\d{3})\s*\Z"
)


def half_of(line: LinePrefix) -> AccessEntry | None:
    """Return the half of a request that *line* is, None if it is none.

    A half has the whole URL for its route.
    """
    if _LOGGER not in line.logger or line.context.request_id is None:
        return None
    is_begin = not line.message.startswith("http")
    found = (_BEGIN if is_begin else _END).match(line.message)
    if found is None or line.at is None:
        return None
    return AccessEntry(
        BEGIN if is_begin else END,
        service_of(line),
        line.at,
        method_of(found["method"]) if is_begin else "",
        found["url"],
        0 if is_begin else int(found["status"]),
        0.0,
        None,
        *line.context,
    )


def is_half(entry: AccessEntry) -> bool:
    """Return whether *entry* is only the begin or the end of a request."""
    return entry.form in HALVES


def paired(begin: AccessEntry, end: AccessEntry) -> AccessEntry:
    """Return the request whose halves are *begin* and *end*."""
    ms = max(0.0, (end.at or 0.0) - (begin.at or 0.0)) * 1000
    return end._replace(
        form=PAIR,
        method=begin.method,
        route=route_of_path(end.route, end.status),
        ms=ms,
    )


def pairs_in(
    halves: Iterable[AccessEntry], unread: Unread
) -> Iterator[AccessEntry]:
    """Yield a request for each begin that its end follows.

    *halves* come in the order of id, service, URL and time. *unread* notes
    those without the other half.
    """
    begin: AccessEntry | None = None
    seen: set[tuple[object, ...]] = set()
    for half in halves:
        key = half.form, half.at, *_whose(half)
        # The same half from two collectors.
        if key in seen:
            continue
        if begin is None or _whose(begin) != _whose(half):
            seen.clear()
        seen.add(key)
        if begin is None and half.form == END:
            unread.add(NO_BEGIN, f"{half.route} {half.status}")
        elif begin is None:
            begin = half
        elif half.form == END and _whose(begin) == _whose(half):
            yield paired(begin, half)
            begin = None
        else:
            unread.add(NO_END, f"{begin.method} {begin.route}")
            begin = half if half.form == BEGIN else None
            if half.form == END:
                unread.add(NO_BEGIN, f"{half.route} {half.status}")
    if begin is not None:
        unread.add(NO_END, f"{begin.method} {begin.route}")


def _whose(half: AccessEntry) -> tuple[object, ...]:
    return half.request_id, half.service, half.route
