# SPDX-License-Identifier: Apache-2.0
"""A form of log line: how it is recognised, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_of_logger,
)

NO_TIME = "request without a time"
OPEN_UNIT = (
    "request whose unit of time is not known; state its format: "
    "--form 'NAME=FORMAT'"
)
BAD_TIME = "request with an impossible time"
BAD_RECORD = "damaged record"
# Its time is no REST call's: figures of both together would mean nothing.
OTHER_KIND = "record of a message or a task; list, show and calls have these"
NEWER_RECORD = "record of a newer version; upgrade nova-profiler"

# Where a front's or a client's time went, by the names that reports show.
QUEUE = "queue"
CONNECTING = "connecting"
SERVER = "server"
NO_ANSWER = "no answer"
READING = "reading the request"
SENDING = "sending the answer"

_REQUEST_ID = re.compile(
    r"(?<![0-9A-Za-z])req-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-"
    r"[0-9a-fA-F]{12}(?![0-9A-Za-z-])"
)

# Twelve days: longer than any client waits for an answer.
LONGEST_MS = 1e9


class Unusable(NovaProfilerError):
    """A line of this form gives no entry; the message is the kind."""


class Form(NamedTuple):
    """One form: its names, a text that its messages hold, and its reader.

    ``raw_mark`` is what its lines have even where colours stand in them, by
    default the mark. ``names`` are those that its entries may have, best
    first. ``entry_of`` returns None for a line of another form, and raises
    Unusable for one of its own that has no usable time. ``with_headers`` are
    the names whose sizes are not those of the body alone. ``outer`` are the
    names of a front or a client: their time is what the caller waited.
    """

    names: tuple[str, ...]
    mark: str
    entry_of: Callable[[LinePrefix], AccessEntry | None]
    with_headers: tuple[str, ...] = ()
    outer: tuple[str, ...] = ()
    raw_mark: str = ""


def ms_of(text: str, unit_ms: float) -> float:
    """Return the milliseconds of *text*, a number of units of *unit_ms*."""
    try:
        found = float(text) * unit_ms
    except ValueError:
        raise Unusable(BAD_TIME) from None
    # Written so that NaN, which fails every comparison, is refused.
    if not 0 <= found <= LONGEST_MS:
        raise Unusable(BAD_TIME)
    return found


def bytes_of(text: str) -> int | None:
    """Return a size, None for ``None``, ``-`` and impossible numbers."""
    return int(text) if text.isdecimal() and len(text) <= 15 else None


def service_of(line: LinePrefix) -> str:
    """Return the service that answered, by logger, unit or file."""
    return service_of_logger(line.logger) or line.service or UNKNOWN


def request_id_in(text: str) -> str | None:
    """Return the request id that *text* holds, None if there is none."""
    found = _REQUEST_ID.search(text)
    return found and found[0]


def address_of(text: str) -> str | None:
    """Return the client's address, the first one behind proxies."""
    return text.partition(",")[0].strip() or None if text != "-" else None
