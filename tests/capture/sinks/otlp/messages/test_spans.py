# SPDX-License-Identifier: Apache-2.0
"""A record as spans: what they are called, when they were, what they hold."""

from __future__ import annotations

import struct

import pytest
from builders import one_of_each_kind, record, slow_rebuild
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans
from otlp_plain import ordered, plain_request
from otlp_receivers import attributes_of

from nova_profiler.capture.sinks.otlp.messages import names
from nova_profiler.capture.sinks.otlp.messages.spans import spans_of
from nova_profiler.groups import GROUPS
from nova_profiler.record import (
    KINDS,
    CallWords,
    OrderedCalls,
    TimelineEntry,
)
from nova_profiler.record.metric_labels import LABELS_OF_KINDS

BEGAN = 1_795_257_301_123_456_000


def _spans(*pairs):
    made = (spans_of(one, ordered(calls)) for one, calls in pairs)
    return list(ScopeSpans.FromString(b"".join(made)).spans)


def _attributes(span):
    return attributes_of(MessageToDict(span))


def test_a_request_is_a_span_of_a_server():
    """Named by method and route, in the words of the conventions."""
    [span] = _spans((record(record_id="00000000000000ab", action="x"), []))

    assert span.name == "GET /v2.1/servers"
    assert span.kind == span.SPAN_KIND_SERVER
    assert span.span_id.hex() == "00000000000000ab"
    assert span.parent_span_id == b""
    assert span.start_time_unix_nano == BEGAN
    assert span.end_time_unix_nano == BEGAN + 42_500_000
    found = _attributes(span)
    assert found["http.route"] == found["url.path"] == "/v2.1/servers"
    assert found["http.request.method"] == "GET"
    assert found["http.response.status_code"] == 200
    assert found["nova_profiler.outcome"] == "ok"
    assert found["nova_profiler.action"] == "x"
    assert found["nova_profiler.breakdown_ms.python"] == 30.0
    assert span.status.code == span.status.STATUS_CODE_UNSET


def test_all_kinds_have_a_span():
    """A failed one has an error."""
    kinds = one_of_each_kind()
    for one in kinds:
        one.outcome, one.error = "failed", "KeyError"

    spans = _spans(*((one, []) for one in kinds))

    assert [(span.name, span.kind) for span in spans] == [
        ("GET /v2.1/servers", spans[0].SPAN_KIND_SERVER),
        ("rpc compute reboot_instance", spans[0].SPAN_KIND_SERVER),
        ("task LONG_TASK ComputeManager._build", spans[0].SPAN_KIND_INTERNAL),
        ("periodic ComputeManager._sync", spans[0].SPAN_KIND_INTERNAL),
    ]
    assert {span.status.code for span in spans} == {
        spans[0].status.STATUS_CODE_ERROR
    }
    assert {_attributes(span)["error.type"] for span in spans} == {"KeyError"}
    assert _attributes(spans[1])["rpc.method"] == "reboot_instance"


def test_calls_are_spans_within_each_other():
    """By their places in the timeline; times are the record's."""
    calls = [
        TimelineEntry("db_api", "action_start", 1.0, 8.0, id=0),
        TimelineEntry(
            "sql", "SELECT a", 2.0, 3.0, rows=4, error="E", id=1, parent=0
        ),
        TimelineEntry("http", "network GET /v2.0/ports", 20.0, 5.0, lane=2,
                      id=2, request_id="req-1", made_by="a.py:1 f"),
    ]  # fmt: skip
    own, outer, inner, http = _spans(
        (record(record_id="00000000000000ab"), calls)
    )

    assert {one.trace_id for one in (own, outer, inner, http)} == {
        own.trace_id
    }
    assert [one.parent_span_id for one in (outer, inner, http)] == [
        own.span_id,
        outer.span_id,
        own.span_id,
    ]
    assert (outer.name, inner.name) == ("action_start", "SELECT a")
    assert inner.start_time_unix_nano == BEGAN + 2_000_000
    assert inner.end_time_unix_nano == BEGAN + 5_000_000
    assert _attributes(outer) == {
        "nova_profiler.group": "db_api",
        "code.function.name": "action_start",
    }
    assert _attributes(inner) == {
        "nova_profiler.group": "sql",
        "db.operation.name": "SELECT",
        "db.collection.name": "a",
        "db.response.returned_rows": 4,
        "error.type": "E",
    }
    assert inner.kind == http.kind == inner.SPAN_KIND_CLIENT
    assert _attributes(http) == {
        "nova_profiler.group": "http",
        "service.peer.name": "network",
        "http.request.method": "GET",
        "url.template": "/v2.0/ports",
        "nova_profiler.made_by": "a.py:1 f",
        "nova_profiler.lane": 2,
    }


def test_a_call_of_each_group_is_a_span():
    """Also of one that has no names, or fewer words than usual."""
    calls = [
        TimelineEntry(group.name, name, 0.0, 1.0)
        for group in GROUPS
        for name in ("", "one", "one two", "one two three four")
    ]

    spans = _spans((record(), calls))[1:]

    assert len(spans) == len(calls)
    assert all(span.name for span in spans)
    for span, call in zip(spans, calls, strict=True):
        assert _attributes(span)["nova_profiler.group"] == call.group


def test_odd_texts_can_be_sent():
    """protobuf takes no surrogates."""
    odd = record(path="/\udcff", user_id="ä", error="\ud800")

    [span] = _spans((odd, []))

    assert _attributes(span)["url.path"] == "/?"
    assert _attributes(span)["user.id"] == "ä"


def test_nothing_that_a_record_does_not_hold_is_sent():
    """No statement, and no text of one."""
    rebuilt = slow_rebuild()

    sent = spans_of(rebuilt, ordered(rebuilt.timeline or []))

    assert b"anon_1" not in sent
    assert b"WHERE" not in sent


def test_a_trace_that_came_in_leads_to_that_of_the_request():
    """Other services, which got no traceparent, are in that one."""
    came_in = record(
        trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331"
    )

    [span] = _spans((came_in, []))
    [other] = _spans((record(), []))

    assert span.trace_id.hex() == came_in.trace_id
    assert span.parent_span_id.hex() == came_in.span_id
    assert [link.trace_id for link in span.links] == [other.trace_id]
    assert not other.links


def test_what_no_span_holds_raises():
    """A killed worker's record is read from a file, and may hold anything."""
    for odd in (
        {"duration_ms": 1e15},
        {"duration_ms": -1.0, "started_at": "z"},
        {"status": 2**64},
        {"response_bytes": 2**63},
    ):
        with pytest.raises((ValueError, struct.error)):
            spans_of(record(**odd), ordered([]))


def test_every_metric_and_label_has_a_name():
    """In the order of ours."""
    waits = {kind.name + "_wait" for kind in KINDS[1:]}

    assert set(names.METRICS) == {kind.name for kind in KINDS} | waits
    for ours, (_, labels) in names.METRICS.items():
        assert len(labels) == len(LABELS_OF_KINDS[ours])


TEXTS = st.text(
    st.characters(categories=("L", "N", "P", "Z", "Cs")), max_size=200
)
MAYBE = st.none() | TEXTS
NUMBERS = st.integers(0, 2**63 - 1)
MS = st.floats(0, 1e9)
IDS = st.none() | st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
WORDS = st.builds(
    CallWords,
    st.sampled_from([group.name for group in GROUPS]),
    TEXTS | st.sampled_from(["SELECT a", "network GET /v2.0/ports"]),
    lane=st.integers(0, 300),
    rows=st.none() | NUMBERS,
    error=MAYBE,
    request_id=MAYBE,
    made_by=MAYBE,
)


@st.composite
def ordered_calls(draw):
    words = draw(st.lists(WORDS, max_size=5))
    seconds = st.floats(0, 1e6)
    times = [
        (start, -(start + spent), draw(st.integers(0, len(words) - 1)))
        for start, spent in draw(
            st.lists(st.tuples(seconds, seconds), max_size=20)
        )
        if words
    ]
    parents = [draw(st.integers(-1, place - 1)) for place in range(len(times))]
    return OrderedCalls(0.5, words, times, parents)


RECORDS = st.builds(
    record,
    kind=st.sampled_from([kind.name for kind in KINDS]),
    **dict.fromkeys(("method", "route", "path"), TEXTS),
    outcome=st.sampled_from(["ok", "failed", "killed"]),
    **dict.fromkeys(
        ("error", "action", "user_id", "project_id", "remote_address"), MAYBE
    ),
    **dict.fromkeys(("request_id", "global_request_id"), MAYBE),
    **dict.fromkeys(("record_id", "parent_id", "span_id"), IDS),
    trace_id=st.none() | st.just("0af7651916cd43dd8448eb211c80319c"),
    status=st.integers(0, 999),
    response_bytes=st.none() | NUMBERS,
    dropped_calls=NUMBERS,
    duration_ms=MS,
    cpu_ms=st.none() | MS,
    wait_ms=st.none() | MS,
    breakdown_ms=st.dictionaries(st.sampled_from(["sql", "python"]), MS),
)


@given(RECORDS, ordered_calls())
def test_parts_put_together_are_what_the_library_makes(made, calls):
    """Whatever a record holds: the same message but for attributes' order."""
    [part] = plain_request([(made, calls)]).resource_spans
    expected = part.scope_spans[0].spans

    found = ScopeSpans.FromString(spans_of(made, calls)).spans

    for span in (*found, *expected):
        span.attributes.sort(key=lambda one: one.key)
    assert list(found) == list(expected)
