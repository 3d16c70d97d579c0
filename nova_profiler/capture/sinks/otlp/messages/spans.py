# SPDX-License-Identifier: Apache-2.0
"""A record as spans: one of its own, and one of each of its calls."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from nova_profiler.capture.sinks.otlp.messages import names, wire
from nova_profiler.capture.sinks.otlp.messages.attributes import (
    add_attribute,
    nanoseconds,
    text_of,
)
from nova_profiler.capture.sinks.otlp.messages.ids import (
    own_trace_of,
    parent_span_of,
    span_id_of,
    span_of_request,
    spans_of_calls,
    trace_id_of,
)
from nova_profiler.groups import BY_NAME
from nova_profiler.record import (
    MESSAGE,
    REQUEST,
    CallWords,
    OrderedCalls,
    RequestRecord,
)

_REQUEST = REQUEST.name
_SERVED = (_REQUEST, MESSAGE.name)
# Fields whose values few differ in.
_SHARED = (
    "status",
    "is_failed",
    *(name for name, _ in (*names.REQUEST_FIELDS, *names.FIELDS)),
)
_shared_of = attrgetter(*_SHARED)
_OWN_FIELDS_OF_REQUESTS = (*names.OWN_REQUEST_FIELDS, *names.OWN_FIELDS)
_WITHIN = wire.WITHIN.pack, wire.PARENT, wire.START, wire.END


def spans_of(record: RequestRecord, calls: OrderedCalls) -> bytes:
    """Return the spans of *record* and of its *calls*, as of a scope.

    May raise for what no span holds, as a number of more than 64 bits.
    """
    trace_id = trace_id_of(record)
    own = span_id_of(record)
    began = nanoseconds(record.started_at)
    made = _own_span(record, trace_id, own, began)
    started, words, times, parents = calls
    rests = [_rest_of(one) for one in words]
    size = wire.WITHIN.size
    heads = [wire.span_head(trace_id, size + len(rest)) for rest in rests]
    ids = _ids_of(own, words, times)
    # Of a call with none around it: -1 is the last.
    ids.append(own)
    # A call, and an attribute looked up, count: each span has them.
    pack, of_parent, of_start, of_end = _WITHIN
    since = began - int(started * 1e9)
    for span_id, parent, (start, minus_end, place) in zip(
        ids, parents, times, strict=False
    ):
        made += (
            heads[place],
            span_id,
            pack(
                of_parent,
                ids[parent],
                of_start,
                since + int(start * 1e9),
                of_end,
                since - int(minus_end * 1e9),
            ),
            rests[place],
        )
    return b"".join(made)


def _ids_of(
    own: bytes,
    words: list[CallWords],
    times: list[tuple[float, float, int]],
) -> list[bytes]:
    """Return the span of each call."""
    ids = spans_of_calls(own, len(times))
    if any(one.request_id is not None for one in words):
        for number, (_, _, place) in enumerate(times):
            request_id = words[place].request_id
            if request_id is not None:
                ids[number] = span_of_request(request_id)
    return ids


def _own_span(
    record: RequestRecord, trace_id: bytes, own: bytes, began: int
) -> list[bytes]:
    """Return the record's own span, in pieces."""
    rest = b"".join(_own_parts(record))
    if record.trace_id:
        # Services that it was not handed on to are in the other one.
        link = Span()
        link.links.add(trace_id=own_trace_of(record), span_id=own)
        rest += link.SerializeToString()
    ended = began + int(record.duration_ms * 1e6)
    parent = parent_span_of(record)
    behind = (
        wire.WITHIN.pack(
            wire.PARENT, parent, wire.START, began, wire.END, ended
        )
        if parent and parent != own
        else wire.OUTERMOST.pack(wire.START, began, wire.END, ended)
    ) + rest
    return [wire.span_head(trace_id, len(behind)), own, behind]


def _own_parts(record: RequestRecord) -> list[bytes]:
    """Return name, kind, status and attributes of a record's own span."""
    attribute = wire.attribute
    made = [_shared(*_shared_of(record))]
    for name, key in (
        _OWN_FIELDS_OF_REQUESTS
        if record.kind == _REQUEST
        else names.OWN_FIELDS
    ):
        value = getattr(record, name)
        if value is not None:
            made.append(attribute(key, value))
    for bucket, ms in record.parts_ms.items():
        made.append(attribute(names.BREAKDOWN + bucket, round(ms, 3)))
    if record.dropped_calls:
        # What the record does not list, the trace does not either.
        key = names.OURS + "dropped_calls"
        made.append(attribute(key, record.dropped_calls))
    return made


@lru_cache(wire.MOST_PARTS)
def _shared(*values: Any) -> bytes:
    """Return what the spans of all records with these *values* have."""
    known = dict(zip(_SHARED, values, strict=True))
    kind, route = known["kind"], known["route"]
    fields: tuple[tuple[str, str], ...] = names.FIELDS
    made = Span(
        kind=(
            Span.SPAN_KIND_SERVER
            if kind in _SERVED
            else Span.SPAN_KIND_INTERNAL
        )
    )
    if kind == _REQUEST:
        made.name = text_of(f"{known['method']} {route}")
        fields = (*names.REQUEST_FIELDS, *fields)
        if known["status"]:
            add_attribute(made.attributes, names.STATUS, known["status"])
    else:
        made.name = text_of(route)
        words = route.split(" ")[1:]
        for key, word in zip(names.METRICS[kind][1], words, strict=False):
            add_attribute(made.attributes, key, word)
    if known["is_failed"]:
        made.status.code = Status.STATUS_CODE_ERROR
    for name, key in fields:
        if known[name] is not None:
            add_attribute(made.attributes, key, known[name])
    return bytes(made.SerializeToString())


def _rest_of(call: CallWords) -> bytes:
    """Return all of a call's span but its ids and times."""
    made = _call_named(call.group, call.name)
    if not (call.error or call.rows is not None or call.made_by or call.lane):
        return made
    attribute = wire.attribute
    if call.error:
        made += wire.FAILED + attribute(names.ERROR, call.error)
    if call.rows is not None:
        made += attribute(names.ROWS, call.rows)
    if call.made_by:
        made += attribute(names.LINE, call.made_by)
    if call.lane:
        made += attribute(names.LANE, call.lane)
    return made


@lru_cache(wire.MOST_PARTS)
def _call_named(group: str, name: str) -> bytes:
    """Return what the spans of all calls of *name* have in common."""
    words = names.words_of(BY_NAME[group])
    # The last word of a name may hold blanks.
    parts = name.split(" ", max(0, len(words.attributes) - 1))
    made = Span(
        name=text_of(name or group),
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
    return bytes(made.SerializeToString())
