# SPDX-License-Identifier: Apache-2.0
"""Our own records: a line of ``log_file``, or in an oslo JSON line."""

from __future__ import annotations

from typing import Any

from nova_profiler.groups import DB_API
from nova_profiler.reading.advice.adding_up import Found
from nova_profiler.reading.advice.rules.table import (
    findings_of,
    largest_group,
    looks_at,
)
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.files.sources import DUMP
from nova_profiler.reading.logs.forms import (
    BAD_RECORD,
    BAD_TIME,
    LONGEST_MS,
    NEWER_RECORD,
    OTHER_KIND,
    Unusable,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_record,
)
from nova_profiler.reading.logs.line_parts.services import UNKNOWN
from nova_profiler.reading.logs.line_parts.stamps import iso_epoch
from nova_profiler.record import (
    REQUEST,
    SCHEMA,
    CallTotals,
    RecordError,
    RequestRecord,
    rows_of,
)

LOG_FILE = "log_file"

# Entries need none of these, and checking them is most of the work.
_LISTS = ("calls", "counts", "statements", "timeline")


def is_record(fields: dict[str, Any]) -> bool:
    """Return whether *fields* are one of our records."""
    return "schema" in fields and "duration_ms" in fields


def entry_of(fields: dict[str, Any], form: str = LOG_FILE) -> AccessEntry:
    """Return the request of a record, read from JSON.

    Raises Unusable for a dump, which a timeline marks: the log_file has its
    request, too.
    """
    if "timeline" in fields:
        raise Unusable(DUMP)
    kept = fields.copy()
    for name in _LISTS:
        kept.pop(name, None)
    try:
        record = RequestRecord.from_dict(kept)
    except RecordError as exc:
        schema = fields["schema"]
        is_newer = isinstance(schema, int) and schema > SCHEMA
        raise Unusable(NEWER_RECORD if is_newer else BAD_RECORD) from exc
    if record.kind != REQUEST.name:
        raise Unusable(OTHER_KIND)
    if not 0 <= record.duration_ms <= LONGEST_MS:
        raise Unusable(BAD_TIME)
    began = iso_epoch(record.started_at)
    db_api = record.groups.get(DB_API.name)
    return AccessEntry(
        form,
        record.service or UNKNOWN,
        None if began is None else began + record.duration_ms / 1000,
        method_of(record.method),
        route_of_record(record.route),
        int(record.status),
        record.duration_ms,
        None if record.response_bytes is None else int(record.response_bytes),
        record.request_id,
        record.global_request_id,
        record.user_id,
        record.user_name,
        record.project_id,
        record.project_name,
        record.remote_address,
        None if db_api is None else db_api.ms,
        None if db_api is None else int(db_api.calls),
        record.parts_ms or None,
        None if db_api is None else db_api.wall_ms,
        _found_in(record, fields.get("calls")),
        unnamed_ms=record.unnamed_ms or None,
    )


def _found_in(record: RequestRecord, calls: Any) -> tuple[Found, ...]:
    """Return what rules find in *record*, which gets those of its *calls*."""
    largest = largest_group(record)
    try:
        record.calls = rows_of(
            CallTotals,
            [row for row in calls or () if looks_at(row["group"], largest)],
        )
    except (TypeError, ValueError, KeyError):
        # Figures need no calls: a damaged one is not in the way.
        return ()
    return tuple(findings_of(record, largest))
