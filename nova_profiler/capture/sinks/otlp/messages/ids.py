# SPDX-License-Identifier: Apache-2.0
"""The ids of traces and spans, which all services find by themselves.

A trace that came in by ``traceparent`` goes on. Else the request id, which
nova's services hand on, is the trace's: all records of a request have the same
trace without a header of ours. A record's id is its span's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from struct import unpack
from typing import Protocol

from nova_profiler.record import REQUEST, RequestRecord

# As oslo.context makes them, and openstacksdk.
_UUID = re.compile(
    r"(?:req-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.ASCII | re.IGNORECASE,
)
_TRACE_BYTES = 16
_SPAN_BYTES = 8
_MASK = 2**64 - 1
# Odd, so that a record's calls never share an id, and large: records of a
# process have consecutive numbers.
_STEP = 0x9E3779B97F4A7C15


class Identified(Protocol):
    """What a record, and what is kept of one, has of ids."""

    @property
    def record_id(self) -> str | None: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def trace_id(self) -> str | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def global_request_id(self) -> str | None: ...


def trace_id_of(record: Identified) -> bytes:
    """Return the 16 bytes of the trace that *record* is part of.

    The global request id is the one that other services know: what they call
    ``global`` is the caller's id, or the one that it had itself been given.
    """
    return _number(record.trace_id, _TRACE_BYTES) or own_trace_of(record)


def own_trace_of(record: Identified) -> bytes:
    """Return the trace that it would be if none had come in.

    Services that no ``traceparent`` reaches have that one.
    """
    known = record.global_request_id or record.request_id
    if known is None:
        return _digest(record.parent_id or record.record_id, _TRACE_BYTES)
    found = _UUID.fullmatch(known)
    if found is not None:
        number = _number(found[1].replace("-", ""), _TRACE_BYTES)
        if number:
            return number
    return _digest(known, _TRACE_BYTES)


def span_id_of(record: Identified) -> bytes:
    """Return the 8 bytes of the span that *record* becomes."""
    number = _number(record.record_id, _SPAN_BYTES)
    return number or _digest(record.request_id, _SPAN_BYTES)


def parent_span_of(record: RequestRecord) -> bytes:
    """Return the span around that of *record*, empty where none is known.

    A request that another service sent, by its global id, is inside the span
    of that call: both sides know the id of the request.
    """
    if record.trace_id and record.span_id:
        return _number(record.span_id, _SPAN_BYTES)
    if record.parent_id:
        return _number(record.parent_id, _SPAN_BYTES)
    if (
        record.kind == REQUEST.name
        and record.global_request_id
        and record.request_id
    ):
        return span_of_request(record.request_id)
    return b""


def span_of_request(request_id: str) -> bytes:
    """Return the span of the call that was answered as *request_id*."""
    return _digest("call " + request_id, _SPAN_BYTES)


def spans_of_calls(span: bytes, calls: int) -> list[bytes]:
    """Return the spans of the first *calls* in the record of *span*."""
    # All in one number: one by one they take four times as long.
    steps = _steps(calls.bit_length())[: calls * _SPAN_BYTES]
    mixed = int.from_bytes(span * calls, "big") ^ int.from_bytes(steps, "big")
    data = mixed.to_bytes(len(steps), "big")
    return list(unpack(f"{_SPAN_BYTES}s" * calls, data))


@lru_cache(32)
def _steps(bits: int) -> bytes:
    """Return what makes spans differ, for calls whose number has *bits*."""
    return b"".join(
        (place * _STEP & _MASK).to_bytes(_SPAN_BYTES, "big")
        for place in range(1, 1 << bits)
    )


def _number(text: str | None, size: int) -> bytes:
    """Return the *size* bytes that *text* is, empty where it is no id.

    Zeros alone are none. What a killed worker left was read from a file.
    """
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return b""
    return found if len(found) == size and any(found) else b""


def _digest(text: str | None, size: int) -> bytes:
    return blake2b(
        (text or "").encode("utf-8", "replace"), digest_size=size
    ).digest()
