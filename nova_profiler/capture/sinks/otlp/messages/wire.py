# SPDX-License-Identifier: Apache-2.0
"""Spans in the bytes of protobuf, put together from parts.

opentelemetry-proto writes each part once: what spans of one name have in
common, and what stands before a value. So do its classes know the number of
each field. Parts one behind the other are one message, in any order.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
)

from nova_profiler.capture.sinks.otlp.messages.attributes import (
    add_attribute,
    fill_origin,
)

# Parts of a kind that are kept ready: a process has fewer names.
MOST_PARTS = 4096
_FIXED64, _BYTES = 1, 2
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_double = Struct("<d").pack
# Of an integer of theirs.
_LARGEST = 2**63 - 1


def varint(number: int) -> bytes:
    """Return *number*, 0 or more: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


# Of lengths and tags, which come again and again; values do not.
_length = lru_cache(MOST_PARTS)(varint)


def _tag(message: Any, field: str, form: int) -> bytes:
    """Return what stands before *field* of *message*, which has that form."""
    return varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | form)


_RESOURCE_SPANS = _tag(ExportTraceServiceRequest, "resource_spans", _BYTES)
_SCOPE_SPANS = _tag(ResourceSpans, "scope_spans", _BYTES)
_SPAN = _tag(ScopeSpans, "spans", _BYTES)
_TRACE_ID = _tag(Span, "trace_id", _BYTES) + varint(_TRACE_BYTES)
_SPAN_ID = _tag(Span, "span_id", _BYTES) + varint(_SPAN_BYTES)
PARENT = _tag(Span, "parent_span_id", _BYTES) + varint(_SPAN_BYTES)
START = _tag(Span, "start_time_unix_nano", _FIXED64)
END = _tag(Span, "end_time_unix_nano", _FIXED64)
# What is behind a span's id: START and its start, END and its end, both in
# nanoseconds since 1970; of one within another PARENT and that id are first.
OUTERMOST = Struct(f"<{len(START)}sQ{len(END)}sQ")
WITHIN = Struct(f"<{len(PARENT)}s{_SPAN_BYTES}s{OUTERMOST.format[1:]}")
# What of a span is as long in each.
_FIXED = len(_TRACE_ID) + _TRACE_BYTES + len(_SPAN_ID) + _SPAN_BYTES

FAILED = Span(status=Status(code=Status.STATUS_CODE_ERROR)).SerializeToString()


def span_head(trace_id: bytes, size: int) -> bytes:
    """Return what stands before a span's id, behind which are *size* bytes."""
    whole = _length(_FIXED + size)
    return b"".join((_SPAN, whole, _TRACE_ID, trace_id, _SPAN_ID))


def attribute(key: str, value: Any) -> bytes:
    """Return an attribute of a span: *value*, a text or a number.

    Raises ValueError for an integer of more than 64 bits.
    """
    kind: Any = type(value)
    data: bytes
    if kind is str:
        data = value.encode("utf-8", "replace")
    elif kind is float:
        data = _double(value)
    elif kind is int and 0 <= value <= _LARGEST:
        data = varint(value)
    else:
        return _written(key, value)
    return _before(key, kind, len(data)) + data


def _written(key: str, value: Any) -> bytes:
    made = Span()
    add_attribute(made.attributes, key, value)
    return bytes(made.SerializeToString())


@lru_cache(MOST_PARTS)
def _before(key: str, kind: Hashable, size: int) -> bytes:
    """Return an attribute up to its value, which ends it and has *size*."""
    value: Any = " " * size
    if kind is float:
        value = 0.0
    elif kind is int:
        value = 1 << 7 * (size - 1)
    whole = _written(key, value)
    return whole[: len(whole) - size]


@lru_cache(MOST_PARTS)
def _origin(service: str, host: str, pid: int) -> tuple[bytes, bytes]:
    """Return the beginnings of a resource's spans, and of a scope's."""
    part, scope = ResourceSpans(), ScopeSpans()
    fill_origin(part, scope, service, host, pid)
    return part.SerializeToString(), scope.SerializeToString()


def resource_spans(
    origin: tuple[str, str, int], spans: Sequence[bytes]
) -> bytes:
    """Return a request's part with *spans* of *origin*, in any pieces.

    Service, host and pid are the origin.
    """
    resource, scope = _origin(*origin)
    size = len(scope) + sum(map(len, spans))
    scope_head = _SCOPE_SPANS + varint(size)
    size += len(resource) + len(scope_head)
    head = _RESOURCE_SPANS + varint(size)
    return b"".join((head, resource, scope_head, scope, *spans))
