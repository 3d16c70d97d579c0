# SPDX-License-Identifier: Apache-2.0
"""The calls of one name in one lane, and what names them."""

from __future__ import annotations

from typing import Any, Protocol

from nova_profiler.capture.frames.callers import calling_line
from nova_profiler.groups import BY_NAME, GROUPS
from nova_profiler.record import MOST

# Calls of one name that are kept one by one before they are added up.
CHUNK_CALLS = 256
# Kinds of calls of one name whose figures are added up apart.
MAX_KINDS = 500

_NUMBERS = (int, float)
_BITS = {group.name: 1 << place for place, group in enumerate(GROUPS)}


class CallKey:
    """What a hook times: its group, its name, the name with its module.

    Keys are compared by identity, which is what makes them quick to find.
    ``nested`` is the key for calls made inside another of the same group.
    """

    __slots__ = (
        "bit",
        "group",
        "is_listed",
        "label",
        "name",
        "nested",
        "outermost",
    )

    def __init__(
        self, group: str, name: str, label: str = "", nested: bool = False
    ) -> None:
        self.group = group
        self.name = name
        self.label = label or name
        # Its group's among those of which a lane has an open call.
        self.bit = _BITS[group]
        # Whether a record's ``calls`` have a row for it.
        self.is_listed = bool(BY_NAME[group].metric)
        self.outermost = not nested
        self.nested = (
            self if nested else CallKey(group, name, self.label, True)
        )

    def within(self, nested: bool) -> CallKey:
        """Return the key of a call that is *nested*, or is not."""
        return self.nested if nested else self


class Tally:
    """Calls that were added up because a lane had too many to keep."""

    __slots__ = (
        "by_kind",
        "chunks",
        "count",
        "figure",
        "kinds_missing",
        "max_s",
        "total_s",
        "unknown",
    )

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self.max_s = 0.0
        # Of the calls whose figure is known; how many others there are.
        self.figure: float = 0
        self.unknown = 0
        self.chunks: list[list[Any]] = []
        # The figures of calls that are not kept, by what calls have behind
        # their figure; whether there were more kinds than are kept apart.
        self.by_kind: dict[tuple[Any, ...], float] = {}
        self.kinds_missing = False

    def copied(self) -> Tally:
        """Return another one with the same figures."""
        copied = Tally()
        for name in ("count", "figure", "kinds_missing", "max_s", "total_s"):
            setattr(copied, name, getattr(self, name))
        copied.unknown = self.unknown
        copied.chunks = self.chunks[:]
        copied.by_kind = self.by_kind.copy()
        return copied


class Room(Protocol):
    """How much of one request may still be kept one by one: its capture."""

    calls_room: int
    errors_room: int
    lines_room: int


class Calls(list[Any]):
    """Calls of one name: start, end, a figure of the group, and more.

    The figure is rows for statements and fetches, driver seconds for DB API
    functions. Hooks append; what fills a chunk is added up.
    """

    # On the class, since most have none of these: a new list costs nothing.
    tally: Tally | None = None
    # Exact, where ``errors`` ended for want of room.
    failures = 0
    # When a failed call began, and the class of its exception.
    errors: list[tuple[float, str]] | None = None
    # When a slow call began, and the line of the application that made it.
    lines: list[tuple[float, str]] | None = None
    # How many of the calls were given many sets of parameters at once.
    batches = 0
    # Of a statement, in a dump: its row among the record's statements.
    statement: int | None = None

    def fold(self, room: Room) -> None:
        """Add the calls up, and keep them for the list while there is room."""
        tally = self.tally
        if tally is None:
            tally = self.tally = Tally()
        spans = [call[1] - call[0] for call in self]
        tally.count += len(spans)
        tally.total_s += sum(spans)
        tally.max_s = max(tally.max_s, max(spans, default=0.0))
        figures = [call[2] for call in self if is_known(call[2])]
        tally.figure += sum(figures)
        tally.unknown += len(spans) - len(figures)
        if room.calls_room > 0:
            room.calls_room -= len(spans)
            tally.chunks.append(self[:])
        elif self and len(self[0]) > 3:
            self._add_kinds(tally)
        self.clear()

    def _add_kinds(self, tally: Tally) -> None:
        by_kind = tally.by_kind
        for call in self:
            kind = call[3:]
            if kind not in by_kind and len(by_kind) >= MAX_KINDS:
                tally.kinds_missing = True
            else:
                by_kind[kind] = by_kind.get(kind, 0) + call[2]

    def failed(self, start: float, error: str, room: Room) -> None:
        """Note that the call that began at *start* raised an *error*."""
        self.failures += 1
        if room.errors_room > 0:
            room.errors_room -= 1
            if self.errors is None:
                self.errors = []
            self.errors.append((start, error))

    def was_slow(self, start: float, room: Room) -> None:
        """Note what made the call that began at *start*, and has just ended.

        Called inside the hook that timed it.
        """
        if room.lines_room <= 0:
            return
        line = calling_line()
        if line is None:
            return
        room.lines_room -= 1
        if self.lines is None:
            self.lines = []
        self.lines.append((start, line))

    def copied(self) -> Calls:
        """Return others that are the same by now."""
        copied = Calls(self[:])
        if self.tally is not None:
            copied.tally = self.tally.copied()
        if self.failures:
            copied.failures = self.failures
        if self.errors is not None:
            copied.errors = self.errors[:]
        if self.lines is not None:
            copied.lines = self.lines[:]
        if self.batches:
            copied.batches = self.batches
        return copied

    def kept(self) -> list[Any]:
        """Return all calls that are still known one by one, in order."""
        if self.tally is None:
            return self
        chunks = self.tally.chunks
        return [*(one for chunk in chunks for one in chunk), *self]

    def kept_count(self) -> int:
        """Return how many calls are still known one by one."""
        if self.tally is None:
            return len(self)
        return sum(map(len, self.tally.chunks)) + len(self)

    @property
    def has_lost(self) -> bool:
        """Return whether some calls are known by their sums alone."""
        tally = self.tally
        return tally is not None and tally.count > sum(map(len, tally.chunks))

    def totals(self) -> tuple[int, float, float]:
        """Return number, seconds and longest of all calls; exact."""
        spans = [call[1] - call[0] for call in self]
        count = len(spans)
        total_s = sum(spans)
        max_s = max(spans, default=0.0)
        tally = self.tally
        if tally is None:
            return count, total_s, max_s
        return (
            count + tally.count,
            total_s + tally.total_s,
            max(max_s, tally.max_s),
        )

    def figure(self) -> float:
        """Return the sum of the calls' figures."""
        figure: float = sum([call[2] for call in self])
        return figure if self.tally is None else figure + self.tally.figure

    def known_figure(self) -> tuple[float, int]:
        """Return the sum of the figures that are known, how many are not."""
        figures = [call[2] for call in self if is_known(call[2])]
        figure, unknown = sum(figures), len(self) - len(figures)
        if self.tally is None:
            return figure, unknown
        return figure + self.tally.figure, unknown + self.tally.unknown


def is_known(figure: Any) -> bool:
    """Return whether *figure* is one: drivers have words for "unknown".

    -1, None, or the largest number that their integers hold.
    """
    return type(figure) in _NUMBERS and 0 <= figure < MOST
