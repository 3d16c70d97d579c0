# SPDX-License-Identifier: Apache-2.0
"""The requests of one process of which stacks may still be asked for."""

from __future__ import annotations

from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    SeenRequest,
)
from nova_profiler.capture.profilers.stacks.reader.seen.stretch_room import (
    Room,
)

# Requests that are kept in mind.
MOST_REQUESTS = 4096
# How long after its end a request may still be asked for.
DECISION_NS = 2_000_000_000


class SeenRequests:
    """The requests of one process that may still be asked for."""

    def __init__(self) -> None:
        self._known: dict[int, SeenRequest] = {}
        self.room = Room(self._known)
        # Requests that were forgotten for want of room.
        self.crowded_out = 0

    def __len__(self) -> int:
        return len(self._known)

    def of(self, request: int, home: int) -> SeenRequest:
        """Return what is known of *request*, whose own slot is *home*."""
        found = self._known.get(request)
        if found is None:
            if len(self._known) >= MOST_REQUESTS:
                self.take(next(iter(self._known)))
                self.crowded_out += 1
            found = self._known[request] = SeenRequest(home, self.room)
        return found

    def get(self, request: int) -> SeenRequest | None:
        """Return what is known of *request*, None if that is nothing."""
        return self._known.get(request)

    def take(self, request: int) -> SeenRequest | None:
        """Return what is known of *request*, and forget it."""
        found = self._known.pop(request, None)
        if found is not None:
            found.let_go()
        return found

    def forget_ended(self, live: set[int], now_ns: int) -> None:
        """Forget requests that are not *live*, and that were not asked for.

        Each has DECISION_NS after its end was noticed.
        """
        for request, seen in list(self._known.items()):
            if request in live:
                continue
            if not seen.ended_ns:
                seen.ended_ns = now_ns
            elif now_ns - seen.ended_ns > DECISION_NS:
                self.take(request)
