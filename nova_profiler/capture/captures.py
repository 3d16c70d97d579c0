# SPDX-License-Identifier: Apache-2.0
"""What is kept of a request while it goes on: its capture, with its lanes."""

from __future__ import annotations

from threading import get_ident
from time import perf_counter, thread_time, time
from typing import Any

from nova_profiler.capture.contracts import NothingServed, Served, Watch
from nova_profiler.capture.greenthreads import reference_to_greenlet
from nova_profiler.capture.hand_overs import HandingOver
from nova_profiler.capture.lanes import CPU_STEP_S, NEVER, Lane
from nova_profiler.record.record_ids import new_record_id

# Pieces of work that may have a lane; what further ones call is not known.
MAX_LANES = 4096
# Slow calls of one request whose line is kept.
MAX_LINES = 500


class Capture:
    """All that is known of what is being served while it goes on."""

    __slots__ = (
        "began_at",
        "calls_room",
        "chosen",
        "closed",
        "cpu_start_s",
        "errors_room",
        "greenlets",
        "handing",
        "is_kept",
        "lanes",
        "lanes_missing",
        "late_calls",
        "lines_room",
        "main",
        "max_calls",
        "record_id",
        "served",
        "slow_call_s",
        "slow_s",
        "started",
        "thread",
        "trace",
        "unclaimed",
        "watch",
        "worker",
    )

    def __init__(
        self, served: Served, max_calls: int, has_cpu_clock: bool = False
    ) -> None:
        """*has_cpu_clock*: this thread works for this capture alone."""
        self.served = served
        # Its record's; what it sends and submits has this for a parent.
        self.record_id = new_record_id()
        # The profiler's work for it, and why it was chosen.
        self.watch: Watch | None = None
        # What serves it; the work that it submits may outlive it.
        self.worker: Any = None
        self.chosen: str | None = None
        self.closed = False
        self.late_calls = 0
        self.lanes_missing = 0
        # Nothing of it was elsewhere than in its own thread yet.
        self.handing: HandingOver | None = None
        # How many calls of the process had no request, then since when.
        self.unclaimed = CLAIMS.unclaimed
        self.max_calls = max_calls
        # What may still be kept one by one: calls, once their chunk is full,
        # and errors.
        self.calls_room = self.errors_room = max_calls
        # The same for lines that made calls as slow as this.
        self.lines_room = MAX_LINES
        self.slow_call_s = NEVER
        # From here on its record is kept for being slow.
        self.slow_s = NEVER
        # Whether it is whatever becomes of it, as a part of what is kept.
        self.is_kept = False
        main = Lane(self)
        self.main: Lane = main
        self.lanes = [main]
        # By the wall clock, seconds since 1970.
        self.began_at = time()
        self.started = started = perf_counter()
        # The name of the file that outlives a worker killed for this request.
        self.trace: str | None = None
        # The greenlets that work for it, where they may do so.
        self.greenlets: list[Any] | None = None
        # The thread whose CPU clock is read, 0: none.
        self.thread = 0
        if has_cpu_clock:
            self.thread = get_ident()
            main.cpu_at = started
            main.cpu_due = started + CPU_STEP_S
            main.cpu_s = self.cpu_start_s = thread_time()
        else:
            self.greenlets = [reference_to_greenlet()]

    def will_be_kept(self) -> bool:
        """Return whether its record is kept, as far as is known by now."""
        return (
            self.is_kept
            or self.chosen is not None
            or perf_counter() - self.started >= self.slow_s
        )

    def cpu_ms(self, now: float) -> float | None:
        """Return the CPU time so far; None without a clock of its own.

        A body's end may be in another thread than its begin.
        """
        if not self.thread or self.thread != get_ident():
            return None
        main = self.main
        main.read_own_cpu(now, False)
        return (main.cpu_s - self.cpu_start_s) * 1000

    def new_lane(self) -> Lane | None:
        """Return a lane for a thread that begins to work for the request.

        None if there are too many, which the record then shows.
        """
        lane = Lane(self)
        return lane if self.has_added(lane) else None

    def has_added(self, lane: Lane) -> bool:
        """Add *lane*; return False if there are too many."""
        if len(self.lanes) >= MAX_LANES:
            self.lanes_missing += 1
            return False
        self.lanes.append(lane)
        if self.greenlets is not None:
            self.greenlets.append(reference_to_greenlet())
        # The request may have ended since the caller looked.
        lane.closed = lane.unsure = self.closed
        return True

    def release(self) -> None:
        """Let go of everything, so that no cycle waits for the collector.

        A thread that still runs for the request keeps its lane, which then
        belongs to OVER.
        """
        for lane in self.lanes:
            lane.capture = OVER
        self.lanes = []
        # A thread's work for the request holds on to the capture.
        self.main = OVER.main
        self.served = OVER.served
        self.handing = self.watch = self.greenlets = None

    def close(self) -> None:
        """Take no more calls: what comes now is late, and only counted."""
        self.closed = True
        self.unclaimed = CLAIMS.unclaimed - self.unclaimed
        main = self.main
        main.closed = main.unsure = True
        if main.in_db_api:
            self.late_calls += 1
        if self.handing is not None:
            self.handing.close(self.lanes, self.lanes_missing)
        if len(self.lanes) > 1:
            self.lanes = [main, *map(self._closed, self.lanes[1:])]

    def _closed(self, lane: Lane) -> Lane:
        """Close *lane*; return what is read of it."""
        task = lane.task
        if task is not None:
            copied: Lane | None = task.outlive(lane)
            if copied is not None:
                return copied
        lane.closed = lane.unsure = True
        if lane.ended:
            return lane
        if lane.in_db_api or lane.executing is not None:
            self.late_calls += 1
        kept = lane.kept()
        lane.capture = OVER
        return kept


def handing_of(capture: Capture) -> HandingOver:
    """Return what goes on for *capture* elsewhere, from now on known."""
    handing = capture.handing
    if handing is None:
        handing = capture.handing = HandingOver()
    return handing


class Claims:
    """What hooks saw in this process, in whatever thread."""

    # Times that a hook fired during requests and belonged to none of them.
    unclaimed = 0


CLAIMS = Claims()


# What a lane belongs to when its request is over.
OVER = Capture(NothingServed(), 0)
OVER.closed = OVER.main.closed = OVER.main.unsure = True
