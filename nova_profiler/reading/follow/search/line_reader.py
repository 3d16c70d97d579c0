# SPDX-License-Identifier: Apache-2.0
"""Reads the lines found of a request: plain ones, JSON, tracebacks."""

from __future__ import annotations

import json
import re
from typing import Any

from nova_profiler.groups import DB_API
from nova_profiler.reading.follow.search.hits import MOST_JOINED, Hit, LogLine
from nova_profiler.reading.logs.collectors.json_lines import unwrapped
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.files.sources import Source, head_of
from nova_profiler.reading.logs.forms import Unusable
from nova_profiler.reading.logs.forms.begin_and_end import is_half
from nova_profiler.reading.logs.forms.own_log_lines import LOGGER
from nova_profiler.reading.logs.line_parts.colours import without_colours
from nova_profiler.reading.logs.line_parts.contexts import RequestContext
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
)
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    is_service,
    service_that_logs,
)
from nova_profiler.reading.logs.line_parts.stamps import (
    Years,
    iso_epoch,
    years_of,
)
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.record_words import full_title_of, status_of
from nova_profiler.record import REQUEST, RecordError, RequestRecord

# The begin of a line that has a prefix of its own.
_BEGINS = re.compile(
    rb"\S{0,300}?[: ]?(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\{\")"
)
_JSON = re.compile(r"(?:[^\s{]{1,300}: ?)?(?=\{\")")
# oslo.log writes the lines of a traceback with a prefix and no context.
_TRACE = re.compile(
    rb"(?:(?<= )(?P<pid>\d+) )?(?:ERROR|TRACE|CRITICAL|WARNING) "
    rb"(?P<logger>[\w.\-]+)"
    rb"(?: (?!\[(?:-|None|g?req-))|$)"
)
_LOGGER = re.compile(
    rb"(?:(?<= )(?P<pid>\d+) )?(?:ERROR|CRITICAL|WARNING|INFO|DEBUG) "
    rb"(?P<logger>[\w.\-]+)"
    rb" +\["
)
# The last line of a traceback.
_EXCEPTION = re.compile(
    rb"(?:\w{1,100}\.){0,20}[A-Z]\w{0,100}[a-z]\w{0,100}(?:: |$)"
)
# The year 5138; a damaged record may hold any number.
_LATEST_AT = 1e11
# What has no prefix and is a line of its own all the same: of uWSGI, of an
# access log, of haproxy, of a server's standard error.
_REQUESTS = re.compile(
    rb"\[pid: \d|\{address space |\*\*\* |DAMN ! |HARAKIRI"
    rb"|[0-9A-Fa-f][0-9A-Fa-f.:]{2,45}(?:, ?[0-9A-Fa-f.:]{3,45}){0,8}"
    rb"(?::\d{1,5} \[\d\d/| \S{1,100} \S{1,100} \[\d\d/)"
    rb"|[^\n\"]{0,200}\"[A-Z]{3,10} [^\n\"]{1,2000}\" (?:status: )?\d{3} "
)
# A line of oslo.log in a file without stamps.
_NO_STAMP = re.compile(
    rb"(?=(?:\d{1,10} )?(?:TRACE|DEBUG|INFO|AUDIT|WARNING|ERROR|CRITICAL) "
    rb"[A-Za-z_][\w.\-]{0,200} )"
)


def joins(line: bytes, following: bytes) -> bool:
    """Return whether *following* continues *line*, as a traceback does."""
    if not following:
        return False
    begins = _BEGINS.match(following) or _NO_STAMP.match(following)
    if begins is None:
        if following.startswith(b"{") or _REQUESTS.match(following):
            return False
        # In a file without stamps a line without one is nothing special.
        return _BEGINS.match(line) is not None or _is_traceback(following)
    traced = _TRACE.search(following, begins.end(), begins.end() + 400)
    first = _BEGINS.match(line)
    start = first.end() if first else 0
    logged = _LOGGER.search(line, start, start + 600)
    return (
        traced is not None
        and logged is not None
        and traced["logger"] == logged["logger"]
        and traced["pid"] == logged["pid"]
    )


def stands_alone(line: bytes) -> bool:
    """Return whether *line*, which names a request, continues no other.

    A line with the id and without a stamp is a line of its own, unless it
    is an exception whose text quotes the id.
    """
    return _BEGINS.match(line) is None and not _is_traceback(line)


def _is_traceback(line: bytes) -> bool:
    return (
        line[:1].isspace()
        or line.startswith(b"Traceback ")
        or _EXCEPTION.match(line) is not None
    )


class LineReader:
    """Turns the hits of one source into lines of a request."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known_years: Years | None = None
        self._services: dict[int, str] = {}

    def read(self, hit: Hit) -> LogLine:
        """Return *hit* as a line, the prefixes of its traceback removed."""
        text = without_colours(hit.line.decode("utf-8", "replace"))
        json_start = _JSON.match(text)
        prefix = LinePrefix(None, text) if json_start else self._prefix(text)
        if json_start is not None:
            text = text[json_start.end() :]
        elif prefix.message.startswith('{"') and not prefix.has_logger:
            # A collector's own prefix stands before its JSON.
            text = prefix.message
        else:
            text = ""
        more: tuple[str, ...]
        if text:
            held = self._json_prefix(text)
            at = held.at if held.at is not None else prefix.at
            prefix = held._replace(at=at)
            more = _traceback_in(text)
        else:
            more = tuple(map(self._joined, hit.more))
        name = self._source.name
        # A line of no known form is shown as it stands.
        entry = entry_of_line(
            hit.line,
            self._years,
            name,
            Unread(),
            stated=self._source.stated,
        )
        half = None
        if entry is not None and is_half(entry):
            entry, half = None, entry
        if entry is not None and _possible(entry.at) is None:
            entry = None
        ids = _ids_of(entry, half, prefix)
        at = _possible(prefix.at)
        if at is None and entry is not None:
            # A web server's stamp stands within its line.
            at = entry.at
        return LogLine(
            at=at,
            service=self._service_of(prefix),
            message=prefix.message,
            host=prefix.host,
            level=prefix.level or "",
            logger=prefix.logger,
            pid=prefix.pid,
            request_id=ids.request_id,
            global_request_id=ids.global_request_id,
            entry=entry,
            more=_without_blank_end(more),
            source=name,
            offset=hit.offset,
            half=half,
        )

    @property
    def _years(self) -> Years:
        if self._known_years is None:
            self._known_years = years_of(
                head_of(self._source),
                self._source.modified,
                self._source.local,
            )
        return self._known_years

    def _prefix(self, text: str) -> LinePrefix:
        return prefix_of(text, self._years, self._source.name)

    def _json_prefix(self, text: str) -> LinePrefix:
        try:
            held = unwrapped(text, self._years, self._source.name)
        except Unusable:
            held = None
        if held is None:
            return LinePrefix(None, text)
        if held.record is not None:
            return _record_prefix(held.record)
        return held.line or LinePrefix(None, text)

    def _joined(self, line: bytes) -> str:
        text = without_colours(line.decode("utf-8", "replace"))
        if _BEGINS.match(line) is None and _NO_STAMP.match(line) is None:
            return text
        name = self._source.name
        return prefix_of(text, self._years, name, is_stamped=True).message

    def _service_of(self, prefix: LinePrefix) -> str:
        """Return the service of a line: by file or unit, logger, process."""
        named = prefix.service or ""
        if is_service(named):
            return named
        pid = prefix.pid or 0
        service = self._services.get(pid) or service_that_logs(prefix.logger)
        if service is not None:
            # Libraries log for the same service in this process.
            self._services[pid] = service
            return service
        project = prefix.logger.partition(".")[0]
        return (project if is_service(project) else named) or UNKNOWN


def _ids_of(
    entry: AccessEntry | None, half: AccessEntry | None, prefix: LinePrefix
) -> AccessEntry | RequestContext:
    """Return what has the ids of a line: a front's line has no context."""
    found = entry or half
    if found is not None and found.request_id:
        return found
    return prefix.context


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _possible(at: float | None) -> float | None:
    """Return *at* if a calendar has it, or else None."""
    return at if at is not None and 0 <= at < _LATEST_AT else None


def _record_prefix(fields: dict[str, Any]) -> LinePrefix:
    """Return a record as the line that ``log_requests`` writes for it."""
    try:
        record = RequestRecord.from_dict(fields)
    except RecordError:
        return LinePrefix(None, "damaged record")
    began = iso_epoch(record.started_at)
    return LinePrefix(
        None if began is None else began + record.duration_ms / 1000,
        _text_of(record),
        record.host,
        record.service,
        int(record.pid),
        "INFO",
        LOGGER,
        RequestContext(record.request_id, record.global_request_id),
    )


def _text_of(record: RequestRecord) -> str:
    db_api = record.groups.get(DB_API.name)
    calls = (
        f", db_api {db_api.calls} calls {db_api.ms:.1f} ms" if db_api else ""
    )
    title = full_title_of(record)
    if record.kind == REQUEST.name:
        title = f"{record.method} {record.path or record.route}"
    status = status_of(record, "0")
    return f"{title} {status} {record.duration_ms:.1f} ms{calls}"


def _traceback_in(text: str) -> tuple[str, ...]:
    """Return the lines of a JSON line's traceback, if it has one."""
    try:
        traceback = json.loads(text).get("traceback")
    except (AttributeError, ValueError, RecursionError):
        return ()
    if not isinstance(traceback, str):
        return ()
    return tuple(traceback.splitlines()[:MOST_JOINED])
