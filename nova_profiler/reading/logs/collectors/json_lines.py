# SPDX-License-Identifier: Apache-2.0
"""Unwraps lines that are a JSON object: a line of text, or a record of ours.

oslo.log's JSON and Fluent formatters and all collectors write them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nova_profiler.reading.logs.collectors import (
    COLLECTORS,
    PLAIN,
    Collector,
    value_of,
)
from nova_profiler.reading.logs.collectors.taken_apart import (
    context_of_fields,
    entry_of_fields,
)
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import BAD_RECORD, Unusable
from nova_profiler.reading.logs.forms.own_records import is_record
from nova_profiler.reading.logs.line_parts.colours import without_colours
from nova_profiler.reading.logs.line_parts.contexts import (
    RequestContext,
    id_and_name,
)
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
)
from nova_profiler.reading.logs.line_parts.services import (
    is_service,
    service_of_file,
)
from nova_profiler.reading.logs.line_parts.stamps import (
    Years,
    iso_epoch,
    moment_of,
)

# journald allows a line 48 KiB by default.
_MOST_BYTES = 256 * 1024


_MOST_WRAPPED = 4


class Unwrapped(NamedTuple):
    """The content of a JSON line: a line of text, or a record of ours.

    ``entry`` is a request that a collector took apart. ``text`` is the line
    with what was taken for its prefix.
    """

    line: LinePrefix | None
    record: dict[str, Any] | None = None
    is_log_file: bool = False
    entry: AccessEntry | None = None
    text: str = ""


def unwrapped(text: str, years: Years, file: str) -> Unwrapped | None:
    """Return what the object *text* wraps, None if its form is unknown.

    Raises Unusable where *text* is no JSON: cut off, for one.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(BAD_RECORD) from None
    return _unwrapped(fields, years, file, _MOST_WRAPPED)


def _unwrapped(
    fields: Any, years: Years, file: str, depth: int
) -> Unwrapped | None:
    if not isinstance(fields, dict) or not depth:
        return None
    if is_record(fields):
        return Unwrapped(None, fields, is_log_file=True)
    for place in ("extra", "args"):
        inner = fields.get(place)
        if isinstance(inner, dict) and is_record(inner):
            return Unwrapped(None, inner)
    message = fields.get("message")
    if isinstance(message, str) and isinstance(fields.get("name"), str):
        return Unwrapped(_oslo_line(fields, message, years, file))
    for collector in COLLECTORS:
        inner = value_of(fields, collector.within)
        if isinstance(inner, dict):
            found = _unwrapped(inner, years, file, depth - 1)
            if found is not None:
                return found
        held = _message_of(value_of(fields, collector.text))
        if held is not None:
            return _collected(fields, held, collector, years, file, depth)
    line = _outer_line(fields, "", PLAIN, years, file)
    entry = entry_of_fields(fields, line)
    return None if entry is None else Unwrapped(line, entry=entry)


def _collected(
    fields: dict[str, Any],
    held: str,
    collector: Collector,
    years: Years,
    file: str,
    depth: int,
) -> Unwrapped | None:
    """Return what a collector's record has in the text *held*."""
    held = without_colours(held).rstrip()
    line = _outer_line(fields, held, collector, years, file)
    if held.startswith("{") and held.endswith("}"):
        try:
            inner = _unwrapped(json.loads(held), years, file, depth - 1)
        except (ValueError, RecursionError):
            inner = None
        if inner is not None:
            return inner._replace(
                line=inner.line and _filled(inner.line, line)
            )
    if not line.has_logger:
        entry = entry_of_fields(fields, line)
        return Unwrapped(line, entry=entry, text=held)
    return Unwrapped(line, text=held)


def _filled(line: LinePrefix, outer: LinePrefix) -> LinePrefix:
    """Return *line* with what only the record around it has."""
    named = line.service is None or not is_service(line.service)
    return line._replace(
        at=line.at if line.at is not None else outer.at,
        host=line.host or outer.host,
        service=outer.service if named else line.service,
        pid=line.pid or outer.pid,
    )


def _message_of(value: object) -> str | None:
    """Return the text that journald or docker wrapped, None if there is none.

    journald writes a text with an ESC in it as a list of bytes, and null
    for a text that is too long.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or len(value) > _MOST_BYTES:
        return None
    try:
        return bytes(value).decode("utf-8", "replace")
    except (TypeError, ValueError, OverflowError):
        return None


def _oslo_line(
    fields: dict[str, Any], message: str, years: Years, file: str
) -> LinePrefix:
    context = fields.get("context")
    return LinePrefix(
        _created(fields, years),
        without_colours(message),
        _text(fields.get("hostname")),
        service_of_file(file),
        _whole(fields.get("process")),
        _text(fields.get("levelname") or fields.get("level")),
        fields["name"],
        _context_of(context if isinstance(context, dict) else {}),
    )


def _created(fields: dict[str, Any], years: Years) -> float | None:
    created = fields.get("created")
    if isinstance(created, float) and 0 <= created < 1e11:
        return created
    # Fluent's formatter has only the text, with a comma before the ms.
    stamp = _text(fields.get("time")) or _text(fields.get("asctime")) or ""
    return iso_epoch(stamp.replace(",", "."), years.local)


def _context_of(context: dict[str, Any]) -> RequestContext:
    user_id, user = id_and_name(_first(context, "user_id", "user"))
    project_id, project = id_and_name(
        _first(context, "project_id", "tenant", "project")
    )
    return RequestContext(
        _text(context.get("request_id")),
        _text(context.get("global_request_id")),
        user_id,
        _text(context.get("user_name")) or user,
        project_id,
        _text(context.get("project_name")) or project,
    )


def _outer_line(
    fields: dict[str, Any],
    message: str,
    collector: Collector,
    years: Years,
    file: str,
) -> LinePrefix:
    """Return the text line that a collector wrapped."""
    line = prefix_of(message, years, file, is_stamped=True)
    at = line.at
    if at is None:
        at = moment_of(value_of(fields, collector.time), years.local)
    found = line._replace(
        at=at,
        host=_text(value_of(fields, collector.host)) or line.host,
        service=_service_of(fields, collector) or line.service,
        pid=line.pid or _number(value_of(fields, collector.pid)),
    )
    if found.has_logger:
        return found
    return found._replace(
        level=_text(value_of(fields, collector.level)) or found.level,
        logger=_text(value_of(fields, collector.logger)) or "",
        context=context_of_fields(fields),
    )


def _service_of(fields: dict[str, Any], collector: Collector) -> str | None:
    """Return the service that a record names: of OpenStack, or else any."""
    first = None
    for key in collector.names:
        name = _text(value_of(fields, (key,)))
        service = service_of_file(name) if name else None
        if service is not None:
            if is_service(service):
                return service
            first = first or service
    return first


def _first(fields: dict[str, Any], *names: str) -> str | None:
    return next(filter(None, (_text(fields.get(n)) for n in names)), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    text = str(value) if isinstance(value, (str, int)) else ""
    return int(text) if text.isdecimal() and len(text) <= 10 else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
