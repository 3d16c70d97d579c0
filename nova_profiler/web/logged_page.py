# SPDX-License-Identifier: Apache-2.0
"""The page of a request that has no dump: what its logs have of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_profiler.groups import EITHER, PYTHON
from nova_profiler.reading.requests.one_request.loading import json_fields
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.page_colors import class_of
from nova_profiler.reading.screen.terminal import time_text
from nova_profiler.web.choice import Choice
from nova_profiler.web.overview.figures import label_of, row_fields
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.lines import Lines, follow_command

_FACTS = (
    ("request_id", "request id"),
    ("status", "status"),
    ("user", "user"),
    ("project", "project"),
    ("service", "service"),
    ("kind", "kind"),
)


def logged_fields(
    row: Row, found: Lines, logs: Sequence[str]
) -> dict[str, Any]:
    """Return what is known, ready for JSON.

    ``record`` is None where no line is one. *logs* are what a command to
    follow the request names.
    """
    record = found.record
    return {
        **row_fields(row),
        "lines": [line._asdict() for line in found.lines],
        "is_whole": found.is_whole,
        "record": None if record is None else json_fields(None, record, None),
        "follow": follow_command(row.request_id, logs)
        if row.request_id and logs
        else None,
    }


def _parts_of(record: dict[str, Any]) -> dict[str, float]:
    """Return ``RequestRecord.parts_ms`` of a record's fields."""
    parts = record.get("breakdown_ms") or {}
    if record.get("cpu_ms") is not None:
        return dict(parts)
    return {
        EITHER.name if name == PYTHON.name else name: ms
        for name, ms in parts.items()
    }


def page_of(row: Row, fields: dict[str, Any], home: str) -> str:
    """Return the page; raises NovaProfilerError without Jinja2."""
    record = fields["record"] or {}
    parts = _parts_of(record) or dict(row.parts)
    whole = max(row.duration_ms, sum(parts.values()), 1e-3)
    return rendered_still(
        "logged.html",
        row=row,
        fields=fields,
        home=home,
        others=home + Choice(route=row.title, sort="ms").link(),
        facts=[
            (label, fields[name]) for name, label in _FACTS if fields[name]
        ],
        started=time_text(row.started_at),
        parts=[
            (name, label_of(name), ms, ms / whole)
            for name, ms in sorted(parts.items(), key=lambda part: -part[1])
            if ms > 0
        ],
        advice=record.get("advice") or [],
        class_of=class_of,
    )
