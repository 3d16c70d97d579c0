# SPDX-License-Identifier: Apache-2.0
"""What fronts and clients waited, beside the service's own time."""

from __future__ import annotations

from typing import Any

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import SERVER

# Parts are few names of ours; the limit guards against a mistake.
_MOST_PARTS = 20
_MOST_ENDS = 100


class Front:
    """The calls that one form of front or client logged."""

    def __init__(self) -> None:
        self.calls = 0
        self.ms = 0.0
        # Of the calls that the service logged as well.
        self.matched = 0
        self.matched_ms = 0.0
        self.server_ms = 0.0
        self.parts: dict[str, float] = {}
        # The longest wait for anything but the service's work, by part.
        self.longest: dict[str, tuple[float, str, str]] = {}
        # Calls that did not end well: how many, and one of them.
        self.ended: dict[str, tuple[int, str, str]] = {}

    def add(self, entry: AccessEntry) -> None:
        """Add one call."""
        self.calls += 1
        self.ms += entry.ms
        if entry.server_ms is not None:
            self.matched += 1
            self.matched_ms += entry.ms
            self.server_ms += entry.server_ms
        for part, ms in (entry.waits_ms or {}).items():
            if part in self.parts or len(self.parts) < _MOST_PARTS:
                self.parts[part] = self.parts.get(part, 0.0) + ms
            if part != SERVER:
                self._note(part, ms, entry.method, entry.route)
        if entry.ended is not None:
            self._note_end(entry.ended, 1, entry.method, entry.route)

    def merge(self, other: Front) -> None:
        """Add what *other* holds."""
        self.calls += other.calls
        self.ms += other.ms
        self.matched += other.matched
        self.matched_ms += other.matched_ms
        self.server_ms += other.server_ms
        for part, ms in other.parts.items():
            self.parts[part] = self.parts.get(part, 0.0) + ms
        for part, longest in other.longest.items():
            self._note(part, *longest)
        for how, ended in other.ended.items():
            self._note_end(how, *ended)

    def _note(self, part: str, ms: float, method: str, route: str) -> None:
        known = self.longest.get(part)
        if ms > 0 and (known is None or ms > known[0]):
            self.longest[part] = ms, method, route

    def _note_end(self, how: str, calls: int, method: str, route: str) -> None:
        known = self.ended.get(how)
        if known is not None:
            self.ended[how] = known[0] + calls, *known[1:]
        elif len(self.ended) < _MOST_ENDS:
            self.ended[how] = calls, method, route

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values."""
        parts = sorted(self.parts.items(), key=lambda item: -item[1])
        return {
            "calls": self.calls,
            "ms": round(self.ms, 3),
            "matched": self.matched,
            "matched_ms": round(self.matched_ms, 3),
            "server_ms": round(self.server_ms, 3),
            "waits_ms": {part: round(ms, 3) for part, ms in parts},
            "longest_waits": {
                part: {
                    "ms": round(ms, 3),
                    "method": method,
                    "route": route,
                }
                for part, (ms, method, route) in self.longest.items()
            },
            "ended": [
                {"how": how, "calls": calls, "method": method, "route": route}
                for how, (calls, method, route) in sorted(
                    self.ended.items(), key=lambda item: (-item[1][0], item[0])
                )
            ],
        }


class Fronts(dict[str, Front]):
    """Fronts and clients, by their form."""

    def add(self, entry: AccessEntry) -> None:
        """Add *entry* if a front or a client logged it."""
        if entry.waits_ms is not None or entry.server_ms is not None:
            through = f" through {entry.front}" if entry.front else ""
            self.setdefault(entry.form + through, Front()).add(entry)

    def merge(self, other: Fronts) -> None:
        """Add the fronts of *other*."""
        for form, front in other.items():
            self.setdefault(form, Front()).merge(front)

    def figures(self) -> list[dict[str, Any]]:
        """Return each front's figures, the most time first."""
        found = [
            {"form": form, **front.figures()} for form, front in self.items()
        ]
        return sorted(found, key=lambda front: -front["ms"])
