# SPDX-License-Identifier: Apache-2.0
"""What was seen of each request, added up between its looks.

A look states which stack there was, and whether the thread ran; the kernel's
clocks state how much of the time between two looks it ran. So that time goes
to those of the two looks that it fits: what ran to those that found the
thread running, the rest to those that found it waiting. What fits neither is
added up by itself, without a place in the stacks. So is the time in line for
a processor: a thread that stands there looks like one that runs.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    Times,
)

# Call paths and states of one request; requests that are kept in mind.
MOST_PATHS = 4000
MOST_REQUESTS = 4096
# How long after its end a request may still be asked for.
DECISION_NS = 2_000_000_000
# The first look of a request is at most so late: it is of a thread of it that
# began later, otherwise.
_MOST_LATE_NS = 100_000_000

Key = tuple[Path, int]


class Look(NamedTuple):
    """One look at one piece of a request."""

    at_ns: int
    # None of a greenthread, which has no clocks of its own.
    times: Times | None
    path: Path
    state: int
    is_sure: bool = True


class Piece:
    """A piece of a request in one thread, as far as it was seen."""

    __slots__ = ("last", "owed_ns")

    def __init__(self, last: Look) -> None:
        self.last = last
        # Time that the clock of running has booked too late or too early.
        self.owed_ns = 0


class SeenRequest:
    """The looks at one request, and the time that they stand for."""

    def __init__(self, home: int) -> None:
        self.home = home
        # Of each path and state: looks, and nanoseconds.
        self.paths: dict[Key, list[int]] = {}
        self.pieces: dict[int, Piece] = {}
        self.looks = self.left_out = 0
        # Sums by the clocks.
        self.seen_ns = self.ran_ns = self.queued_ns = 0
        # What ran, and what waited, where no look found it so.
        self.ran_unseen_ns = self.waited_unseen_ns = 0
        self.ended_ns = 0
        # The first look, and when its piece was taken to have begun.
        self.first: tuple[Look, int] | None = None

    def add(self, number: int, began_ns: int, look: Look) -> None:
        """Add a *look* at piece *number*, which began at *began_ns*."""
        self.looks += 1
        piece = self.pieces.get(number)
        if piece is None:
            self.pieces[number] = Piece(look)
            # There are no clocks of the time before.
            self._book_alone(look, max(0, look.at_ns - began_ns))
            self._book(look, 0, 1)
            if self.first is None:
                self.first = look, began_ns
            return
        self._between(piece, look)
        self._book(look, 0, 1)
        piece.last = look

    def _between(self, piece: Piece, look: Look) -> None:
        last = piece.last
        wall = look.at_ns - last.at_ns
        if look.times is None or last.times is None:
            self._book_alone(last, wall // 2)
            self._book_alone(look, wall - wall // 2)
            return
        ran = look.times.ran - last.times.ran
        queued = look.times.queued - last.times.queued
        piece.owed_ns += wall - ran - queued
        rest = max(0, piece.owed_ns)
        piece.owed_ns -= rest
        self._sum(wall, ran, queued)
        running = [one for one in (last, look) if one.state == RUNS]
        waiting = [one for one in (last, look) if one.state != RUNS]
        for one in running:
            self._book(one, ran // len(running))
        for one in waiting:
            self._book(one, rest // len(waiting))
        if not running:
            self.ran_unseen_ns += ran
        if not waiting:
            self.waited_unseen_ns += rest

    def _sum(self, wall: int, ran: int, queued: int) -> None:
        self.seen_ns += wall
        self.ran_ns += ran
        self.queued_ns += queued

    def _book(self, look: Look, nanoseconds: int, looks: int = 0) -> None:
        key = look.path, look.state
        found = self.paths.get(key)
        if found is None:
            if len(self.paths) >= MOST_PATHS:
                self.left_out += looks
                return
            found = self.paths[key] = [0, 0]
        found[0] += looks
        found[1] += nanoseconds

    def end_piece(self, number: int, at_ns: int) -> None:
        """Note that piece *number* was over at *at_ns* or shortly before.

        Its last look stands for the time up to there.
        """
        piece = self.pieces.pop(number, None)
        if piece is None:
            return
        self._book_alone(piece.last, max(0, at_ns - piece.last.at_ns))

    def end(self, began_ns: int, ended_ns: int) -> None:
        """Note that the request *began* and *ended* exactly then.

        So its first look stands for the time from its begin on, if it is of
        the piece that began with it.
        """
        for number in list(self.pieces):
            self.end_piece(number, ended_ns)
        if self.first is not None:
            look, taken_ns = self.first
            if taken_ns - began_ns < _MOST_LATE_NS:
                self._book_alone(look, taken_ns - min(began_ns, look.at_ns))

    def _book_alone(self, look: Look, time_ns: int) -> None:
        """Have *look* stand for time of which there are no clocks."""
        self._book(look, time_ns)
        self._sum(time_ns, time_ns if look.state == RUNS else 0, 0)


class SeenRequests:
    """The requests of one process that may still be asked for."""

    def __init__(self) -> None:
        self._known: dict[int, SeenRequest] = {}
        # Requests that were forgotten for want of room.
        self.crowded_out = 0

    def __len__(self) -> int:
        return len(self._known)

    def of(self, request: int, home: int) -> SeenRequest:
        """Return what is known of *request*, whose own slot is *home*."""
        found = self._known.get(request)
        if found is None:
            if len(self._known) >= MOST_REQUESTS:
                del self._known[next(iter(self._known))]
                self.crowded_out += 1
            found = self._known[request] = SeenRequest(home)
        return found

    def get(self, request: int) -> SeenRequest | None:
        """Return what is known of *request*, None if that is nothing."""
        return self._known.get(request)

    def take(self, request: int) -> SeenRequest | None:
        """Return what is known of *request*, and forget it."""
        return self._known.pop(request, None)

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
                del self._known[request]
