# SPDX-License-Identifier: Apache-2.0
"""The record: to JSON and back, and what damaged JSON gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.record import (
    MESSAGE,
    SCHEMA,
    RecordError,
    RequestRecord,
    TimelineEntry,
)

WHOLE = slow_rebuild().to_dict()
HOSTILE: list[Any] = [
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    "text",
    "",
    [],
    [[]],
    {},
    {"a": 1},
    [1],
    None,
    True,
    -1,
]


@pytest.mark.parametrize("made", [record, slow_rebuild, parallel_detail])
def test_what_was_written_is_read_again(made):
    """A record, its JSON, and the record made from that are the same."""
    fields = json.loads(json.dumps(made().to_dict()))

    again = RequestRecord.from_dict(fields)

    assert again.to_dict() == fields


def test_a_rest_that_no_clock_measured_is_neither_part():
    """Only readers call it so: what is written keeps its name."""
    measured = record(breakdown_ms={"sql": 1.0, "python": 2.0})
    not_measured = record(
        breakdown_ms={"sql": 1.0, "python": 2.0}, cpu_ms=None
    )

    assert measured.parts_ms == {"sql": 1.0, "python": 2.0}
    assert not_measured.parts_ms == {"sql": 1.0, "either": 2.0}
    assert not_measured.to_dict()["breakdown_ms"] == measured.breakdown_ms


def test_a_size_that_was_not_seen_is_read_again():
    """A server sent the file by itself."""
    fields = record(response_bytes=None).to_dict()

    assert fields["response_bytes"] is None
    assert RequestRecord.from_dict(fields).response_bytes is None


def test_a_request_id_of_another_service_is_written_where_there_is_one():
    """And read again."""
    made = RequestRecord()
    made.timeline = [
        TimelineEntry("http", "network GET /", 1.0, 2.0, request_id="req-1"),
        TimelineEntry("http", "network GET /", 3.0, 2.0),
    ]

    fields = made.to_dict()

    assert [row.get("request_id") for row in fields["timeline"]] == [
        "req-1",
        None,
    ]
    assert "request_id" not in fields["timeline"][1]
    assert RequestRecord.from_dict(fields).timeline == made.timeline


def test_only_a_dump_has_a_timeline():
    """What is not in a record is not in its JSON either."""
    fields = record().to_dict()

    assert "timeline" not in fields
    assert "statements" not in fields
    assert RequestRecord.from_dict(fields).timeline is None


def test_a_domain_is_written_where_it_is_known():
    """Most records have none of the three."""
    known = record(user_domain_id="default").to_dict()

    assert known["user_domain_id"] == "default"
    assert "domain_id" not in known
    assert "user_domain_id" not in record().to_dict()
    assert RequestRecord.from_dict(known).user_domain_id == "default"


def test_where_it_came_from_is_written_where_it_is_known():
    """A request has no sender of ours, and waits for no worker."""
    known = record(
        kind=MESSAGE.name,
        record_id="0123456789abcdef",
        parent_id="fedcba9876543210",
        sent_at="2026-11-21T10:35:01.000001+00:00",
        wait_ms=1.23456,
    ).to_dict()

    assert known["kind"] == "message"
    assert known["parent_id"] == "fedcba9876543210"
    assert known["wait_ms"] == 1.235
    assert RequestRecord.from_dict(known).to_dict() == known
    fields = record().to_dict()
    assert fields["kind"] == "request"
    assert not fields.keys() & {"parent_id", "sent_at", "wait_ms", "trace_id"}


def test_a_record_of_the_first_schema_is_a_request():
    """It had neither kind nor id."""
    fields = record().to_dict()
    del fields["kind"]

    read = RequestRecord.from_dict({**fields, "schema": 1})

    assert (read.kind, read.record_id) == ("request", None)


def test_rows_of_a_statement_may_be_unknown():
    """Null, in the JSON and behind it."""
    fields = slow_rebuild().to_dict()
    fields["statements"][0]["rows"] = None

    again = RequestRecord.from_dict(fields)

    assert again.statements[0].rows is None
    assert again.to_dict() == fields


def test_times_have_three_decimals():
    """Microseconds are all that the clocks are worth."""
    fields = record(duration_ms=1.23456789, cpu_ms=None).to_dict()

    assert fields["duration_ms"] == 1.235
    assert fields["cpu_ms"] is None


def test_a_newer_release_may_add_fields():
    """Fields and columns that this version does not know are left out."""
    fields = json.loads(json.dumps(WHOLE))
    fields["colour"] = "blue"
    fields["calls"][0]["colour"] = "blue"

    read = RequestRecord.from_dict(fields)

    assert read.to_dict() == WHOLE


def test_what_is_not_there_keeps_its_default():
    """An older release knew less."""
    read = RequestRecord.from_dict({"schema": 1})

    assert read.to_dict() == RequestRecord().to_dict()


def test_a_newer_schema_says_what_to_do():
    """The remedy is in the message."""
    with pytest.raises(RecordError, match=r"schema 7 is newer .* upgrade"):
        RequestRecord.from_dict({"schema": 7})


@pytest.mark.parametrize("fields", [None, [], "x", 1, {}, {"a": 1}])
def test_other_json_is_no_record(fields):
    """A file of somebody else is told as such."""
    with pytest.raises(RecordError, match="not a nova-profiler record"):
        RequestRecord.from_dict(fields)


@pytest.mark.parametrize(
    "schema",
    [None, "1", True, 1.0, [], pytest.param(10**5000, id="long")],
)
def test_an_odd_schema_is_refused(schema):
    """The number that decides all else has to be one."""
    with pytest.raises(RecordError, match="schema"):
        RequestRecord.from_dict({"schema": schema})


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v)[:20])
@pytest.mark.parametrize("name", sorted(set(WHOLE) - {"schema"}))
def test_a_hostile_field_is_read_or_refused(name, value):
    """Any value in any field gives a usable record or RecordError."""
    assert_read_or_refused({**WHOLE, name: value})


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v)[:20])
@pytest.mark.parametrize("name", ["groups", "calls", "statements", "timeline"])
def test_a_hostile_column_is_read_or_refused(name, value):
    """Any value in any column gives a usable record or RecordError."""
    table = WHOLE[name]
    rows = table.values() if isinstance(table, dict) else table
    row = dict(next(iter(rows)))
    for column in row:
        spoilt = {**row, column: value}
        assert_read_or_refused(
            {
                **WHOLE,
                name: {"sql": spoilt} if name == "groups" else [spoilt],
            }
        )


@pytest.mark.parametrize("name", ["breakdown_ms", "counts"])
@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v)[:20])
def test_a_hostile_figure_is_read_or_refused(name, value):
    """Neither a bucket nor a count may be what no sum can take."""
    assert_read_or_refused({**WHOLE, name: {"sql": value}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("duration_ms", float("nan")),
        ("duration_ms", 10**400),
        ("self_ms", float("inf")),
        ("counts", {"late_calls": float("inf")}),
        ("counts", {"late_calls": float("nan")}),
        ("breakdown_ms", {"sql": 10**400}),
        ("breakdown_ms", {"sql": float("nan")}),
        ("groups", {"sql": {"calls": float("inf"), "ms": 1, "wall_ms": 1}}),
        ("calls", [{"group": "sql", "name": "x", "count": 1, "ms": "1",
                    "max_ms": 1}]),
        ("calls", [{**WHOLE["calls"][0], "driver_ms": "much"}]),
        ("timeline", [{**WHOLE["timeline"][0], "rows": "many"}]),
        ("timeline", [{**WHOLE["timeline"][0], "error": 5}]),
        ("timeline", [{**WHOLE["timeline"][0], "request_id": 5}]),
        ("statements", [{**WHOLE["statements"][0], "statement": None}]),
        ("groups", [1]),
        ("calls", 5),
    ],
)  # fmt: skip
def test_what_no_reader_could_use_is_refused(name, value):
    """One line says which record is damaged; no other error comes out."""
    with pytest.raises(RecordError, match="damaged record"):
        RequestRecord.from_dict({**WHOLE, name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON))
def test_no_json_gets_past_the_check(fields):
    """Whatever a file holds: a usable record, or RecordError."""
    assert_read_or_refused({**WHOLE, **fields, "schema": SCHEMA})


def assert_read_or_refused(fields: dict[str, Any]) -> None:
    """Read *fields*; what is accepted can be written and added up."""
    try:
        read = RequestRecord.from_dict(fields)
    except RecordError as exc:
        assert "\n" not in str(exc)
        return
    written = read.to_dict()
    # Its own reader's business.
    written.pop("profile")
    json.dumps(written, allow_nan=False, default=_refused)
    figures = [read.duration_ms, *read.breakdown_ms.values()]
    figures += [call.ms + (call.driver_ms or 0.0) for call in read.calls]
    figures += [one.start_ms + one.ms for one in read.timeline or ()]
    assert "inf" not in f"{sum(figures):.3f}"


def _refused(value: object) -> None:
    raise AssertionError(f"{value!r} is not JSON")
