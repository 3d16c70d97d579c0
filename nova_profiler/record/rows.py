# SPDX-License-Identifier: Apache-2.0
"""The rows of a record, and what reads them from JSON without trust."""

from __future__ import annotations

from typing import Any, NamedTuple

from nova_profiler.groups import BUCKETS

# Larger than any time or count that was ever measured, and small enough to
# be added up as a float.
MOST = 1e15

# The parts of a time as columns. What only a later version knows goes into
# the last one, so that the sum stays right.
OTHER = "other"
PARTS = (*(bucket.name for bucket in BUCKETS), OTHER)


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
    """All executions of one SQL statement, its values gone.

    ``rows`` is None where the rows of one of them are not known.
    """

    statement: str
    name: str
    engine: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    ms: float
    max_ms: float
    rows: int | None = None
    errors: int = 0
    executemany: int = 0


class TimelineEntry(NamedTuple):
    """One call, ``start_ms`` after the request began.

    ``lane`` 0 is the request's own thread, each other one a thread or
    greenthread that worked for it. ``statement`` is an index into the
    record's ``statements``, None for what is not SQL. ``nested``: the
    call ran inside another one of its group. ``id`` is its place in the
    timeline, ``parent`` the one of the call around it in its lane; both are
    None in dumps of older releases. ``request_id``, of HTTP requests, is the
    one that the other service gave to it. ``made_by``, of slow calls, is
    ``file:line function`` of the application, maybe with another behind it.
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
    id: int | None = None
    parent: int | None = None
    request_id: str | None = None
    made_by: str | None = None


class OpenCall(NamedTuple):
    """A call that had not returned when the request was last looked at."""

    group: str
    name: str
    start_ms: float
    ms: float
    thread: str = ""


class OpenStack(NamedTuple):
    """Where a thread that worked for the request was then.

    ``frames`` are texts ``file:line function``, the innermost last.
    """

    thread: str
    frames: tuple[str, ...]


def is_number(value: Any) -> bool:
    """Return whether readers can calculate with *value*: no NaN, no 1e400."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -MOST <= value <= MOST
    )


def number_of(name: str, value: Any) -> Any:
    """Return *value* if it is a number; raises ValueError if not."""
    kind = type(value)
    # Nearly all are: a call for each would double the time.
    if (kind is float or kind is int) and -MOST <= value <= MOST:
        return value
    if not is_number(value):
        raise ValueError(f"{name} = {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return *value* in a few characters, whatever it is."""
    try:
        return f"{value!r:.40}"
    except ValueError:
        # An integer of more digits than Python turns into text.
        return "a very long number"


def plain_fields(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values and lists of texts of *fields*.

    What else there is, newer releases may know. Raises ValueError for a
    number that readers cannot calculate with.
    """
    plain = {}
    for key, value in fields.items():
        if is_number(value):
            plain[key] = value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{name}.{key:.40} = {shown(value)}")
        elif isinstance(value, list):
            if all(isinstance(one, str) for one in value):
                plain[key] = value
        elif not isinstance(value, dict):
            plain[key] = value
    return plain


def row_of(kind: Any, fields: dict[str, Any]) -> Any:
    """Return the row of *kind* that *fields* are.

    Fields that are not known are left out; raises TypeError or ValueError
    for one that is missing or of another type.
    """
    if not fields.keys() <= _KNOWN[kind]:
        known = _KNOWN[kind]
        fields = {k: v for k, v in fields.items() if k in known}
    row = kind(**fields)
    texts = _TEXTS[kind]
    for name, value in zip(kind._fields, row, strict=True):
        of = type(value)
        # What nearly all values are, without a call for each.
        if of is float or of is int:
            good = name not in texts and -MOST <= value <= MOST
        elif of is str:
            good = name in texts
        else:
            good = _is_rare(kind, name, value)
        if not good:
            raise ValueError(f"{name} = {shown(value)}")
    return row


def _is_rare(kind: Any, name: str, value: Any) -> bool:
    """Return whether *value*, no number or text, may be in field *name*."""
    default = kind._field_defaults.get(name, 0)
    if value is None:
        return default is None
    return isinstance(value, bool) and isinstance(default, bool)


def open_stacks_of(rows: Any) -> list[OpenStack]:
    """Return each of *rows* as an OpenStack; raises ValueError for others."""
    stacks = []
    for row in rows:
        texts = (row["thread"], *row["frames"])
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"open_stacks: {shown(row)}")
        stacks.append(OpenStack(texts[0], texts[1:]))
    return stacks


def rows_of(kind: Any, rows: Any) -> list[Any]:
    """Return each of *rows* as a row of *kind*."""
    return [row_of(kind, row) for row in rows]


# Written only where they are known.
LEFT_OUT = (
    "statement",
    "driver_ms",
    "id",
    "parent",
    "request_id",
    "made_by",
)
_TEXTS: dict[Any, set[str]] = {
    GroupTotals: set(),
    CallTotals: {"group", "name"},
    StatementTotals: {"statement", "name", "engine"},
    TimelineEntry: {"group", "name", "error", "request_id", "made_by"},
    OpenCall: {"group", "name", "thread"},
}
_KNOWN: dict[Any, frozenset[str]] = {
    kind: frozenset(kind._fields) for kind in _TEXTS
}


def rounded(value: float | None) -> float | None:
    """Return milliseconds to the microsecond."""
    return None if value is None else round(value, 3)


def fields_of(row: Any) -> dict[str, Any]:
    """Return a row as JSON, without the parts that do not apply."""
    fields = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in row._asdict().items()
    }
    if fields.get("nested") is False:
        del fields["nested"]
    for name in LEFT_OUT:
        if name in fields and fields[name] is None:
            del fields[name]
    return fields
