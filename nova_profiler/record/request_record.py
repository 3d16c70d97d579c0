# SPDX-License-Identifier: Apache-2.0
"""What one request did: the value that capture writes and readers read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Protocol

from nova_profiler.errors import NovaProfilerError
from nova_profiler.record.rows import (
    CallTotals,
    GroupTotals,
    OpenCall,
    OpenStack,
    StatementTotals,
    TimelineEntry,
    fields_of,
    is_number,
    number_of,
    open_stacks_of,
    rounded,
    row_of,
    rows_of,
    shown,
)

SCHEMA = 1

OK = "ok"
FAILED = "failed"
ABORTED = "aborted"
UNANSWERED = "unanswered"
# Its worker ended before it did; and of one that is on, while it is.
KILLED = "killed"
RUNNING = "running"


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


# How a field is written and read: ``known`` is left out where it is null,
# ``rows`` has functions of its own.
PLAIN, KNOWN, TIME, ROWS, HIDDEN = "plain", "known", "time", "rows", "hidden"


def _plain(default: Any, kind: Any, is_null: bool = False) -> Any:
    """Return a field of *kind* that is written as it is."""
    return _field(PLAIN, default, kind=kind, is_null=is_null)


def _known(kind: Any) -> Any:
    """Return a field of *kind* that is written only where it is known."""
    return _field(KNOWN, None, kind=kind, is_null=True)


def _time(default: float | None = 0.0) -> Any:
    """Return a field of milliseconds, written to the microsecond."""
    return _field(TIME, default, kind=float, is_null=default is None)


def _rows(default: Any, write: Callable[[Any], Any], read: Any) -> Any:
    """Return a field of rows; with None for a default a dump alone has it."""
    return _field(ROWS, default, write=write, read=read)


def _hidden(default: Any) -> Any:
    """Return a field for the process that made the record; never written."""
    return _field(HIDDEN, default)


def _field(form: str, default: Any, **how: Any) -> Any:
    metadata = {"form": form, **how}
    # init=False: with arguments, making a record would take twice as long.
    if callable(default):
        return field(init=False, default_factory=default, metadata=metadata)
    return field(init=False, default=default, metadata=metadata)


def _written_rows(rows: Any) -> list[dict[str, Any]]:
    return [fields_of(row) for row in rows]


def _written_groups(groups: dict[str, GroupTotals]) -> dict[str, Any]:
    return {group: fields_of(totals) for group, totals in groups.items()}


def _written_times(times: dict[str, float]) -> dict[str, float]:
    return {name: round(ms, 3) for name, ms in times.items()}


def _read_groups(fields: Any) -> dict[str, GroupTotals]:
    return {
        str(group): row_of(GroupTotals, totals)
        for group, totals in fields.items()
    }


def _read_times(fields: Any) -> dict[str, float]:
    return {
        str(name): float(number_of("breakdown_ms", ms))
        for name, ms in fields.items()
    }


def _read_counts(fields: Any) -> dict[str, int]:
    return {
        str(name): int(number_of("counts", count))
        for name, count in fields.items()
    }


@dataclass(slots=True)
class RequestRecord:
    """One request, mostly a finished one. Times are milliseconds.

    Fields and their names are the contract of doc/source/reference/record;
    ``statements`` and ``timeline`` are only filled for a dump, ``open_calls``
    and ``open_stacks`` only for a request that has not ended.
    """

    service: str = _plain("", str)
    host: str = _plain("", str)
    pid: int = _plain(0, int)
    request_id: str | None = _plain(None, str, is_null=True)
    global_request_id: str | None = _plain(None, str, is_null=True)
    started_at: str = _plain("", str)
    method: str = _plain("", str)
    path: str = _plain("", str)
    route: str = _plain("", str)
    action: str | None = _plain(None, str, is_null=True)
    status: int = _plain(0, int)
    response_bytes: int | None = _plain(0, int, is_null=True)
    duration_ms: float = _time()
    app_ms: float = _time()
    cpu_ms: float | None = _time(None)
    user_id: str | None = _plain(None, str, is_null=True)
    project_id: str | None = _plain(None, str, is_null=True)
    user_name: str | None = _plain(None, str, is_null=True)
    project_name: str | None = _plain(None, str, is_null=True)
    user_domain_id: str | None = _known(str)
    project_domain_id: str | None = _known(str)
    domain_id: str | None = _known(str)
    remote_address: str | None = _plain(None, str, is_null=True)
    outcome: str = _plain(OK, str)
    error: str | None = _plain(None, str, is_null=True)
    groups: dict[str, GroupTotals] = _rows(dict, _written_groups, _read_groups)
    breakdown_ms: dict[str, float] = _rows(dict, _written_times, _read_times)
    calls: list[CallTotals] = _rows(
        list, _written_rows, partial(rows_of, CallTotals)
    )
    counts: dict[str, int] = _rows(dict, dict, _read_counts)
    dropped_calls: int = _plain(0, int)
    profile: dict[str, Any] | None = _plain(None, dict, is_null=True)
    self_ms: float = _time()
    statements: list[StatementTotals] | None = _rows(
        None, _written_rows, partial(rows_of, StatementTotals)
    )
    timeline: list[TimelineEntry] | None = _rows(
        None, _written_rows, partial(rows_of, TimelineEntry)
    )
    # Of a request that is on, or was when its worker ended.
    open_calls: list[OpenCall] | None = _rows(
        None, _written_rows, partial(rows_of, OpenCall)
    )
    open_stacks: list[OpenStack] | None = _rows(
        None, _written_rows, open_stacks_of
    )
    # The first calls' milliseconds of names that were called more than once,
    # by group and name.
    durations: dict[tuple[str, str], list[float]] = _hidden(dict)
    # module.function and seconds of each DB API call, in their order.
    db_api_calls: list[tuple[str, float]] | None = _hidden(None)
    # The stacks, for the sink that writes the dump.
    profiled: Profiled | None = _hidden(None)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready values, times to the microsecond.

        The rows that a dump alone has are there only if they were filled.
        """
        values: dict[str, Any] = {"schema": SCHEMA}
        for name in _PLAIN:
            values[name] = getattr(self, name)
        for name in _KNOWN:
            value = getattr(self, name)
            if value is not None:
                values[name] = value
        for name in _TIMES:
            values[name] = rounded(getattr(self, name))
        for name, write, _ in _ROWS:
            rows = getattr(self, name)
            if rows is not None:
                values[name] = write(rows)
        return values

    @classmethod
    def from_dict(cls, values: object) -> RequestRecord:
        """Return the record that *values*, read from JSON, describe.

        A field that is not there keeps its default, one that this version
        does not know is left out: newer releases add fields. Raises
        RecordError for anything that is not a record, and for a newer
        schema.
        """
        if not isinstance(values, dict) or "schema" not in values:
            raise RecordError("not a nova-profiler record")
        schema = values["schema"]
        if not is_number(schema) or isinstance(schema, float):
            raise RecordError(f"schema {shown(schema)} is not a number")
        if schema > SCHEMA:
            raise RecordError(
                f"schema {schema} is newer than this version reads "
                f"({SCHEMA}); upgrade nova-profiler"
            )
        record = cls()
        try:
            for name in (*_PLAIN, *_KNOWN, *_TIMES):
                if name in values:
                    setattr(record, name, _checked(name, values[name]))
            for name, _, read in _ROWS:
                if name in values:
                    setattr(record, name, read(values[name]))
        except (TypeError, ValueError, AttributeError, KeyError) as exc:
            raise RecordError(f"damaged record: {exc}") from exc
        return record


_FIELDS = {one.name: one for one in fields(RequestRecord)}


def _names(form: str) -> tuple[str, ...]:
    return tuple(
        name for name, one in _FIELDS.items() if one.metadata["form"] == form
    )


# Worked out once: a record is written for each request.
_PLAIN = _names(PLAIN)
_KNOWN = _names(KNOWN)
_TIMES = _names(TIME)
_ROWS = [
    (name, _FIELDS[name].metadata["write"], _FIELDS[name].metadata["read"])
    for name in _names(ROWS)
]
# Rows that no log line has.
DUMPED_ALONE = tuple(
    name for name, _, _ in _ROWS if _FIELDS[name].default is None
)


def _checked(name: str, value: Any) -> Any:
    """Return *value* if a reader can rely on its type for field *name*."""
    how = _FIELDS[name].metadata
    if value is None and how["is_null"]:
        return None
    if how["kind"] in (int, float):
        return number_of(name, value)
    if not isinstance(value, how["kind"]):
        raise ValueError(f"{name} = {shown(value)}")
    return value
