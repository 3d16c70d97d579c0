# SPDX-License-Identifier: Apache-2.0
"""A record as spans: one of its own, and one of each of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from nova_profiler import __version__
from nova_profiler.capture.sinks.otlp import names
from nova_profiler.capture.sinks.otlp.ids import (
    own_trace_of,
    parent_span_of,
    span_id_of,
    span_of_call,
    span_of_request,
    trace_id_of,
)
from nova_profiler.groups import BY_NAME
from nova_profiler.record import (
    FAILED,
    KILLED,
    MESSAGE,
    REQUEST,
    RequestRecord,
    TimelineEntry,
)

_REQUEST = REQUEST.name
_SERVED = (_REQUEST, MESSAGE.name)
_FAILURES = (FAILED, KILLED)
# Names of calls that are kept ready; a process has fewer.
_MOST_NAMES = 4096


def add_attribute(attributes: Any, key: str, value: Any) -> None:
    """Add *value*, a text or a number, under *key* to *attributes*."""
    # To make the parts by themselves takes twice as long.
    place = attributes.add(key=key).value
    kind = type(value)
    if kind is str:
        place.string_value = _text(value)
    elif kind is int:
        place.int_value = value
    elif kind is float:
        place.double_value = value
    elif kind is bool:
        place.bool_value = value


def _text(value: str) -> str:
    """Return *value* as a text of protobuf, which takes no surrogates."""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def fill_origin(
    part: Any, scope: Any, service: str, host: str, pid: int
) -> None:
    """Fill in what sends *part*, a resource's spans or metrics."""
    attributes = part.resource.attributes
    add_attribute(attributes, names.SERVICE, service)
    add_attribute(attributes, names.HOST, host)
    add_attribute(attributes, names.PID, pid)
    scope.scope.name = names.SCOPE
    scope.scope.version = __version__


def request_of(
    records: Iterable[tuple[RequestRecord, list[TimelineEntry]]],
    failed: Callable[[Exception], None],
) -> ExportTraceServiceRequest:
    """Return the message that hands over *records*, each with its calls.

    *failed* is called for each that cannot be sent.
    """
    made = ExportTraceServiceRequest()
    # Those of one process, but for a killed one's.
    scopes: dict[tuple[str, str, int], Any] = {}
    for record, calls in records:
        origin = record.service, record.host, record.pid
        scope = scopes.get(origin)
        if scope is None:
            part = made.resource_spans.add()
            scope = scopes[origin] = part.scope_spans.add()
            fill_origin(part, scope, *origin)
        before = len(scope.spans)
        try:
            add_spans(scope.spans, record, calls)
        except Exception as exc:
            # As for a number that has no place in 64 bits.
            del scope.spans[before:]
            failed(exc)
    return made


def nanoseconds(started_at: str) -> int:
    """Return a record's time, ISO 8601, as nanoseconds since 1970."""
    try:
        since = datetime.fromisoformat(started_at).timestamp()
    except (ValueError, OverflowError):
        # Of a killed worker's file: not known.
        return 0
    # To the microsecond, which is what it has; a float has less.
    return max(round(since * 1e6) * 1000, 0)


def add_spans(
    spans: Any, record: RequestRecord, calls: list[TimelineEntry]
) -> None:
    """Add the spans of *record* and of its *calls* to *spans*."""
    trace_id = trace_id_of(record)
    own = span_id_of(record)
    began = nanoseconds(record.started_at)
    span = spans.add()
    span.trace_id = trace_id
    span.span_id = own
    if record.trace_id:
        # Services that it was not handed on to are in the other one.
        span.links.add(trace_id=own_trace_of(record), span_id=own)
    parent = parent_span_of(record)
    if parent and parent != own:
        span.parent_span_id = parent
    span.start_time_unix_nano = began
    span.end_time_unix_nano = began + int(record.duration_ms * 1e6)
    _fill_own(span, record)
    ids: dict[int | None, bytes] = {None: own}
    for place, call in enumerate(calls):
        span = spans.add()
        span.MergeFrom(_named(call.group, call.name))
        request_id = call.request_id
        span_id = (
            span_of_call(own, place)
            if request_id is None
            else span_of_request(request_id)
        )
        ids[call.id] = span.span_id = span_id
        span.trace_id = trace_id
        # A parent stands before its children.
        span.parent_span_id = ids.get(call.parent, own)
        start = began + int(call.start_ms * 1e6)
        span.start_time_unix_nano = start
        span.end_time_unix_nano = start + int(call.ms * 1e6)
        if call.error or call.rows is not None or call.made_by or call.lane:
            _fill_rest(span, call)


def _fill_own(span: Any, record: RequestRecord) -> None:
    """Fill in name, kind, status and attributes of a record's own span."""
    fields: tuple[tuple[str, str], ...] = names.FIELDS
    if record.kind == _REQUEST:
        span.name = _text(f"{record.method} {record.route}")
        fields = (*names.REQUEST_FIELDS, *fields)
        if record.status:
            add_attribute(span.attributes, names.STATUS, record.status)
    else:
        span.name = _text(record.route)
        words = record.route.split(" ")[1:]
        labels = names.METRICS[record.kind][1]
        for key, word in zip(labels, words, strict=False):
            add_attribute(span.attributes, key, word)
    span.kind = (
        Span.SPAN_KIND_SERVER
        if record.kind in _SERVED
        else Span.SPAN_KIND_INTERNAL
    )
    if record.outcome in _FAILURES:
        span.status.code = Status.STATUS_CODE_ERROR
    for name, key in fields:
        value = getattr(record, name)
        if value is not None:
            add_attribute(span.attributes, key, value)
    for bucket, ms in record.parts_ms.items():
        key = names.BREAKDOWN + bucket
        add_attribute(span.attributes, key, round(ms, 3))
    if record.dropped_calls:
        # What the record does not list, the trace does not either.
        key = names.OURS + "dropped_calls"
        add_attribute(span.attributes, key, record.dropped_calls)


@lru_cache(_MOST_NAMES)
def _named(group: str, name: str) -> Span:
    """Return what all calls of *name* have in common.

    Kept ready: to make it takes most of what a span costs.
    """
    words = names.words_of(BY_NAME[group])
    # The last word of a name may hold blanks.
    parts = name.split(" ", max(0, len(words.attributes) - 1))
    made = Span(
        name=_text(name or group),
        kind=(
            Span.SPAN_KIND_CLIENT
            if words.is_client
            else Span.SPAN_KIND_INTERNAL
        ),
    )
    add_attribute(made.attributes, names.GROUP, group)
    if name and len(parts) >= words.least:
        for key, part in zip(words.attributes, parts, strict=False):
            add_attribute(made.attributes, key, part)
    return made


def _fill_rest(span: Any, call: TimelineEntry) -> None:
    """Fill in what only some calls of a name have."""
    if call.error:
        span.status.code = Status.STATUS_CODE_ERROR
    for key, value in (
        (names.ERROR, call.error),
        (names.ROWS, call.rows),
        (names.LINE, call.made_by),
        (names.LANE, call.lane or None),
    ):
        if value is not None:
            add_attribute(span.attributes, key, value)
