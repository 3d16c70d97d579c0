# SPDX-License-Identifier: Apache-2.0
"""What one request did: the value that capture writes and readers read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nova_profiler.errors import NovaProfilerError
from nova_profiler.record.rows import (
    CallTotals,
    GroupTotals,
    StatementTotals,
    TimelineEntry,
    fields_of,
    is_number,
    number_of,
    rounded,
    row_of,
    rows_of,
    shown,
)

__all__ = [
    "ABORTED",
    "FAILED",
    "OK",
    "SCHEMA",
    "Attach",
    "CallTotals",
    "GroupTotals",
    "Profiled",
    "RecordError",
    "RequestRecord",
    "StatementTotals",
    "TimelineEntry",
]

SCHEMA = 1

OK = "ok"
FAILED = "failed"
ABORTED = "aborted"


class RecordError(NovaProfilerError, ValueError):
    """A JSON object is not a record that this version can read."""


# Keeps the content of a file with a suffix, ``.prof`` or ``.pyisession``,
# beside the dump of the record, whose profile then names the file; with a
# profile given, that one is the record's from then on. May raise OSError.
Attach = Callable[[str, bytes, "dict[str, Any] | None"], None]


class Profiled(Protocol):
    """The stacks of a request, for the dump of its record."""

    def attach(self, attach: Attach) -> None:
        """Hand the file to *attach*: at once, or later from any thread.

        Called only if the record is dumped. At once means before the dump
        is there; what ``profile`` holds after that is in it.
        """


class RequestRecord:
    """One finished request. Times are milliseconds.

    Fields and their names are the contract of doc/source/reference/record;
    ``statements`` and ``timeline`` are only filled for a dump.
    """

    __slots__ = (
        "action",
        "app_ms",
        "breakdown_ms",
        "calls",
        "counts",
        "cpu_ms",
        "db_api_calls",
        "dropped_calls",
        "duration_ms",
        "durations",
        "error",
        "global_request_id",
        "groups",
        "host",
        "method",
        "outcome",
        "path",
        "pid",
        "profile",
        "profiled",
        "project_id",
        "project_name",
        "remote_address",
        "request_id",
        "response_bytes",
        "route",
        "self_ms",
        "service",
        "started_at",
        "statements",
        "status",
        "timeline",
        "user_id",
        "user_name",
    )

    def __init__(self) -> None:
        self.service: str = ""
        self.host: str = ""
        self.pid: int = 0
        self.request_id: str | None = None
        self.global_request_id: str | None = None
        self.started_at: str = ""
        self.method: str = ""
        self.path: str = ""
        self.route: str = ""
        self.action: str | None = None
        self.status: int = 0
        self.response_bytes: int = 0
        self.duration_ms: float = 0.0
        self.app_ms: float = 0.0
        self.cpu_ms: float | None = None
        self.user_id: str | None = None
        self.project_id: str | None = None
        self.user_name: str | None = None
        self.project_name: str | None = None
        self.remote_address: str | None = None
        self.outcome: str = OK
        self.error: str | None = None
        self.groups: dict[str, GroupTotals] = {}
        self.breakdown_ms: dict[str, float] = {}
        self.calls: list[CallTotals] = []
        self.counts: dict[str, int] = {}
        self.dropped_calls: int = 0
        self.profile: dict[str, Any] | None = None
        self.self_ms: float = 0.0
        self.statements: list[StatementTotals] | None = None
        self.timeline: list[TimelineEntry] | None = None
        # For the sinks of the process that made it, not written anywhere:
        # the first calls' milliseconds of names that were called more than
        # once, by group and name;
        self.durations: dict[tuple[str, str], list[float]] = {}
        # module.function and seconds of each DB API call, in their order.
        self.db_api_calls: list[tuple[str, float]] | None = None
        # the stacks, for the sink that writes the dump.
        self.profiled: Profiled | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready values, times to the microsecond.

        ``timeline`` and ``statements`` are there only if they were filled.
        """
        fields: dict[str, Any] = {"schema": SCHEMA}
        for name in _PLAIN:
            fields[name] = getattr(self, name)
        for name in _TIMES:
            fields[name] = rounded(getattr(self, name))
        fields["groups"] = {
            group: fields_of(totals) for group, totals in self.groups.items()
        }
        fields["breakdown_ms"] = {
            bucket: round(ms, 3) for bucket, ms in self.breakdown_ms.items()
        }
        fields["calls"] = [fields_of(totals) for totals in self.calls]
        fields["counts"] = dict(self.counts)
        if self.statements is not None:
            fields["statements"] = [fields_of(row) for row in self.statements]
        if self.timeline is not None:
            fields["timeline"] = [fields_of(entry) for entry in self.timeline]
        return fields

    @classmethod
    def from_dict(cls, fields: object) -> RequestRecord:
        """Return the record that *fields*, read from JSON, describe.

        A field that is not there keeps its default, one that this version
        does not know is left out: newer releases add fields. Raises
        RecordError for anything that is not a record, and for a newer
        schema.
        """
        if not isinstance(fields, dict) or "schema" not in fields:
            raise RecordError("not a nova-profiler record")
        schema = fields["schema"]
        if not is_number(schema) or isinstance(schema, float):
            raise RecordError(f"schema {shown(schema)} is not a number")
        if schema > SCHEMA:
            raise RecordError(
                f"schema {schema} is newer than this version reads "
                f"({SCHEMA}); upgrade nova-profiler"
            )
        record = cls()
        try:
            for name in (*_PLAIN, *_TIMES):
                if name in fields:
                    setattr(record, name, _checked(name, fields[name]))
            record.groups = {
                str(group): row_of(GroupTotals, totals)
                for group, totals in fields.get("groups", {}).items()
            }
            record.breakdown_ms = {
                str(bucket): float(number_of("breakdown_ms", ms))
                for bucket, ms in fields.get("breakdown_ms", {}).items()
            }
            record.counts = {
                str(name): int(number_of("counts", count))
                for name, count in fields.get("counts", {}).items()
            }
            record.calls = rows_of(CallTotals, fields.get("calls", ()))
            if "statements" in fields:
                record.statements = rows_of(
                    StatementTotals, fields["statements"]
                )
            if "timeline" in fields:
                record.timeline = rows_of(TimelineEntry, fields["timeline"])
        except (TypeError, ValueError, AttributeError, KeyError) as exc:
            raise RecordError(f"damaged record: {exc}") from exc
        return record


_PLAIN = (
    "service",
    "host",
    "pid",
    "request_id",
    "global_request_id",
    "started_at",
    "method",
    "path",
    "route",
    "action",
    "status",
    "response_bytes",
    "user_id",
    "project_id",
    "user_name",
    "project_name",
    "remote_address",
    "outcome",
    "error",
    "dropped_calls",
    "profile",
)
_TIMES = ("duration_ms", "app_ms", "cpu_ms", "self_ms")

_NUMBERS = {"pid", "status", "response_bytes", "dropped_calls", *_TIMES}
_NULLABLE = {
    "request_id",
    "global_request_id",
    "action",
    "user_id",
    "project_id",
    "user_name",
    "project_name",
    "remote_address",
    "error",
    "cpu_ms",
    "profile",
}


def _checked(name: str, value: Any) -> Any:
    """Return *value* if a reader can rely on its type for field *name*."""
    if value is None and name in _NULLABLE:
        return None
    if name in _NUMBERS:
        return number_of(name, value)
    wanted = dict if name == "profile" else str
    if not isinstance(value, wanted):
        raise ValueError(f"{name} = {shown(value)}")
    return value
