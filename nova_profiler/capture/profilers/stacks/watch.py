# SPDX-License-Identifier: Apache-2.0
"""One request that the reader sees, by its slots."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic_ns, thread_time_ns
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.lanes import Lane, PieceLane
from nova_profiler.capture.profilers.stacks.reader.seen.ends import UNKNOWN
from nova_profiler.capture.profilers.stacks.slot_words import (
    ASLEEP,
    GREENLET,
    HOME,
    REQUEST,
    THREAD,
    TID,
)
from nova_profiler.capture.profilers.stacks.slots import Slots, next_number
from nova_profiler.dump_store.processes import this_process
from nova_profiler.profiles import SAMPLES_SUFFIX, STACKS
from nova_profiler.profiles.pending import ASKED_FOR, PENDING
from nova_profiler.record import Attach, RequestRecord

NO_SLOT = "threads that had no slot, and of which no stack is in here"

# Pieces in other threads whose clocks are known: a line with those of all is
# written to a pipe at once.
_MOST_PIECES = 64

Result = TypeVar("Result")


class About(NamedTuple):
    """What a session file has of its request."""

    method: str
    route: str
    started_at: str
    duration_ms: float
    cpu_ms: float | None
    # What its thread stood in line for a processor at least, if it is known.
    in_line_ms: float | None


NOTHING = About("", "", "", 0.0, None, None)


class Keeper(Protocol):
    """What gets the stacks of requests that are to be kept."""

    slots: Slots

    def wake(self) -> None:
        """Have the reader look, if it sleeps."""

    def keep(self, watch: StacksWatch) -> str | None:
        """Have *watch* get its stacks; return why it cannot, or None."""


class StacksWatch:
    """A request, and the slots in which its threads are found."""

    __slots__ = (
        "_at",
        "_call",
        "_greenlets",
        "_keeper",
        "_main",
        "_slots",
        "_started",
        "_token",
        "about",
        "attach_to",
        "ended_ns",
        "lanes",
        "number",
        "pieces",
        "profile",
        "unseen",
    )

    def __init__(
        self,
        keeper: Keeper,
        at: int,
        greenlets: ModuleType | None,
        capture: Capture,
    ) -> None:
        """*at* is the request's own slot, *greenlets* greenlet if used."""
        self._keeper = keeper
        self._slots = slots = keeper.slots
        self._greenlets = greenlets
        self._at = at
        self._started = capture.started
        # Until the request ends: it has all of its calls.
        self._main: Lane | None = capture.main
        self._call = slots.call_of(at)
        # The right to give the slot back, which is used once.
        self._token = [at]
        self.number = number = next_number()
        words = slots.words
        words[at + HOME] = at
        words[at + REQUEST] = number
        # Pieces that had no slot.
        self.unseen = 0
        self.ended_ns = 0
        self.attach_to: Attach | None = None
        self.profile: dict[str, Any] | None = None
        self.about = NOTHING
        # The lane of each piece in a slot of its own, once the record has
        # them.
        self.lanes: dict[int, int] = {}
        # Of pieces in other threads that have ended: the number, when it
        # began and ended, and what its thread ran.
        self.pieces: list[tuple[int, int, int, int]] = []

    def run(self, function: Callable[..., Result], /, *args: Any) -> Result:
        """Return what *function* does, called where the reader sees it."""
        slots, at = self._slots, self._at
        words = slots.words
        if self.ended_ns or words[at]:
            # The request is over, or another of its threads is in its slot.
            return function(*args)
        # What _begin() does: each call here is in the price of a request.
        try:
            words[at + THREAD], words[at + TID] = slots.local.ids
        except AttributeError:
            words[at + THREAD], words[at + TID] = slots.ids_here()
        if self._greenlets is not None:
            words[at + GREENLET] = id(self._greenlets.getcurrent())
        words[at] = next_number()
        if words[ASLEEP]:
            self._wake()
        try:
            result: Result = self._call(function, *args)
            return result
        finally:
            words[at] = 0
            # finish() may have been called meanwhile.
            if self.ended_ns:
                self._give_back()  # type: ignore[unreachable]

    def _begin(self, at: int, words: Any) -> None:
        words[at + THREAD], words[at + TID] = self._slots.ids_here()
        if self._greenlets is not None:
            words[at + GREENLET] = id(self._greenlets.getcurrent())
        words[at] = next_number()
        if words[ASLEEP]:
            self._wake()

    def _wake(self) -> None:
        self._slots.words[ASLEEP] = 0
        self._keeper.wake()

    def clocks(self) -> tuple[int, int, int, int]:
        """Return the reader's Clocks of the request, once it is over.

        monotonic_ns() is perf_counter()'s clock on Linux.
        """
        about, began_ns = self.about, int(self._started * 1e9)
        times_ms = (about.cpu_ms, about.in_line_ms)
        ran_ns, queued_ns = (
            UNKNOWN if ms is None else int(ms * 1e6) for ms in times_ms
        )
        ended_ns = began_ns + int(about.duration_ms * 1e6)
        return began_ns, ended_ns, ran_ns, queued_ns

    def clocks_of_pieces(self) -> list[list[int]]:
        """Return what the reader's piece_clocks() takes, once it is over."""
        start_ns = int(self._started * 1e9)
        return [
            [
                *(number, (began_ns - start_ns) // 1000),
                *((ended_ns - began_ns) // 1000, ran_ns // 1000),
            ]
            for number, began_ns, ended_ns, ran_ns in self.pieces
        ]

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* to be called in a slot, in any thread."""
        return partial(self._run_spawned, function)

    def _run_spawned(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        slots = self._slots
        at = 0 if self.ended_ns else slots.take()
        if not at:
            self.unseen += 1
            return function(*args, **kwargs)
        words = slots.words
        words[at + HOME], words[at + REQUEST] = self._at, self.number
        self._begin(at, words)
        number = words[at]
        lane = current_lane()
        if isinstance(lane, PieceLane):
            lane.piece = number
        # A greenthread has no clock of its own.
        is_alone = self._greenlets is None
        began_ns, ran_ns = monotonic_ns(), thread_time_ns() if is_alone else 0
        try:
            return slots.call_of(at)(function, *args, **kwargs)
        finally:
            words[at] = words[at + REQUEST] = 0
            slots.give_back(at)
            if len(self.pieces) < _MOST_PIECES:
                ran_ns = thread_time_ns() - ran_ns if is_alone else UNKNOWN
                self.pieces.append((number, began_ns, monotonic_ns(), ran_ns))

    def finish(self, record: RequestRecord) -> None:
        """Note in *record* that stacks may follow; end the request."""
        self.ended_ns = monotonic_ns()
        if not self._slots.words[self._at]:
            self._give_back()
        record.profile = self.profile = {
            "engine": STACKS,
            "file": None,
            "notes": [],
        }
        record.profiled = self
        record.lanes_of_pieces = self.lanes
        self.about = About(
            record.method,
            record.route,
            record.started_at,
            record.duration_ms,
            record.cpu_ms,
            self._in_line_ms(),
        )
        self._main = None

    def _in_line_ms(self) -> float | None:
        split = None if self._main is None else self._main.split
        if split is None or not split.readings:
            return None
        return split.processor_s * 1000

    def attach(self, attach: Attach) -> None:
        """Have the stacks handed to *attach* when they are there.

        The dump names the process that they come from: once that has ended
        without them, they are lost.
        """
        profile = self.profile or {}
        with suppress(OSError):
            profile[PENDING] = str(this_process())
        profile["notes"] = [ASKED_FOR]
        self.attach_to = attach
        trouble = self._keeper.keep(self)
        if trouble is not None:
            self.attach_to = None
            profile.pop(PENDING, None)
            profile["notes"] = [trouble]
            attach(SAMPLES_SUFFIX, b"", profile)

    def _give_back(self) -> None:
        try:
            at = self._token.pop()
        except IndexError:
            return
        self._slots.words[at + REQUEST] = 0
        self._slots.give_back(at)

    def __del__(self) -> None:
        # A server may drop a request without closing its body.
        if self._token:
            self._give_back()
