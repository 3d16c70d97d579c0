# SPDX-License-Identifier: Apache-2.0
"""Sinks: each file delivers finished records to one kind of destination."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from nova_profiler.capture.calls import Calls
from nova_profiler.record import RequestRecord

# The calls of one name in a lane: group, name, calls, whether they are nested
# in others of the group, whether a record's calls list them.
Named = tuple[str, str, Calls, bool, bool]

# The name of those sinks that only write into the service's log.
LOG_SINK = "log"


class Sink(Protocol):
    """A destination of records."""

    name: str

    def emit(self, record: RequestRecord) -> None:
        """Deliver *record*. May raise: the caller counts it and goes on."""


@runtime_checkable
class AddingSink(Protocol):
    """A destination of the figures of what has no record.

    A conductor serves thousands of messages a second, of which few are kept.
    """

    name: str

    def add_up(
        self,
        kind: str,
        route: str,
        ms: float,
        wait_ms: float | None,
        lanes: Iterable[list[Named]],
    ) -> None:
        """Add up *ms*, *wait_ms* before that, and the calls in *lanes*.

        May raise: the caller counts it and goes on.
        """
