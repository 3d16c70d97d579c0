# SPDX-License-Identifier: Apache-2.0
"""The lines of a request in logs, looked for within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.search import (
    FollowedRequest,
    RequestNotFound,
    RequestSearch,
)
from nova_profiler.reading.follow.story import Story, story_of
from nova_profiler.reading.logs.files.sources import Source as LogFile
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.screen.terminal import printable

# A page waits no longer, and reads no more; follow has no such bounds.
MOST_S = 5.0
MOST_BYTES = 512 * 1024 * 1024
MOST_LINES = 500
_LONGEST = 2_000
_MOST_UNREAD = 10


class LogLines(NamedTuple):
    """What was found; ``is_whole`` where all logs were looked through.

    ``unread`` says what could not be read.
    """

    request_id: str
    story: Story
    is_whole: bool
    searched_mb: float
    unread: list[str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the lines in the order of time, those without one last.

        Lines of one kind that follow each other are one row. ``gap_ms`` is
        the time to the next row, where it is long.
        """
        rows = []
        for place, row in enumerate(self.story.rows[:MOST_LINES]):
            gap = self.story.shown_gap(place)
            rows.append(
                {
                    "at": iso_of(row.at) if row.has_time else None,
                    "service": printable(row.service, _LONGEST),
                    "level": printable(row.level, 20),
                    "text": printable(row.text, _LONGEST),
                    "lines": len(row.lines),
                    "gap_ms": None if gap is None else round(gap.ms, 3),
                    "gap_holder": (
                        None
                        if gap is None
                        else printable(gap.holder, _LONGEST)
                    ),
                }
            )
        return rows

    @property
    def left_out(self) -> int:
        """Return how many rows have no place on a page."""
        return max(0, len(self.story.rows) - MOST_LINES)

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "request_id": self.request_id,
            "rows": self.rows,
            "left_out": self.left_out,
            "is_whole": self.is_whole,
            "searched_mb": round(self.searched_mb, 3),
            "unread": self.unread,
        }


class _Enough(Exception):  # no error: a bound is reached
    """The bounds of a page are reached."""


class _Bounds:
    """Ends a search that takes too long, and keeps what it has found."""

    def __init__(
        self, clock: Callable[[], float], most_s: float, most_bytes: int
    ) -> None:
        self._clock = clock
        self._until = clock() + most_s
        self._most_bytes = most_bytes
        self.searched = 0
        self.lines: list[LogLine] = []

    def on_bytes(self, count: int) -> None:
        """Note how far the reader got; raises _Enough."""
        self.searched += count
        if self.searched > self._most_bytes or self._clock() > self._until:
            raise _Enough

    def on_line(self, line: LogLine) -> None:
        """Keep a line that was found."""
        self.lines.append(line)


def lines_of(
    request_id: str,
    logs: Iterable[LogFile],
    clock: Callable[[], float] = time.monotonic,
    most_s: float = MOST_S,
    most_bytes: int = MOST_BYTES,
) -> LogLines:
    """Return the lines of *request_id* in *logs*.

    At most *most_bytes* are looked through in about *most_s* seconds; what
    was found until then is returned.
    """
    unread = Unread()
    bounds = _Bounds(clock, most_s, most_bytes)
    # Pipes could keep a page waiting, and be read only once.
    sources = [one for one in logs if one.size is not None]
    search = RequestSearch(
        sources, unread, on_bytes=bounds.on_bytes, on_line=bounds.on_line
    )
    is_whole = True
    try:
        request = search.find(request_id)
    except RequestNotFound:
        request = _partial(request_id, [], bounds.searched)
    except _Enough:
        # Its first part may be that of others' ids.
        kept = [one for one in bounds.lines if _is_of(one, request_id)]
        request = _partial(request_id, kept, bounds.searched)
        is_whole = False
    return LogLines(
        request_id,
        story_of(request),
        is_whole,
        bounds.searched / 1e6,
        [
            printable(f"{kind}: {example}", _LONGEST)
            for kind, _, example in list(unread)[:_MOST_UNREAD]
        ],
    )


def _is_of(line: LogLine, request_id: str) -> bool:
    return request_id in (line.request_id, line.global_request_id)


def _partial(
    request_id: str, lines: list[LogLine], searched: int
) -> FollowedRequest:
    return FollowedRequest(request_id, (), lines, 0, searched, 0)
