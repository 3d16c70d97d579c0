# SPDX-License-Identifier: Apache-2.0
"""Which records have a trace: the same ones in all services."""

from __future__ import annotations

import uuid

from builders import record

from nova_profiler.capture.choosing.traced import TraceChoice, may_be_drawn
from nova_profiler.capture.settings.options import Settings

HALF = Settings(otlp_trace_rate=0.5, slow_ms=1e6, profile_keys=("k" * 16,))
NAME = "HTTP_X_OPENSTACK_REQUEST_ID"


def _choice() -> TraceChoice:
    return TraceChoice(lambda what: None)


def test_services_draw_the_same_requests():
    """nova-api by its own id, neutron by the global one, which is that."""
    ids = [f"req-{uuid.UUID(int=n << 64)}" for n in range(200)]
    nova, conductor = _choice(), _choice()

    drawn = [
        one
        for one in ids
        if nova.is_traced(record(request_id=one), HALF, False)
    ]

    assert 60 < len(drawn) < 140
    for one in ids:
        message = record(kind="message", request_id=one)
        found = conductor.is_traced(message, HALF, False)
        assert found == (one in drawn) == may_be_drawn({NAME: one}, HALF)
    called = record(request_id="req-x", global_request_id=drawn[0])
    assert _choice().is_traced(called, HALF, False)


def test_a_client_cannot_have_all_its_requests_traced():
    """It may send one id again and again."""
    rare = Settings(otlp_trace_rate=0.001, slow_ms=1e6)
    choice = _choice()
    drawn = next(
        one
        for one in map(str, range(100_000))
        if may_be_drawn({NAME: one}, rare)
    )

    found = [
        choice.is_traced(record(global_request_id=drawn), rare, False)
        for _ in range(2000)
    ]

    assert sum(found) < 100


def test_without_a_share_no_id_is_looked_at():
    """Nor is what is no id."""
    assert not may_be_drawn({NAME: "req-1"}, Settings())
    assert not may_be_drawn({NAME: 7}, HALF)
    assert not may_be_drawn({}, HALF)


def test_the_words_are_those_of_dumps():
    """Of each kind."""
    settings = Settings(
        otlp_traces=("slow", "task:all", "profiled"), slow_ms=40.0
    )
    choice = _choice()

    assert choice.is_traced(record(), settings, False)
    assert not choice.is_traced(record(duration_ms=1.0), settings, False)
    task = record(kind="task", duration_ms=1.0)
    assert choice.is_traced(task, settings, False)
    profiled = record(duration_ms=1.0, profile={"engine": "stacks"})
    assert choice.is_traced(profiled, settings, True)
    assert not choice.is_traced(profiled, settings, False)
