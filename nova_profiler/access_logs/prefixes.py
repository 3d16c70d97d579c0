# SPDX-License-Identifier: Apache-2.0
"""What stands before the message of a log line, in each shape seen."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import NamedTuple

from nova_profiler.access_logs.contexts import (
    NO_CONTEXT,
    RequestContext,
    context_of,
    looks_like_context,
)
from nova_profiler.access_logs.services import (
    service_of_file,
    service_of_unit,
)
from nova_profiler.access_logs.stamps import (
    MONTHS,
    Years,
    epoch_of,
    seconds_of,
)

# ESC may have been lost on the way: devstack's colours without it.
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\[0[01](?:;3\d)?m")
COLOUR_MARKS = ("\x1b", "[00;3", "[01;3", "[00m")

_ISO = (
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_UNIT = r"(?P<unit>[^\s\[\]:]{1,200})(?:\[(?P<pid>\d{1,10})\])?: "
_SYSLOG = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
    r"(?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,9})?) (?P<host>\S{1,255}) " + _UNIT
)
_ISO_SYSLOG = re.compile(_ISO + r" (?P<host>\S{1,255}) " + _UNIT)
_CONTAINER = re.compile(_ISO + r" (?P<unit>stdout|stderr) [FP] ")
_FILE = re.compile(
    r"(?P<file>[^\s\"]{1,300}?)[: ]\s*"
    r"(?=\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\{\")"
)
_STAMP = re.compile(_ISO + r" ")
_HEAD = re.compile(
    r"(?:(?P<pid>\d{1,10}) )?"
    r"(?P<level>TRACE|DEBUG|INFO|AUDIT|WARN(?:ING)?|ERROR|CRITICAL|FATAL) "
    r"(?P<logger>[A-Za-z_][\w.\-]{0,199})(?:\s+|\Z)"
)
_BRACKETS = re.compile(r"\[([^\[\]]{0,500})\]\s?")
_FAR = 700
_MOST_ENVELOPES = 3


class LinePrefix(NamedTuple):
    """One line: what its prefix says, and the message that follows.

    ``at`` is None for a line without a time stamp: a traceback's, or one
    that a message was wrapped to. ``service`` is by unit or file. ``local``
    is the zone of stamps that name none.
    """

    at: float | None
    message: str
    host: str | None = None
    service: str | None = None
    pid: int | None = None
    level: str | None = None
    logger: str = ""
    context: RequestContext = NO_CONTEXT
    local: tzinfo | None = None

    @property
    def has_logger(self) -> bool:
        """Tell whether oslo.log wrote the line, and not a server."""
        return bool(self.logger)


def without_colours(line: str) -> str:
    """Return *line* without the colours of a terminal."""
    for mark in COLOUR_MARKS:
        if mark in line:
            return _COLOURS.sub("", line)
    return line


def prefix_of(line: str, years: Years, file: str = "") -> LinePrefix:
    """Return the parts of *line*, whatever put something in front of it.

    A file name, the container runtime, syslog or journald may come before
    what oslo.log wrote; its own time stamp wins, being the exacter one.
    *file* is where the line is from, for the service's name.
    """
    outer, place = _outer(line, years, file)
    stamp = _STAMP.match(line, place)
    at = outer.at
    if stamp:
        own = _at(stamp.groupdict(), years)
        at = own if own is not None else at
        place = stamp.end()
    has_stamp = stamp is not None or outer.at is not None
    head = _HEAD.match(line, place) if has_stamp else None
    if head is None:
        return outer._replace(at=at, message=line[place:])
    place = head.end()
    context = NO_CONTEXT
    brackets = _BRACKETS.match(line, place)
    if brackets and looks_like_context(brackets[1]):
        context = context_of(brackets[1])
        place = brackets.end()
    return outer._replace(
        at=at,
        message=line[place:],
        pid=int(head["pid"]) if head["pid"] else outer.pid,
        level=head["level"],
        logger=head["logger"],
        context=context,
    )


def _outer(line: str, years: Years, file: str) -> tuple[LinePrefix, int]:
    """Return what was put in front of oslo.log's line, and its end."""
    outer = LinePrefix(
        None,
        "",
        service=service_of_file(file) if file else None,
        local=years.local,
    )
    place = 0
    for _ in range(_MOST_ENVELOPES):
        found = _envelope(line, place)
        if found is None:
            break
        place = found.end()
        names = found.groupdict()
        if "file" in names:
            service = service_of_file(names["file"]) or outer.service
            outer = outer._replace(service=service)
            continue
        outer = outer._replace(at=_at(names, years))
        if names.get("host"):
            service = service_of_unit(names["unit"]) or outer.service
            outer = outer._replace(
                host=names["host"],
                service=service,
                pid=int(names["pid"]) if names["pid"] else outer.pid,
            )
    return outer, place


def _envelope(line: str, place: int) -> re.Match[str] | None:
    for shape in (_SYSLOG, _ISO_SYSLOG, _CONTAINER):
        found = shape.match(line, place)
        if found:
            return found
    if _STAMP.match(line, place):
        return None
    return _FILE.match(line, place, place + _FAR)


def _at(names: dict[str, str], years: Years) -> float | None:
    if names.get("date"):
        return epoch_of(
            names["date"], names["clock"], names.get("zone"), years.local
        )
    month = MONTHS.get(names["month"])
    second = seconds_of(names["clock"])
    if month is None or second is None:
        return None
    return years.at(month, int(names["day"]), second)
