# SPDX-License-Identifier: Apache-2.0
"""Spans as opentelemetry-proto makes them, field by field."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from nova_profiler.capture.sinks.otlp.messages import ids, names
from nova_profiler.capture.sinks.otlp.messages.attributes import (
    add_attribute,
    fill_origin,
    nanoseconds,
    text_of,
)
from nova_profiler.groups import BY_NAME
from nova_profiler.record import (
    CallWords,
    OrderedCalls,
    RequestRecord,
    TimelineEntry,
)


def ordered(entries: list[TimelineEntry]) -> OrderedCalls:
    """Return *entries* of a timeline, which are in order, for a trace."""
    words = [
        CallWords(
            *(one.group, one.name, one.lane, one.rows, one.error),
            request_id=one.request_id,
            made_by=one.made_by,
        )
        for one in entries
    ]
    times = [
        (one.start_ms / 1000, -(one.start_ms + one.ms) / 1000, place)
        for place, one in enumerate(entries)
    ]
    parents = [-1 if one.parent is None else one.parent for one in entries]
    return OrderedCalls(0.0, words, times, parents)


def plain_request(
    pairs: list[tuple[RequestRecord, OrderedCalls]],
) -> ExportTraceServiceRequest:
    """Return the message of *pairs*, with no part made before."""
    made = ExportTraceServiceRequest()
    for record, calls in pairs:
        part = made.resource_spans.add()
        scope = part.scope_spans.add()
        fill_origin(part, scope, record.service, record.host, record.pid)
        _add_own(scope.spans.add(), record)
        _add_calls(scope.spans, record, calls)
    return made


def _add_own(span: Span, record: RequestRecord) -> None:
    own = span.span_id = ids.span_id_of(record)
    span.trace_id = ids.trace_id_of(record)
    if record.trace_id:
        span.links.add(trace_id=ids.own_trace_of(record), span_id=own)
    parent = ids.parent_span_of(record)
    if parent != own:
        span.parent_span_id = parent
    began = span.start_time_unix_nano = nanoseconds(record.started_at)
    span.end_time_unix_nano = began + int(record.duration_ms * 1e6)
    fields = {**dict(names.FIELDS), **dict(names.OWN_FIELDS)}
    span.kind = Span.SPAN_KIND_INTERNAL
    if record.kind in ("request", "message"):
        span.kind = Span.SPAN_KIND_SERVER
    if record.kind == "request":
        span.name = text_of(f"{record.method} {record.route}")
        fields |= dict(names.REQUEST_FIELDS) | dict(names.OWN_REQUEST_FIELDS)
        if record.status:
            add_attribute(span.attributes, names.STATUS, record.status)
    else:
        span.name = text_of(record.route)
        labels = names.METRICS[record.kind][1]
        for key, word in zip(
            labels, record.route.split(" ")[1:], strict=False
        ):
            add_attribute(span.attributes, key, word)
    if record.outcome in ("failed", "killed") or record.status >= 500:
        span.status.code = Status.STATUS_CODE_ERROR
    for name, key in fields.items():
        if getattr(record, name) is not None:
            add_attribute(span.attributes, key, getattr(record, name))
    for bucket, ms in record.parts_ms.items():
        add_attribute(span.attributes, names.BREAKDOWN + bucket, round(ms, 3))
    if record.dropped_calls:
        key = names.OURS + "dropped_calls"
        add_attribute(span.attributes, key, record.dropped_calls)


def _add_calls(
    spans: object, record: RequestRecord, calls: OrderedCalls
) -> None:
    own = ids.span_id_of(record)
    found = ids.spans_of_calls(own, len(calls.times))
    for place, (_, _, of_words) in enumerate(calls.times):
        request_id = calls.words[of_words].request_id
        if request_id is not None:
            found[place] = ids.span_of_request(request_id)
    since = nanoseconds(record.started_at) - int(calls.started * 1e9)
    for place, (start, minus_end, of_words) in enumerate(calls.times):
        call, parent = calls.words[of_words], calls.parents[place]
        span = spans.add(span_id=found[place])
        span.trace_id = ids.trace_id_of(record)
        span.parent_span_id = own if parent < 0 else found[parent]
        span.start_time_unix_nano = since + int(start * 1e9)
        span.end_time_unix_nano = since - int(minus_end * 1e9)
        words = names.words_of(BY_NAME[call.group])
        span.name = text_of(call.name or call.group)
        span.kind = (
            Span.SPAN_KIND_CLIENT
            if words.is_client
            else Span.SPAN_KIND_INTERNAL
        )
        add_attribute(span.attributes, names.GROUP, call.group)
        parts = call.name.split(" ", max(0, len(words.attributes) - 1))
        if call.name and len(parts) >= words.least:
            for key, part in zip(words.attributes, parts, strict=False):
                add_attribute(span.attributes, key, part)
        if call.error:
            span.status.code = Status.STATUS_CODE_ERROR
        for key, value in (
            (names.ERROR, call.error or None),
            (names.ROWS, call.rows),
            (names.LINE, call.made_by or None),
            (names.LANE, call.lane or None),
        ):
            if value is not None:
                add_attribute(span.attributes, key, value)
