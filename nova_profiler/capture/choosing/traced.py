# SPDX-License-Identifier: Apache-2.0
"""Which records have a trace that is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from nova_profiler.capture.choosing.choice import Choice, is_drawn, is_kept
from nova_profiler.record import RequestRecord


class Wanted(Protocol):
    """The settings that choose."""

    @property
    def otlp_traces(self) -> Collection[str]: ...
    @property
    def otlp_trace_rate(self) -> float: ...
    @property
    def slow_ms(self) -> float: ...
    @property
    def profile_keys(self) -> Sequence[str]: ...


class TraceChoice:
    """Chooses records when they are complete."""

    def __init__(self, count: Callable[[str], None]) -> None:
        # For its share of ids, which a client may have made up.
        self._choice = Choice(count)

    def is_traced(
        self, record: RequestRecord, settings: Wanted, chosen: bool
    ) -> bool:
        """Return whether *record* has a trace.

        *chosen*: a profile was asked for.
        """
        return is_kept(
            record, settings.otlp_traces, settings.slow_ms, chosen
        ) or self._choice.is_drawn_late(
            record, settings.otlp_trace_rate, settings.profile_keys
        )


def may_be_drawn(headers: Mapping[str, Any], settings: Wanted) -> bool:
    """Return whether what came with *headers* needs a record to be drawn.

    Asked of what has none otherwise; the id is the one of its record.
    """
    rate = settings.otlp_trace_rate
    if rate <= 0:
        return False
    found = headers.get("HTTP_X_OPENSTACK_REQUEST_ID")
    keys = settings.profile_keys
    key = next(filter(None, keys), "")
    return isinstance(found, str) and is_drawn(found, rate, key)
