# SPDX-License-Identifier: Apache-2.0
"""What traces and metrics have in common."""

from __future__ import annotations

from nova_profiler.capture.sinks.otlp.messages.attributes import nanoseconds


def test_a_time_keeps_its_microseconds():
    """A float of seconds would lose some."""
    began = nanoseconds("2026-11-21T10:35:01.123456+00:00")

    assert began == 1_795_257_301_123_456_000


def test_what_is_no_time_is_none():
    """A killed worker's record is read from a file, and may hold anything."""
    for text in ("", "z", "9999-99-99", "0001-01-01T00:00:00+00:00"):
        assert nanoseconds(text) == 0
