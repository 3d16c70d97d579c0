# SPDX-License-Identifier: Apache-2.0
"""Real lines and dumps are what the JSON Schema describes, and no more."""

from __future__ import annotations

import json

import pytest
from builders import (
    one_of_each_kind,
    parallel_detail,
    record,
    slow_rebuild,
    written,
)
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from running_requests import unfinished

from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.groups import GROUPS
from nova_profiler.record import GroupTotals
from nova_profiler.record.json_schema import DUMP, FORMS, RECORD, schema_of

_ALL_KNOWN = {
    "record_id": "00000000000000ab",
    "parent_id": "00000000000000aa",
    "sent_at": "2026-11-21T10:35:01.123456+00:00",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "wait_ms": 12.5,
    "user_domain_id": "default",
    "project_domain_id": "default",
    "domain_id": "default",
    "unnamed_ms": {"processor": 3.0, "other": 1.0},
    "counts": {"config_lookups": 4, "late_calls": 1},
    "profile": {"engine": "stacks", "file": "a.prof", "why": ["slow"]},
    "groups": {group.name: GroupTotals(1, 2.0, 2.0) for group in GROUPS},
}
RECORDS = [
    record(),
    record(cpu_ms=None, user_id=None, response_bytes=None, error="Boom"),
    record(**_ALL_KNOWN),
    slow_rebuild(),
    parallel_detail(),
    *one_of_each_kind(),
]


def closed(value):
    """Return a schema that takes only what it names."""
    if isinstance(value, list):
        return [closed(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: closed(one) for key, one in value.items()}
    if "properties" in value and isinstance(value["properties"], dict):
        made.setdefault("additionalProperties", False)
    return made


def check(form, value):
    """Raise ValidationError for what *form* does not name, too."""
    Draft202012Validator(closed(schema_of(form))).validate(value)


@pytest.mark.parametrize("form", FORMS)
def test_the_schema_is_one(form):
    """As its own dialect describes schemas."""
    Draft202012Validator.check_schema(schema_of(form))


@pytest.mark.parametrize("made", RECORDS, ids=lambda one: one.kind)
def test_lines_of_the_log_file_fit(made):
    """With each field that a line can have, and no other."""
    check(RECORD, json.loads(line_of(made)))


def test_dumps_fit(tmp_path):
    """Those with all their rows, and those of killed workers."""
    made = [
        slow_rebuild(),
        parallel_detail(),
        unfinished(timeline=[]),
        record(statements=[], timeline=[], **_ALL_KNOWN),
    ]

    for path in written(tmp_path, *made):
        check(DUMP, json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("duration_ms", "12"),
        ("duration_ms", None),
        ("status", 200.5),
        ("kind", "ping"),
        ("outcome", "running"),
        ("record_id", "ab"),
        ("groups", {"sql": {"calls": 1, "ms": 1.0}}),
        ("groups", {"of a newer release": 3}),
        ("breakdown_ms", {"sql": "1"}),
        ("calls", [{"group": "sql"}]),
        ("counts", {"locks": 0.5}),
        ("schema", 3),
    ],
)
def test_what_no_record_has_does_not_fit(name, value):
    """Types, words and rows are looked at."""
    line = {**json.loads(line_of(record())), name: value}

    with pytest.raises(ValidationError, match=r"\w"):
        Draft202012Validator(schema_of(RECORD)).validate(line)


def test_a_line_is_no_dump():
    """A dump has a timeline, and a line a time stamp for logstash."""
    line = json.loads(line_of(record()))
    dump = slow_rebuild().to_dict()

    for form, value in ((DUMP, line), (RECORD, dump)):
        with pytest.raises(ValidationError, match="is a required property"):
            Draft202012Validator(schema_of(form)).validate(value)


def test_a_newer_release_may_add_fields():
    """Also a group, a bucket and a count."""
    line = json.loads(line_of(record()))
    line["of_a_newer_release"] = 1
    line["groups"]["gpu"] = {"calls": 1, "ms": 1.0, "wall_ms": 1.0}
    line["breakdown_ms"]["gpu"] = 1.0

    Draft202012Validator(schema_of(RECORD)).validate(line)
