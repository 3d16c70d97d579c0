# SPDX-License-Identifier: Apache-2.0
"""Unwraps lines that are a JSON object: a line of text, or a record of ours.

oslo.log's JSON and Fluent formatters, journald's export and docker's log
driver write them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nova_profiler.reading.logs.forms import BAD_RECORD, Unusable
from nova_profiler.reading.logs.forms.own_records import is_record
from nova_profiler.reading.logs.line_parts.contexts import (
    RequestContext,
    id_and_name,
)
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
    without_colours,
)
from nova_profiler.reading.logs.line_parts.services import (
    service_of_file,
    service_of_unit,
)
from nova_profiler.reading.logs.line_parts.stamps import Years, iso_epoch

# journald allows a line 48 KiB by default.
_MOST_BYTES = 256 * 1024


class Unwrapped(NamedTuple):
    """The content of a JSON line: a line of text, or a record of ours."""

    line: LinePrefix | None
    record: dict[str, Any] | None = None
    is_log_file: bool = False


def unwrapped(text: str, years: Years, file: str) -> Unwrapped | None:
    """Return what the object *text* wraps, None if its form is unknown.

    Raises Unusable where *text* is no JSON: cut off, for one.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(BAD_RECORD) from None
    if not isinstance(fields, dict):
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
    for name in ("MESSAGE", "log"):
        wrapped = _message_of(fields.get(name))
        if wrapped is not None:
            return Unwrapped(_outer_line(fields, wrapped, years, file))
    return None


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
    fields: dict[str, Any], message: str, years: Years, file: str
) -> LinePrefix:
    """Return the text line that journald or docker wrapped."""
    # The escapes of colours are JSON's until here; docker adds line ends.
    message = without_colours(message).rstrip()
    line = prefix_of(message, years, file, is_stamped=True)
    unit = _text(
        fields.get("_SYSTEMD_UNIT") or fields.get("SYSLOG_IDENTIFIER")
    )
    at = line.at
    if at is None:
        micros = _text(fields.get("__REALTIME_TIMESTAMP")) or ""
        if micros.isdecimal() and len(micros) <= 17:
            at = int(micros) / 1e6
        else:
            at = iso_epoch(_text(fields.get("time")) or "", years.local)
    return line._replace(
        at=at,
        host=_text(fields.get("_HOSTNAME")) or line.host,
        service=(service_of_unit(unit) if unit else None) or line.service,
        pid=line.pid or _number(fields.get("_PID")),
    )


def _first(fields: dict[str, Any], *names: str) -> str | None:
    return next(filter(None, (_text(fields.get(n)) for n in names)), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    text = _text(value) or ""
    return int(text) if text.isdecimal() and len(text) <= 10 else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
