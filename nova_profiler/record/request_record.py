# SPDX-License-Identifier: Apache-2.0
"""What was served and took which time: the value between both wings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Protocol

from nova_profiler.errors import NovaProfilerError
from nova_profiler.groups import EITHER, PYTHON
from nova_profiler.record.kinds import REQUEST
from nova_profiler.record.ordered_calls import OrderedCalls
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
    plain_fields,
    rounded,
    row_of,
    rows_of,
    shown,
)

# The first schema had neither kinds nor ids of records: all were requests.
SCHEMA = 2

OK = "ok"
FAILED = "failed"
ABORTED = "aborted"
UNANSWERED = "unanswered"
# Its worker ended before it did; and of one that is on, while it is.
KILLED = "killed"
RUNNING = "running"
_FAILURES = (FAILED, KILLED)


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


class Traced(Protocol):
    """The calls of what was served, for its trace."""

    def __len__(self) -> int:
        """Return how many calls there are."""

    def in_order(self) -> OrderedCalls:
        """Return those that a dump has, but for their statements.

        May be called by another thread, later.
        """


# How a field is written and read: ``known`` and ``known_time`` are left out
# where they are null, ``rows`` has functions of its own.
PLAIN, KNOWN, TIME, KNOWN_TIME = "plain", "known", "time", "known_time"
ROWS, HIDDEN = "rows", "hidden"


def _plain(default: Any, kind: Any, is_null: bool = False) -> Any:
    """Return a field of *kind* that is written as it is."""
    return _field(PLAIN, default, kind=kind, is_null=is_null)


def _known(kind: Any) -> Any:
    """Return a field of *kind* that is written only where it is known."""
    return _field(KNOWN, None, kind=kind, is_null=True)


def _time(default: float | None = 0.0) -> Any:
    """Return a field of milliseconds, written to the microsecond."""
    return _field(TIME, default, kind=float, is_null=default is None)


def _known_time() -> Any:
    """Return a field of milliseconds, written only where it is known."""
    return _field(KNOWN_TIME, None, kind=float, is_null=True)


def _rows(
    default: Any,
    write: Callable[[Any], Any],
    read: Any,
    in_lines: bool = False,
) -> Any:
    """Return a field of rows, written where it is not None.

    With None for a default a dump alone has it, but for *in_lines*.
    """
    has_lines = in_lines or default is not None
    return _field(ROWS, default, write=write, read=read, in_lines=has_lines)


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
        str(name): float(number_of(str(name), ms))
        for name, ms in fields.items()
    }


def _read_counts(fields: Any) -> dict[str, int]:
    return {
        str(name): int(number_of("counts", count))
        for name, count in fields.items()
    }


@dataclass(slots=True)
class RequestRecord:
    """What was served, mostly finished by now. Times are milliseconds.

    Fields and their names are the contract of doc/source/reference/record;
    ``statements`` and ``timeline`` are only filled for a dump, ``open_calls``
    and ``open_stacks`` only for a request that has not ended.
    """

    kind: str = _plain(REQUEST.name, str)
    # Its own, and that of the record that sent or submitted it.
    record_id: str | None = _known(str)
    parent_id: str | None = _known(str)
    # By the clock of what sent it.
    sent_at: str | None = _known(str)
    # From the traceparent that came in; none is made up.
    trace_id: str | None = _known(str)
    span_id: str | None = _known(str)
    # From its arrival until a worker began; not of requests.
    wait_ms: float | None = _known_time()
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
    # What ``waiting`` of the breakdown consists of, where that is known.
    unnamed_ms: dict[str, float] | None = _rows(
        None, _written_times, _read_times, in_lines=True
    )
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
    # False: it was made for the sake of figures or of a profile alone.
    is_kept: bool = _hidden(True)
    # The timeline's lane of each piece of work, by the profiler's numbers.
    lanes_of_pieces: dict[int, int] | None = _hidden(None)
    # The stacks, for the sink that writes the dump.
    profiled: Profiled | None = _hidden(None)
    # The calls, for the sink that sends traces; None: it sends none.
    traced: Traced | None = _hidden(None)

    @property
    def is_failed(self) -> bool:
        """Return whether the service failed, also where its client left."""
        return self.status >= 500 or self.outcome in _FAILURES

    @property
    def parts_ms(self) -> dict[str, float]:
        """The breakdown as readers show it.

        Without a CPU clock of its own the request's rest is EITHER's: as
        PYTHON's, it would look measured.
        """
        if self.cpu_ms is not None or PYTHON.name not in self.breakdown_ms:
            return self.breakdown_ms
        return {
            EITHER.name if name == PYTHON.name else name: ms
            for name, ms in self.breakdown_ms.items()
        }

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
        for name in _KNOWN_TIMES:
            value = getattr(self, name)
            if value is not None:
                values[name] = rounded(value)
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
            for name in (*_PLAIN, *_KNOWN, *_TIMES, *_KNOWN_TIMES):
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
_KNOWN_TIMES = _names(KNOWN_TIME)
_ROWS = [
    (name, _FIELDS[name].metadata["write"], _FIELDS[name].metadata["read"])
    for name in _names(ROWS)
]
# Rows that no log line has.
DUMPED_ALONE = tuple(
    name for name, _, _ in _ROWS if not _FIELDS[name].metadata["in_lines"]
)


# The type of a field's values, whether they may be null, or are numbers.
_CHECKS = {
    name: (
        one.metadata["kind"],
        one.metadata["is_null"],
        one.metadata["kind"] in (int, float),
    )
    for name, one in _FIELDS.items()
    if "kind" in one.metadata
}


def _checked(name: str, value: Any) -> Any:
    """Return *value* if a reader can rely on its type for field *name*."""
    kind, is_null, is_number_kind = _CHECKS[name]
    if value is None and is_null:
        return None
    if is_number_kind:
        return number_of(name, value)
    if not isinstance(value, kind):
        raise ValueError(f"{name} = {shown(value)}")
    if isinstance(value, dict):
        return plain_fields(name, value)
    return value
