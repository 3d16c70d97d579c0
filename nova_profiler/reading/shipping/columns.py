# SPDX-License-Identifier: Apache-2.0
"""What a line of ``log_file`` consists of, for those that store it.

Read off its JSON Schema, so that a new field needs no line here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nova_profiler.record.json_schema import RECORD, schema_of

TEXT, MOMENT, INTEGER, NUMBER = "text", "moment", "integer", "number"
BOOLEAN = "boolean"
# Values by key, all of one kind; rows; and what has no form of its own.
KEYED, ROWS, OPEN = "keyed", "rows", "open"

# The moment that a record is of, by which stores sort and forget.
AT = "started_at"
# What logstash and data streams call that.
STAMP = "@timestamp"
# What distinguishes records and has few values: never what a client sends.
LABELS = ("service", "kind", "outcome")
# What else records are mostly asked for by.
IDS = ("request_id", "global_request_id", "record_id", "trace_id")


class Column(NamedTuple):
    """One field: its name, its kind, and what it holds, if it holds more."""

    name: str
    kind: str
    is_null: bool = False
    # Of rows and of objects as values: the fields of one of them. Of plain
    # values by key: one without a name.
    fields: tuple[Column, ...] = ()
    # The keys that are known.
    keys: tuple[str, ...] = ()
    # A text has one of a few words.
    has_few: bool = False


def columns() -> tuple[Column, ...]:
    """Return the fields of a line, in their order."""
    schema = schema_of(RECORD)
    return _columns(schema, schema["$defs"])


def _columns(
    described: dict[str, Any], rows: dict[str, Any]
) -> tuple[Column, ...]:
    required = described["required"]
    return tuple(
        _column(name, one, name not in required, rows)
        for name, one in described["properties"].items()
    )


def _column(
    name: str, one: dict[str, Any], is_null: bool, rows: dict[str, Any]
) -> Column:
    types = _types_of(one)
    is_null |= "null" in types
    (kind,) = types - {"null"}
    if kind == "array":
        return Column(name, ROWS, fields=_fields(one["items"], rows))
    if kind == "object":
        if "additionalProperties" not in one:
            return Column(name, OPEN, is_null)
        return Column(
            *(name, KEYED, is_null),
            _fields(one["additionalProperties"], rows),
            tuple(one["properties"]),
        )
    if kind == "string":
        is_moment = one.get("format") == "date-time"
        has_few = "enum" in one or name in _FEW
        return Column(
            name, MOMENT if is_moment else TEXT, is_null, has_few=has_few
        )
    return Column(name, kind, is_null)


# Texts without a list of their words, which have few all the same.
_FEW = ("service", "host", "method", "route", "action", "error", "group")


def _types_of(one: dict[str, Any]) -> set[str]:
    if "const" in one:
        return {"string" if isinstance(one["const"], str) else INTEGER}
    found = one["type"]
    return set(found) if isinstance(found, list) else {found}


def _fields(of: dict[str, Any], rows: dict[str, Any]) -> tuple[Column, ...]:
    """Return the fields of a row, or one without a name of a plain value."""
    if "$ref" in of:
        return _columns(rows[of["$ref"].rpartition("/")[2]], rows)
    return (_column("", of, False, rows),)
