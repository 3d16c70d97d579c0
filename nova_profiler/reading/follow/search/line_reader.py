# SPDX-License-Identifier: Apache-2.0
"""Reads the lines found of a request: plain ones, JSON, tracebacks."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from nova_profiler.groups import DB_API
from nova_profiler.reading.follow.search.hits import MOST_JOINED, Hit, LogLine
from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.files.sources import Source, head_of
from nova_profiler.reading.logs.forms import Unusable
from nova_profiler.reading.logs.forms.json_lines import unwrapped
from nova_profiler.reading.logs.forms.own_log_lines import LOGGER
from nova_profiler.reading.logs.line_parts.contexts import RequestContext
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
    without_colours,
)
from nova_profiler.reading.logs.line_parts.services import UNKNOWN
from nova_profiler.reading.logs.line_parts.stamps import (
    Years,
    iso_epoch,
    years_of,
)
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.record import RecordError, RequestRecord

# The begin of a line that has a prefix of its own.
_BEGINS = re.compile(
    rb"\S{0,300}?[: ]?(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\{\")"
)
_JSON = re.compile(r"(?:\S{1,300}: ?)?(?=\{\")")
# oslo.log writes the lines of a traceback with a prefix and no context.
_TRACE = re.compile(
    rb"(?:\d+ )?(?:ERROR|TRACE|CRITICAL|WARNING) (?P<logger>[\w.\-]+)"
    rb"(?: (?!\[(?:-|None|g?req-))|$)"
)
_LOGGER = re.compile(
    rb"(?:\d+ )?(?:ERROR|CRITICAL|WARNING|INFO|DEBUG) (?P<logger>[\w.\-]+)"
    rb" +\["
)
# The last line of a traceback.
_EXCEPTION = re.compile(
    rb"(?:\w{1,100}\.){0,20}[A-Z]\w{0,100}[a-z]\w{0,100}(?:: |$)"
)
# The year 5138; a damaged record may hold any number.
_LATEST_AT = 1e11
_PROJECTS = re.compile(
    r"(?:barbican|cinder|designate|glance|heat|ironic|keystone|magnum|manila"
    r"|neutron|nova|octavia|placement|swift|trove)\b"
)
# The service by the start of its logger, for files named otherwise.
_LOGGERS = (
    ("nova.api", "nova-api"),
    ("nova.osapi_compute", "nova-api"),
    ("nova.metadata", "nova-metadata"),
    ("nova.compute.claims", "nova-compute"),
    ("nova.compute.manager", "nova-compute"),
    ("nova.compute.resource_tracker", "nova-compute"),
    ("nova.virt", "nova-compute"),
    ("nova.conductor", "nova-conductor"),
    ("nova.scheduler.host_manager", "nova-scheduler"),
    ("nova.scheduler.manager", "nova-scheduler"),
    ("neutron", "neutron-server"),
)


def joins(line: bytes, following: bytes) -> bool:
    """Tell whether *following* continues *line*, as a traceback does."""
    if not following:
        return False
    begins = _BEGINS.match(following)
    if begins is None:
        if following.startswith(b"{"):
            return False
        # In a file without stamps a line without one is nothing special.
        return _BEGINS.match(line) is not None or _is_traceback(following)
    traced = _TRACE.search(following, begins.end(), begins.end() + 400)
    logged = _LOGGER.search(line, 0, 600)
    return (
        traced is not None
        and logged is not None
        and traced["logger"] == logged["logger"]
    )


def stands_alone(line: bytes) -> bool:
    """Tell whether *line*, which names a request, continues no other.

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
        if json_start is None:
            prefix = self._prefix(text)
            more = tuple(map(self._joined, hit.more))
        else:
            text = text[json_start.end() :]
            prefix = self._json_prefix(text)
            more = _traceback_in(text)
        name = self._source.name
        # A line of no known form is shown as it stands.
        entry = entry_of_line(hit.line, self._years, name, Unread())
        if entry is not None and _possible(entry.at) is None:
            entry = None
        ids = entry or prefix.context
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
        if _BEGINS.match(line) is None:
            return text
        return self._prefix(text).message

    def _service_of(self, prefix: LinePrefix) -> str:
        """Return the service of a line: by file or unit, logger, process."""
        named = prefix.service or ""
        if _PROJECTS.match(named):
            return named
        pid = prefix.pid or 0
        service = self._services.get(pid) or _service_of_logger(prefix.logger)
        if service is not None:
            # Libraries log for the same service in this process.
            self._services[pid] = service
            return service
        project = _PROJECTS.match(prefix.logger)
        return (
            _service_of_folder(self._source.name)
            or (project and project[0])
            or named
            or UNKNOWN
        )


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _possible(at: float | None) -> float | None:
    """Return *at* if a calendar has it, or else None."""
    return at if at is not None and 0 <= at < _LATEST_AT else None


def _service_of_logger(logger: str) -> str | None:
    for start, service in _LOGGERS:
        if f"{logger}.".startswith(f"{start}."):
            return service
    return None


def _service_of_folder(name: str) -> str | None:
    """Return the service that a folder names: ``nova-api/0.log``."""
    for part in reversed(name.split(os.sep)[:-1]):
        if "-" in part and _PROJECTS.match(part):
            return part
    return None


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
    return (
        f"{record.method} {record.path or record.route} {record.status} "
        f"{record.duration_ms:.1f} ms{calls}"
    )


def _traceback_in(text: str) -> tuple[str, ...]:
    """Return the lines of a JSON line's traceback, if it has one."""
    try:
        traceback = json.loads(text).get("traceback")
    except (AttributeError, ValueError, RecursionError):
        return ()
    if not isinstance(traceback, str):
        return ()
    return tuple(traceback.splitlines()[:MOST_JOINED])
