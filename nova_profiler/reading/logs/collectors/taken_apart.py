# SPDX-License-Identifier: Apache-2.0
"""Requests in records that a collector took apart, read field by field."""

from __future__ import annotations

import re
from typing import Any

from nova_profiler.reading.logs.collectors import FIELDS, TIMES, value_of
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import address_of, bytes_of, ms_of
from nova_profiler.reading.logs.forms.access_logs import waits_of
from nova_profiler.reading.logs.forms.access_times import ms_of_tries
from nova_profiler.reading.logs.line_parts.contexts import (
    RequestContext,
    id_and_name,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_of_logger,
)

FIELDS_FORM = "fields"

_REQUEST = re.compile(r"([A-Z]{3,10}) (\S+)(?: HTTP/[\d.]+)?")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,12})?(?:[eE]-?\d{1,2})?")
_BARE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def entry_of_fields(
    fields: dict[str, Any], line: LinePrefix
) -> AccessEntry | None:
    """Return the request of a record, None unless it has all that one needs.

    *line* has the time, the service and the context. Raises Unusable for an
    impossible time.
    """
    method, path = _asked(fields)
    status = _number(value_of(fields, FIELDS["status"]))
    found = next(
        (
            (value, unit_ms)
            for key, unit_ms in TIMES
            if (value := _number(value_of(fields, (key,)))) is not None
        ),
        None,
    )
    if method is None or path is None or status is None or found is None:
        return None
    ms = ms_of(found[0], found[1])
    code = int(float(status)) if len(status) < 6 else 0
    upstream = value_of(fields, FIELDS["upstream"])
    return AccessEntry(
        FIELDS_FORM,
        service_of_logger(line.logger) or line.service or UNKNOWN,
        line.at,
        method_of(method),
        route_of_path(path, code),
        code,
        ms,
        bytes_of(_number(value_of(fields, FIELDS["bytes"])) or ""),
        *line.context,
        remote_address=address_of(
            _text(value_of(fields, FIELDS["address"])) or "-"
        ),
        waits_ms=waits_of(ms, ms_of_tries(str(upstream or ""))),
    )


def context_of_fields(fields: dict[str, Any]) -> RequestContext:
    """Return the ids of the request, its user and project."""
    user = id_and_name(_text(value_of(fields, FIELDS["user"])))
    project = id_and_name(_text(value_of(fields, FIELDS["project"])))
    return RequestContext(
        _request_id(fields, "request_id"),
        _request_id(fields, "global_request_id"),
        *user,
        *project,
    )


def _request_id(fields: dict[str, Any], name: str) -> str | None:
    """Return an id; some collectors take ``req-`` off."""
    text = _text(value_of(fields, FIELDS[name]))
    if text is not None and _BARE_ID.fullmatch(text):
        return f"req-{text}"
    return text if text is not None and text.startswith("req-") else None


def _asked(fields: dict[str, Any]) -> tuple[str | None, str | None]:
    method = _text(value_of(fields, FIELDS["method"]))
    path = _text(value_of(fields, FIELDS["path"]))
    if method and path:
        return method, path
    request = _REQUEST.fullmatch(
        _text(value_of(fields, FIELDS["request"])) or ""
    )
    return (request[1], request[2]) if request else (method, path)


def _number(value: Any) -> str | None:
    """Return a number as text, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(value).strip()
    return text if _NUMBER.fullmatch(text) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
