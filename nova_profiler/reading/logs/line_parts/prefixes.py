# SPDX-License-Identifier: Apache-2.0
"""The parts in front of a log line's message, in all known shapes."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import NamedTuple

from nova_profiler.reading.logs.line_parts.contexts import (
    NO_CONTEXT,
    RequestContext,
    context_of,
    looks_like_context,
)
from nova_profiler.reading.logs.line_parts.services import (
    service_named_in,
    service_of_file,
    service_of_unit,
)
from nova_profiler.reading.logs.line_parts.stamps import (
    MONTHS,
    Years,
    epoch_of,
    seconds_of,
)

_ISO = (
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_BOM = "\ufeff"
# rsyslog may keep the priority that a line came with.
_PRIORITY = r"(?:<\d{1,3}>)?"
_HOST = r"(?P<host>\S{1,255}) "
_NAME = r"(?P<unit>[^\s\[\]:]{1,200})"
_PID = r"(?:\[(?P<pid>\d{1,10})\])?: "
_SYSLOG = re.compile(
    _PRIORITY + r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
    r"(?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,9})?) " + _HOST + _NAME + _PID
)
_RFC5424 = re.compile(
    r"<\d{1,3}>\d{1,2} (?:-|" + _ISO + r") "
    r"(?:-|(?P<host>\S{1,255})) (?P<unit>\S{1,200}) "
    r"(?:(?P<pid>\d{1,10})|\S{1,128}) \S{1,128} "
    r"(?:-|(?:\[(?:[^\]\\]|\\.){0,1000}\]){1,20})(?: " + _BOM + r"?|\Z)"
)
# The begin of a line that has something in front of it.
_START = (
    r"(?=(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|<\d{1,3}>(?:\d{1,2} |\d{4}-|[A-Z][a-z]{2} [ \d])"
    r"|\d{9,10}\.\d{6} \S{1,255} [^\s:]{1,200}: |\{\")"
)
# A container's runtime, docker logs -t and kubectl --timestamps write it, too.
_ISO_SYSLOG = re.compile(
    _PRIORITY + _ISO + " "
    "(?:" + _START + r"|(?:stdout|stderr) [FP] |" + _HOST + _NAME + _PID + ")"
)
# journalctl -o short-full; -o with-unit adds the user's own unit.
_FULL_SYSLOG = re.compile(
    r"[A-Z][a-z]{2} (?P<date>\d{4}-\d\d-\d\d) "
    r"(?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,9})?) "
    # Only these two letter codes mean the same zone everywhere.
    r"(?:(?P<zone>UTC|GMT|[+-]\d\d(?:\d\d)?)|[A-Z][A-Za-z]{1,5}) "
    + _HOST
    + r"(?P<unit>[^\s\[\]:/]{1,200})(?:/[^\s\[\]:]{1,200})?"
    + _PID
)
_UNIX_SYSLOG = re.compile(
    r"(?P<epoch>\d{9,10}\.\d{6}) " + _HOST + _NAME + _PID
)
# journalctl -o short-monotonic and short-delta have no time of day.
_BOOT_SYSLOG = re.compile(
    r"\[ *\d{1,9}\.\d{3,9}[^\[\]]{0,40}\] " + _HOST + _NAME + _PID
)
_COMPOSE = re.compile(r"[\w.\-]{1,200} {1,80}\| ")
# The day of uWSGI's and asctime's stamps is no file.
_FILE = re.compile(
    r"(?!(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )"
    r"(?P<file>[^\s\"]{1,300}?)[: ]\s*" + _START
)
# By the first character, "0" for any digit.
_SHAPES: dict[str, tuple[re.Pattern[str], ...]] = {
    "0": (_ISO_SYSLOG, _UNIX_SYSLOG),
    "<": (_RFC5424, _SYSLOG, _ISO_SYSLOG),
    "[": (_BOOT_SYSLOG,),
}
_OTHER_SHAPES = (_SYSLOG, _FULL_SYSLOG)
_STAMP = re.compile(_ISO + r" ")
_LEVEL = (
    r"(?P<level>TRACE|DEBUG|INFO|AUDIT|WARN(?:ING)?|ERROR|CRITICAL|FATAL) "
)
_HEAD = re.compile(
    r"(?:(?P<pid>\d{1,10}) )?"
    + _LEVEL
    + r"(?P<logger>[A-Za-z_][\w.\-]{0,199})"
    # One blank: a line of a traceback keeps its indentation.
    r"(?:\s|\Z)"
)
_BRACKETS = re.compile(r"\s{0,80}\[([^\[\]]{0,500})\]\s?")
# oslo.log's prefix behind something that no shape above describes: with its
# stamp, or else with a context.
_BEHIND = re.compile(
    # A quotation mark or a file's name may touch the stamp.
    r"(?<!\d)"
    + _ISO
    + r" (?=(?:\d{1,10} )?[A-Z]{4,8} [A-Za-z_])"
    + r"|(?<!\S)(?=(?:\d{1,10} )?(?:TRACE|DEBUG|INFO|AUDIT|WARN(?:ING)?"
    r"|ERROR|CRITICAL) [A-Za-z_][\w.\-]{0,199} \[(?:None req-|g?req-|-\]))"
)
_LEVELS = (" INFO ", " DEBUG ", " WARNING ", " ERROR ", " AUDIT ")
_FAR = 700
_MOST_ENVELOPES = 4


class LinePrefix(NamedTuple):
    """One line: the parts of its prefix, and the message after it.

    ``at`` is None for a line without a time stamp, such as those of a
    traceback or of a wrapped message. ``service`` is by unit or file.
    ``local`` is the zone of stamps without one.
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
        """Return whether oslo.log wrote the line, rather than a server."""
        return bool(self.logger)


def prefix_of(
    line: str, years: Years, file: str = "", is_stamped: bool = False
) -> LinePrefix:
    """Return the parts of *line*.

    A file name, a container's runtime, syslog or journald may have put
    something in front of oslo.log's prefix. The stamp of oslo.log wins: it
    is the most exact. The name of *file* gives the service. *is_stamped* is
    true where the line's time stands elsewhere.
    """
    outer, place = _outer(line, years, file)
    stamp = _STAMP.match(line, place)
    at = outer.at
    if stamp:
        own = _at(stamp.groupdict(), years)
        at = own if own is not None else at
        place = stamp.end()
    head = _HEAD.match(line, place)
    if head:
        is_stamped = is_stamped or stamp is not None or outer.at is not None
        found = _headed(line, head, outer, at, is_stamped)
        if found is not None:
            return found
    behind = _behind(line, place, outer, at, years)
    return behind or outer._replace(at=at, message=line[place:])


def _behind(
    line: str, place: int, outer: LinePrefix, at: float | None, years: Years
) -> LinePrefix | None:
    """Return the parts of oslo.log's prefix further on in *line*.

    A viewer or a collector that is not known put something in front. It
    costs nothing but itself; a service that it names is the line's.
    """
    for level in _LEVELS:  # any() takes three times as long
        if level in line:
            break
    else:
        return None
    found = _BEHIND.search(line, place, place + _FAR)
    head = found and _HEAD.match(line, found.end())
    if found is None or head is None:
        return None
    own = _at(found.groupdict(), years)
    service = service_named_in(line[place : found.start()])
    return _headed(
        line,
        head,
        outer._replace(service=service or outer.service),
        own if own is not None else at,
        own is not None,
    )


def _headed(
    line: str,
    head: re.Match[str],
    outer: LinePrefix,
    at: float | None,
    is_stamped: bool,
) -> LinePrefix | None:
    """Return *outer* with the parts of *head*, oslo.log's own prefix.

    None without a time and a context: then it may be any text.
    """
    place = head.end()
    context = NO_CONTEXT
    brackets = _BRACKETS.match(line, place)
    if brackets and looks_like_context(brackets[1]):
        context = context_of(brackets[1])
        place = brackets.end()
    elif not is_stamped:
        return None
    return outer._replace(
        at=at,
        message=line[place:],
        pid=int(head["pid"]) if head["pid"] else outer.pid,
        level=head["level"],
        logger=head["logger"],
        context=context,
    )


def _outer(line: str, years: Years, file: str) -> tuple[LinePrefix, int]:
    """Return the parts in front of oslo.log's prefix, and where they end."""
    outer = LinePrefix(
        None,
        "",
        service=service_of_file(file) if file else None,
        local=years.local,
    )
    place = len(_BOM) if line.startswith(_BOM) else 0
    for _ in range(_MOST_ENVELOPES):
        found = _envelope(line, place, outer.at is None)
        if found is None:
            break
        place = found.end()
        names = found.groupdict()
        if "file" in names:
            service = service_of_file(names["file"]) or outer.service
            outer = outer._replace(service=service)
            continue
        at = _at(names, years)
        if at is not None:
            outer = outer._replace(at=at)
        if names.get("unit"):
            service = service_of_unit(names["unit"]) or outer.service
            outer = outer._replace(
                host=names["host"] or outer.host,
                service=service,
                pid=int(names["pid"]) if names["pid"] else outer.pid,
            )
    return outer, place


def _envelope(line: str, place: int, is_first: bool) -> re.Match[str] | None:
    """Return what was put in front of the line's rest at *place*.

    Only the first can be docker compose's: later it is a message.
    """
    first = line[place : place + 1]
    is_digit = first.isdecimal()
    for shape in _SHAPES.get("0" if is_digit else first, _OTHER_SHAPES):
        found = shape.match(line, place)
        if found:
            return found
    if is_digit and _STAMP.match(line, place):
        return None
    return (is_first and _COMPOSE.match(line, place)) or _FILE.match(
        line, place, place + _FAR
    )


def _at(names: dict[str, str], years: Years) -> float | None:
    """Return the time of a stamp's parts *names*, None if it is none."""
    if names.get("date"):
        zone = names.get("zone")
        if zone and zone[0] in "+-" and len(zone) == len("+02"):
            zone += "00"
        return epoch_of(names["date"], names["clock"], zone, years.local)
    if names.get("epoch"):
        return float(names["epoch"])
    month = MONTHS.get(names.get("month", ""))
    second = seconds_of(names["clock"]) if month else None
    if month is None or second is None:
        return None
    return years.at(month, int(names["day"]), second)
