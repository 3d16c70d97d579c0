# SPDX-License-Identifier: Apache-2.0
"""JSON Schema of a line of ``log_file`` and of a dump.

Made of the record's fields, their types and the table of groups, so that it
knows what they know. https://json-schema.org/draft/2020-12/schema
"""

from __future__ import annotations

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from nova_profiler.groups import BUCKETS, COUNTS, EITHER, GROUPS, UNNAMED
from nova_profiler.record import request_record
from nova_profiler.record.kinds import KINDS
from nova_profiler.record.request_record import (
    DUMPED_ALONE,
    SCHEMA,
    RequestRecord,
)
from nova_profiler.record.rows import LEFT_OUT

RECORD, DUMP = "record", "dump"
# What each one is of, by its name.
FORMS = {
    RECORD: "A line of nova-profiler's log_file",
    DUMP: "A dump of nova-profiler",
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean"}
_MOMENT = {"format": "date-time"}
_OUTCOMES = (
    request_record.OK,
    request_record.FAILED,
    request_record.ABORTED,
    request_record.UNANSWERED,
    request_record.KILLED,
)
# What a text may be, where that is known.
_TEXTS: dict[str, dict[str, Any]] = {
    "kind": {"enum": [kind.name for kind in KINDS]},
    "outcome": {"enum": list(_OUTCOMES)},
    "started_at": _MOMENT,
    "sent_at": _MOMENT,
    "record_id": {"pattern": "^[0-9a-f]{16}$"},
    "parent_id": {"pattern": "^[0-9a-f]{16}$"},
    "trace_id": {"pattern": "^[0-9a-f]{32}$"},
    "span_id": {"pattern": "^[0-9a-f]{16}$"},
}
# The keys that these objects have as far as they are known here, and what
# each is. Other keys have values of the same type.
_KEYS: dict[str, dict[str, str]] = {
    "groups": {group.name: group.meaning for group in GROUPS},
    "breakdown_ms": {
        bucket.name: bucket.label for bucket in BUCKETS if bucket != EITHER
    },
    "unnamed_ms": {part.name: part.label for part in UNNAMED},
    "counts": {count.name: f"{count.noun}{count.rest}" for count in COUNTS},
}


def schema_of(form: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of *form*, RECORD or DUMP.

    It describes what this release writes. Fields that it does not name are
    allowed: later releases add some. Times are milliseconds.
    """
    hints = get_type_hints(RequestRecord)
    properties: dict[str, Any] = {"schema": {"const": SCHEMA}}
    required = ["schema"]
    if form == RECORD:
        properties["@timestamp"] = {"type": "string", **_MOMENT}
        properties["@version"] = {"const": "1"}
        required += ["@timestamp", "@version"]
    rows: dict[str, Any] = {}
    for one in fields(RequestRecord):
        if one.metadata["form"] == request_record.HIDDEN:
            continue
        if form == RECORD and one.name in DUMPED_ALONE:
            continue
        properties[one.name] = _property(one.name, hints[one.name], rows)
        if not _is_left_out(one.metadata, hints[one.name]):
            properties[one.name] = _with_null(
                properties[one.name], one.metadata
            )
            required.append(one.name)
    if form == DUMP:
        # What makes it a dump; ``statements`` may be missing in one of a
        # request whose worker was killed.
        required.append("timeline")
    return {
        "$schema": _DIALECT,
        "$id": f"urn:nova-profiler:{form}:{SCHEMA}",
        "title": FORMS[form],
        "type": "object",
        "properties": properties,
        "required": required,
        "$defs": rows,
    }


def _is_left_out(metadata: Any, hint: Any) -> bool:
    """Return whether the field is written only where it has a value."""
    form = metadata["form"]
    if form == request_record.ROWS:
        return NoneType in get_args(hint)
    return form in (request_record.KNOWN, request_record.KNOWN_TIME)


def _with_null(found: dict[str, Any], metadata: Any) -> dict[str, Any]:
    if not metadata.get("is_null"):
        return found
    return {**found, "type": [found["type"], "null"]}


def _property(name: str, hint: Any, rows: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value of type *hint*, null left aside.

    Each kind of row goes into *rows*, once.
    """
    kind = _without_none(hint)
    origin = get_origin(kind)
    if origin in (list, tuple):
        return {
            "type": "array",
            "items": _property("", get_args(kind)[0], rows),
        }
    if origin is dict:
        return _object(name, get_args(kind)[1], rows)
    if kind in _SIMPLE:
        found: dict[str, Any] = {"type": _SIMPLE[kind]}
        if name.endswith("_ms") or name == "ms":
            found["description"] = "milliseconds"
        return {**found, **_TEXTS.get(name, {})}
    if kind.__name__ not in rows:
        rows[kind.__name__] = _row(kind, rows)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _object(name: str, value: Any, rows: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object whose values are all of one type."""
    if value is Any:
        return {"type": "object"}
    of_value = _property("", value, rows)
    return {
        "type": "object",
        "properties": {
            key: {**of_value, "description": meaning.replace("``", "")}
            for key, meaning in _KEYS.get(name, {}).items()
        },
        "additionalProperties": of_value,
    }


def _row(kind: Any, rows: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a NamedTuple as ``fields_of`` writes it."""
    hints = get_type_hints(kind)
    properties: dict[str, Any] = {}
    required = []
    for name in kind._fields:
        found = _property(name, hints[name], rows)
        is_null = NoneType in get_args(hints[name])
        is_false_left_out = found.get("type") == "boolean"
        if not (is_false_left_out or (is_null and name in LEFT_OUT)):
            required.append(name)
            found = _with_null(found, {"is_null": is_null})
        properties[name] = found
    return {
        "type": "object",
        "properties": properties,
        "required": required,
    }


def _without_none(hint: Any) -> Any:
    """Return the type beside None in *hint*, or *hint* itself."""
    if get_origin(hint) in (Union, UnionType):
        return next(one for one in get_args(hint) if one is not NoneType)
    return hint
