# SPDX-License-Identifier: Apache-2.0
"""What was seen of one request, added up between its looks.

A look states which stack there was, and whether the thread ran; the kernel's
clocks state how much of the time between two looks it ran. So that time goes
to those of the two looks that it fits: what ran to those that found the
thread running, the rest to those that found it waiting. What fits neither is
added up by itself, without a place in the stacks. So is the time in line for
a processor: a thread that stands there looks like one that runs. Time with a
look at one end only has the clocks of the whole request, in its own thread,
and in another one those of the piece there.

Beside the sums each look has its stretch of time, as long as there is room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen.ends import (
    UNKNOWN,
    Clocks,
    Ends,
    Key,
    Shares,
)
from nova_profiler.capture.profilers.stacks.reader.seen.far_pieces import (
    MOST_FAR,
    FarPiece,
    PieceClocks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.stretch_room import (
    Room,
)
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    MOST_STRETCHES,
    NO_PLACE,
    OWN_LANE,
    Stretch,
    TimedLooks,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    Times,
)

# Call paths and states of one request.
MOST_PATHS = 4000
# New frames in the looks at all requests: each is an object of some 150 bytes.
MOST_FRAMES = 150_000
_NONE: Mapping[int, PieceClocks] = {}
# The first look of a request is at most so late: it is of a thread of it that
# began later, otherwise.
_MOST_LATE_NS = 100_000_000


class Look(NamedTuple):
    """One look at one piece of a request."""

    at_ns: int
    # None of a greenthread, which has no clocks of its own.
    times: Times | None
    path: Path
    state: int
    is_sure: bool = True
    # Frames of which the reader had not known the call path.
    new: int = 0


class Piece:
    """A piece of a request in one thread, as far as it was seen."""

    __slots__ = ("lane", "last", "owed_ns", "place")

    def __init__(self, last: Look, lane: int) -> None:
        self.last = last
        self.lane = lane
        # Of the last look's stretch of time.
        self.place = NO_PLACE
        # Time that the clock of running has booked too late or too early.
        self.owed_ns = 0


class SeenRequest:
    """The looks at one request, and the time that they stand for."""

    def __init__(self, home: int, room: Room) -> None:
        self.home = home
        self._room = room
        # Of each path and state: looks, nanoseconds, and its number.
        self.paths: dict[Key, list[int]] = {}
        self.pieces: dict[int, Piece] = {}
        self.looks = self.left_out = self._frames = 0
        # Sums by the clocks.
        self.seen_ns = self.ran_ns = self.queued_ns = 0
        # What ran, and what waited, where no look found it so.
        self.ran_unseen_ns = self.waited_unseen_ns = 0
        self.ended_ns = 0
        # Of the request's own thread: before a first look, after a last one,
        # and the clocks in between.
        self.ends = Ends()
        # Pieces in other threads, by their numbers.
        self.far: dict[int, FarPiece] = {}
        self._between_ns = self._own_ran_ns = self._own_queued_ns = 0
        # The first look, its piece, and when that was taken to have begun.
        self.first: tuple[Look, Piece, int] | None = None
        # The stretches of the looks, but for so many looks.
        self.timed = TimedLooks()
        self.untimed = 0
        self._first_place = NO_PLACE

    def add(
        self, number: int, began_ns: int, look: Look, is_own: bool = False
    ) -> None:
        """Add a *look* at piece *number*, which began at *began_ns*.

        *is_own* is whether the piece is in the request's own slot.
        """
        self.looks += 1
        piece = self.pieces.get(number)
        if piece is None:
            lane = OWN_LANE if is_own else number
            piece = self.pieces[number] = Piece(look, lane)
            self._book(look, 0, 1)
            self._time(piece, look, 0)
            if is_own or len(self.far) >= MOST_FAR:
                before_ns = max(0, look.at_ns - began_ns)
                self._book_end(piece, look, before_ns, piece.place, True)
            else:
                key = look.path, look.state
                self.far[number] = FarPiece(
                    *(began_ns, key, look.at_ns, piece.place)
                )
        else:
            before_ns = self._between(piece, look, self.far.get(number))
            self._book(look, 0, 1)
            self._time(piece, look, before_ns)
        piece.last = look
        if self.first is None and number not in self.far:
            self.first = look, piece, began_ns
            self._first_place = piece.place

    def _time(self, piece: Piece, look: Look, before_ns: int) -> None:
        """Give *look* its stretch, of which *before_ns* are over by then."""
        found = self.paths.get((look.path, look.state))
        if found is not None:
            start_ns = look.at_ns - before_ns
            new = Stretch(piece.lane, found[2], start_ns, before_ns)
            if self.timed.continues(piece.place, new):
                self.timed.lengthen(piece.place, before_ns)
                return
            if self._has_room():
                piece.place = self.timed.add(new)
                self._room.taken += 1
                return
        piece.place = NO_PLACE
        self.untimed = min(self.looks, self.untimed + 1)

    def _has_room(self) -> bool:
        if self.timed.is_given_up:
            # Others have its room.
            return False
        if len(self.timed) >= MOST_STRETCHES:
            self.make_room()
        # To make some may give up those of this very request.
        return self._room.has_one() and not self.timed.is_given_up

    def make_room(self) -> None:
        """Have fewer stretches than now; none if they cannot be joined."""
        before = len(self.timed)
        places = self.timed.join()
        self._room.taken -= before - len(self.timed)
        for piece in self.pieces.values():
            piece.place = places.get(piece.place, NO_PLACE)
        self._first_place = places.get(self._first_place, NO_PLACE)
        self.ends.move(places)
        for far in self.far.values():
            far.move(places)
        if self.timed.is_given_up:
            self.untimed = self.looks

    def let_go(self) -> None:
        """Leave the room of its stretches to others; it gets no more."""
        self._room.taken -= len(self.timed)
        self._room.frames -= self._frames
        self._frames = 0

    def _between(self, piece: Piece, look: Look, far: FarPiece | None) -> int:
        """Book the time since the last look; return how much is *look*'s."""
        last = piece.last
        wall = look.at_ns - last.at_ns
        if look.times is None or last.times is None:
            self._book_alone(last, wall // 2)
            self._book_alone(look, wall - wall // 2)
            self.timed.lengthen(piece.place, wall // 2)
            return wall - wall // 2
        ran = look.times.ran - last.times.ran
        queued = look.times.queued - last.times.queued
        piece.owed_ns += wall - ran - queued
        rest = max(0, piece.owed_ns)
        piece.owed_ns -= rest
        self._sum(wall, ran, queued)
        if piece.lane == OWN_LANE:
            self._between_ns += wall
            self._own_ran_ns += ran
            self._own_queued_ns += queued
        elif far is not None:
            far.ran_ns += ran
        runs = (last.state == RUNS) + (look.state == RUNS)
        if not runs:
            self.ran_unseen_ns += ran
        elif runs == 2:
            self.waited_unseen_ns += rest
        parts = [
            ran // runs if one.state == RUNS else rest // (2 - runs)
            for one in (last, look)
        ]
        self._book(last, parts[0])
        self._book(look, parts[1])
        self.timed.lengthen(piece.place, parts[0])
        return parts[1]

    def _sum(self, wall: int, ran: int, queued: int) -> None:
        self.seen_ns += wall
        self.ran_ns += ran
        self.queued_ns += queued

    def _book(self, look: Look, nanoseconds: int, looks: int = 0) -> None:
        key = look.path, look.state
        found = self.paths.get(key)
        if found is None:
            if (
                len(self.paths) >= MOST_PATHS
                or self._room.frames > MOST_FRAMES
            ):
                self.left_out += looks
                return
            self._frames += look.new
            self._room.frames += look.new
            found = self.paths[key] = [0, 0, len(self.paths)]
        found[0] += looks
        found[1] += nanoseconds

    def end_piece(self, number: int, at_ns: int) -> None:
        """Note that piece *number* was over at *at_ns* or shortly before.

        Its last look stands for the time up to there.
        """
        piece = self.pieces.pop(number, None)
        if piece is None:
            return
        last, far = piece.last, self.far.get(number)
        if far is None:
            after_ns = max(0, at_ns - last.at_ns)
            self._book_end(piece, last, after_ns, piece.place, False)
        else:
            key = last.path, last.state
            far.end(at_ns, key, last.at_ns, piece.place)

    def end(
        self, clocks: Clocks, of_pieces: Mapping[int, PieceClocks] = _NONE
    ) -> None:
        """Note what the worker knows of the request, which is over.

        Its first look stands for the time from its begin on, if it is of the
        piece that began with it. *of_pieces* are the clocks of pieces in
        other threads.
        """
        for number in list(self.pieces):
            self.end_piece(number, clocks.ended_ns)
        if self.first is not None:
            look, piece, taken_ns = self.first
            if taken_ns - clocks.began_ns < _MOST_LATE_NS:
                more_ns = taken_ns - min(clocks.began_ns, look.at_ns)
                self._book_end(piece, look, more_ns, self._first_place, True)
        self._settle_own(clocks)
        for number, far in self.far.items():
            self._settle(*far.ends(of_pieces.get(number)))
        for number in of_pieces.keys() - self.far.keys():
            self._sum_unseen(of_pieces[number])

    def _sum_unseen(self, clocks: PieceClocks) -> None:
        """Add up a piece that no look has found."""
        wall_ns = clocks.ended_ns - clocks.began_ns
        if clocks.ran_ns != UNKNOWN:
            ran_ns = min(wall_ns, clocks.ran_ns)
            self._sum(wall_ns, ran_ns, 0)
            self.ran_unseen_ns += ran_ns
            self.waited_unseen_ns += wall_ns - ran_ns

    def _settle_own(self, clocks: Clocks) -> None:
        """Book the ends of its own thread, by its clocks."""
        ends, ran_ns = self.ends, clocks.ran_ns
        lasted_ns = clocks.ended_ns - clocks.began_ns
        if ran_ns != UNKNOWN:
            ran_ns = max(0, ran_ns - self._own_ran_ns)
        shares = ends.shares(
            ran_ns,
            max(0, clocks.queued_ns - self._own_queued_ns),
            max(0, lasted_ns - self._between_ns - ends.total_ns),
        )
        self._settle(ends, shares)

    def _settle(self, ends: Ends, shares: Shares) -> None:
        self._sum(ends.total_ns, shares.ran, shares.queued)
        self.ran_unseen_ns += shares.ran_unseen
        self.waited_unseen_ns += shares.waited_unseen
        for key, time_ns in ends.by_look.items():
            if key in self.paths:
                self.paths[key][1] += ends.part_of(key, time_ns, shares)
        for key, time_ns, place, is_begin in ends.stretches:
            part_ns = ends.part_of(key, time_ns, shares)
            self._stretch(place, part_ns, is_begin)

    def _book_end(
        self,
        piece: Piece,
        look: Look,
        time_ns: int,
        place: int,
        is_begin: bool,
    ) -> None:
        """Have *look* stand for time that has a look at one end only.

        *place* is that of its stretch, which *is_begin*, or else an end.
        """
        if piece.lane == OWN_LANE and look.times is not None:
            self.ends.add((look.path, look.state), time_ns, place, is_begin)
        else:
            self._book_alone(look, time_ns)
            self._stretch(place, time_ns, is_begin)

    def _stretch(self, place: int, time_ns: int, is_begin: bool) -> None:
        if is_begin:
            self.timed.begin_earlier(place, time_ns)
        else:
            self.timed.lengthen(place, time_ns)

    def _book_alone(self, look: Look, time_ns: int) -> None:
        """Have *look* stand for time of which there are no clocks."""
        self._book(look, time_ns)
        self._sum(time_ns, time_ns if look.state == RUNS else 0, 0)
