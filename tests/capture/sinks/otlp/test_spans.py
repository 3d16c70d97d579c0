# SPDX-License-Identifier: Apache-2.0
"""A record as spans: what they are called, when they were, what they hold."""

from __future__ import annotations

from builders import one_of_each_kind, record, slow_rebuild
from google.protobuf.json_format import MessageToDict
from otlp_receivers import attributes_of

from nova_profiler.capture.sinks.otlp import names
from nova_profiler.capture.sinks.otlp.spans import nanoseconds, request_of
from nova_profiler.groups import GROUPS
from nova_profiler.record import KINDS, TimelineEntry
from nova_profiler.record.metric_labels import LABELS_OF_KINDS

BEGAN = 1_795_257_301_123_456_000


def _fail(exc):
    raise exc


def _spans(*pairs):
    made = request_of(pairs, _fail)
    # What cannot be sent raises here.
    made.SerializeToString()
    return [
        span
        for resource in made.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


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


def test_processes_have_resources_of_their_own():
    """A killed worker's record is sent by another one."""
    made = request_of(
        [(record(), []), (record(pid=7), []), (record(), [])], _fail
    )

    assert [
        (
            attributes_of(MessageToDict(part.resource))["process.pid"],
            len(part.scope_spans[0].spans),
        )
        for part in made.resource_spans
    ] == [(4242, 2), (7, 1)]


def test_nothing_that_a_record_does_not_hold_is_sent():
    """No statement, and no text of one."""
    rebuilt = slow_rebuild()

    sent = request_of(
        [(rebuilt, rebuilt.timeline or [])], _fail
    ).SerializeToString()

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


def test_what_cannot_be_sent_is_left_out_alone():
    """A killed worker's record is read from a file, and may hold anything."""
    failed = []
    odd = record(duration_ms=1e15, record_id="x", trace_id="y", started_at="z")

    made = request_of(
        [(record(), []), (odd, []), (record(), [])], failed.append
    )

    [part] = made.resource_spans
    assert len(part.scope_spans[0].spans) == 2
    assert [type(exc) for exc in failed] == [ValueError]
    for text in ("", "z", "9999-99-99", "0001-01-01T00:00:00+00:00"):
        assert nanoseconds(text) == 0


def test_a_time_keeps_its_microseconds():
    """A float of seconds would lose some."""
    assert nanoseconds("2026-11-21T10:35:01.123456+00:00") == BEGAN


def test_every_metric_and_label_has_a_name():
    """In the order of ours."""
    waits = {kind.name + "_wait" for kind in KINDS[1:]}

    assert set(names.METRICS) == {kind.name for kind in KINDS} | waits
    for ours, (_, labels) in names.METRICS.items():
        assert len(labels) == len(LABELS_OF_KINDS[ours])
