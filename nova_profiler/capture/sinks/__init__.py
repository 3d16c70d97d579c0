# SPDX-License-Identifier: Apache-2.0
"""Sinks: each file delivers finished records to one kind of destination."""

from __future__ import annotations

from typing import Protocol

from nova_profiler.record import RequestRecord


class Sink(Protocol):
    """A destination of records."""

    name: str

    def emit(self, record: RequestRecord) -> None:
        """Deliver *record*. May raise: the caller counts it and goes on."""
