# SPDX-License-Identifier: Apache-2.0
"""The bytes of protobuf are those that the library writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from nova_profiler.capture.sinks.otlp.messages import wire
from nova_profiler.capture.sinks.otlp.messages.attributes import (
    add_attribute,
    fill_origin,
)

BOUNDS = [0, 1, 127, 128, 16383, 16384, 2**63 - 1, -1, -(2**63)]


@given(
    st.text(max_size=20),
    st.text(max_size=20_000)
    | st.floats()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from(BOUNDS),
)
def test_an_attribute_is_the_librarys(key, value):
    """Of each kind and size, to the byte."""
    expected = Span()
    add_attribute(expected.attributes, key, value)

    assert wire.attribute(key, value) == expected.SerializeToString()


def test_a_number_of_more_than_64_bits_is_refused():
    """As the library refuses it."""
    for number in (2**63, -(2**63) - 1):
        with pytest.raises(ValueError, match="out of range"):
            wire.attribute("a", number)


@pytest.mark.parametrize("size", [0, 1, 100, 20_000, 3_000_000])
def test_a_message_holds_what_it_was_given(size):
    """However long its parts are."""
    span = Span(name="x" * size).SerializeToString()
    pieces = [
        wire.span_head(b"t" * 16, wire.OUTERMOST.size + len(span)),
        b"s" * 8,
        wire.OUTERMOST.pack(wire.START, 1, wire.END, 2),
        span,
    ]

    found = ExportTraceServiceRequest.FromString(
        wire.resource_spans(("nova-api", "host", 7), pieces * 2)
    )

    expected = ResourceSpans()
    scope = expected.scope_spans.add()
    fill_origin(expected, scope, "nova-api", "host", 7)
    for _ in range(2):
        scope.spans.add(
            trace_id=b"t" * 16,
            span_id=b"s" * 8,
            start_time_unix_nano=1,
            end_time_unix_nano=2,
            name="x" * size,
        )
    assert list(found.resource_spans) == [expected]


def test_what_is_kept_ready_is_bounded():
    """Texts of any length, and numbers, are no names."""
    for size in range(wire.MOST_PARTS + 100):
        wire.attribute("a", "x" * size)
        wire.varint(size)

    for kept in (wire._before, wire._length, wire._origin):
        info = kept.cache_info()
        assert info.maxsize == wire.MOST_PARTS
        assert info.currsize <= wire.MOST_PARTS
