# SPDX-License-Identifier: Apache-2.0
"""What one request did: the value that capture writes and readers read."""

from __future__ import annotations

from typing import Any, NamedTuple

SCHEMA = 1

OK = "ok"
FAILED = "failed"
ABORTED = "aborted"


class RecordError(ValueError):
    """A JSON object is not a record that this version can read."""


class GroupTotals(NamedTuple):
    """All calls of one group: how many, their sum, the wall time covered.

    ``ms`` adds up parallel calls, ``wall_ms`` counts each moment once.
    """

    calls: int
    ms: float
    wall_ms: float


class CallTotals(NamedTuple):
    """All calls of one name within a group; exact however many there were.

    ``nested`` of the ``count`` calls ran inside another call of the same
    group. They are in no figure of the group and not in ``ms`` here.
    ``driver_ms``, of DB API functions only, is the part of ``ms`` that the
    database driver took; the rest is SQLAlchemy and nova's own wrapper.
    """

    group: str
    name: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    ms: float
    max_ms: float
    errors: int = 0
    nested: int = 0
    driver_ms: float | None = None


class StatementTotals(NamedTuple):
    """All executions of one SQL statement, its values gone."""

    statement: str
    name: str
    engine: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    ms: float
    max_ms: float
    rows: int = 0
    errors: int = 0
    executemany: int = 0


class TimelineEntry(NamedTuple):
    """One call, ``start_ms`` after the request began.

    ``lane`` 0 is the request's own thread, each other one a thread or
    greenthread that worked for it. ``statement`` is an index into the
    record's ``statements``, None for what is not SQL. ``nested`` tells
    that the call ran inside another one of its group.
    """

    group: str
    name: str
    start_ms: float
    ms: float
    lane: int = 0
    rows: int | None = None
    error: str | None = None
    nested: bool = False
    statement: int | None = None


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

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready values, times to the microsecond.

        ``timeline`` and ``statements`` are there only if they were filled.
        """
        fields: dict[str, Any] = {"schema": SCHEMA}
        for name in _PLAIN:
            fields[name] = getattr(self, name)
        for name in _TIMES:
            fields[name] = _rounded(getattr(self, name))
        fields["groups"] = {
            group: _named(totals) for group, totals in self.groups.items()
        }
        fields["breakdown_ms"] = {
            bucket: round(ms, 3) for bucket, ms in self.breakdown_ms.items()
        }
        fields["calls"] = [_named(totals) for totals in self.calls]
        fields["counts"] = dict(self.counts)
        if self.statements is not None:
            fields["statements"] = [_named(row) for row in self.statements]
        if self.timeline is not None:
            fields["timeline"] = [_named(entry) for entry in self.timeline]
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
        if not _is_number(schema) or isinstance(schema, float):
            raise RecordError(f"schema {_shown(schema)} is not a number")
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
                str(group): _tuple_of(GroupTotals, totals)
                for group, totals in fields.get("groups", {}).items()
            }
            record.breakdown_ms = {
                str(bucket): float(_number("breakdown_ms", ms))
                for bucket, ms in fields.get("breakdown_ms", {}).items()
            }
            record.counts = {
                str(name): int(_number("counts", count))
                for name, count in fields.get("counts", {}).items()
            }
            record.calls = _rows_of(CallTotals, fields.get("calls", ()))
            if "statements" in fields:
                record.statements = _rows_of(
                    StatementTotals, fields["statements"]
                )
            if "timeline" in fields:
                record.timeline = _rows_of(TimelineEntry, fields["timeline"])
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

# Larger than any time or count that was ever measured, and small enough to
# be added up as a float.
_MOST = 1e15
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
        return _number(name, value)
    wanted = dict if name == "profile" else str
    if not isinstance(value, wanted):
        raise ValueError(f"{name} = {_shown(value)}")
    return value


def _is_number(value: Any) -> bool:
    """Return whether readers can calculate with *value*: no NaN, no 1e400."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -_MOST <= value <= _MOST
    )


def _number(name: str, value: Any) -> Any:
    if not _is_number(value):
        raise ValueError(f"{name} = {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """Return *value* in a few characters, whatever it is."""
    try:
        return f"{value!r:.40}"
    except ValueError:
        # An integer of more digits than Python turns into text.
        return "a very long number"


def _tuple_of(kind: Any, fields: dict[str, Any]) -> Any:
    row = kind(**{k: v for k, v in fields.items() if k in kind._fields})
    texts = _TEXTS[kind]
    for name, value in zip(kind._fields, row, strict=True):
        if value is None and kind._field_defaults.get(name, 0) is None:
            continue
        if name in texts:
            good = isinstance(value, str)
        elif isinstance(value, bool):
            good = name == "nested"
        else:
            good = _is_number(value)
        if not good:
            raise ValueError(f"{name} = {_shown(value)}")
    return row


def _rows_of(kind: Any, rows: Any) -> list[Any]:
    return [_tuple_of(kind, row) for row in rows]


_TEXTS: dict[Any, set[str]] = {
    GroupTotals: set(),
    CallTotals: {"group", "name"},
    StatementTotals: {"statement", "name", "engine"},
    TimelineEntry: {"group", "name", "error"},
}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _named(row: Any) -> dict[str, Any]:
    """Return a row as JSON, without the parts that do not apply."""
    fields = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in row._asdict().items()
    }
    if fields.get("nested") is False:
        del fields["nested"]
    for name in ("statement", "driver_ms"):
        if name in fields and fields[name] is None:
            del fields[name]
    return fields
