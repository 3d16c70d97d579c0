# SPDX-License-Identifier: Apache-2.0
"""What is kept of a request while it goes on: its capture and the lanes of it.

A lane belongs to one request's capture and is written by one thread only, so
that nothing here needs a lock. A copied context may carry it into another
thread, which is why hooks ask first whether that can be.
"""

from __future__ import annotations

from collections import defaultdict
from threading import get_ident
from time import perf_counter, thread_time, time
from typing import Any

from nova_profiler.capture.calls import CHUNK_CALLS, CallKey, Calls
from nova_profiler.capture.contracts import (
    NothingServed,
    Served,
    Submitted,
    Watch,
)
from nova_profiler.capture.greenthreads import reference_to_greenlet
from nova_profiler.capture.hand_overs import HandingOver
from nova_profiler.capture.run_queue import LONG_S, Split
from nova_profiler.capture.sql import kind_of_statement
from nova_profiler.groups import COUNTS
from nova_profiler.record.record_ids import new_record_id

# Pieces of work that may have a lane; what further ones call is not known.
MAX_LANES = 4096
# How long a stretch of time must be before the CPU clock (0.5 us) is read.
CPU_STEP_S = 0.001
# Two clocks are never read at the same moment.
CLOCK_NOISE_S = 0.00002
# Slow calls of one request whose line is kept.
MAX_LINES = 500
# Texts of distinct statements that one request may hold on to.
_MAX_STATEMENTS = 500

NEVER = float("inf")
_COUNTS = len(COUNTS)

# Stands for the statement in a lane whose driver connects.
CONNECTING: Any = object()


class _Statements(dict[str, Calls]):
    """Calls by their statement; of more than are kept, by its kind.

    To ask for what is there takes a third of the time that get() would, and
    what to do without an answer.
    """

    __slots__ = ()

    def __missing__(self, statement: str) -> Calls:
        if len(self) >= _MAX_STATEMENTS:
            statement = kind_of_statement(statement)
            known = self.get(statement)
            if known is not None:
                return known
        calls = self[statement] = Calls()
        return calls


class Lane:
    """The calls of one thread or greenthread that works for a request."""

    # Of a piece of work: whether it is the first to run that piece, whether
    # it runs now, whether it will have no more calls.
    is_first = running = ended = False
    # Its number as the profiler has it, 0 where that has none.
    piece = 0
    # And what it is, if that may have a record of its own.
    task: Submitted | None = None

    __slots__ = (
        "calls",
        "capture",
        "closed",
        "counts",
        "cpu_at",
        "cpu_named_s",
        "cpu_due",
        "cpu_s",
        "db_api_driver_s",
        "db_api_other_s",
        "db_api_s",
        "driver_s",
        "executing",
        "in_db_api",
        "open_groups",
        "other_s",
        "others_s",
        "split",
        "sql",
        "unsure",
        "waiting_db_api_s",
        "waiting_python_s",
    )

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.closed = False
        # Whether a hook must look closer: the lane is closed, or work was
        # handed over from it, maybe with a copy of its context.
        self.unsure = False
        self.in_db_api = False
        # Bits of the groups of which a call is open, but for the database's.
        self.open_groups = 0
        # Time so far in the driver; in the outermost DB API calls that
        # reached it, and the driver's part of that.
        self.driver_s = 0.0
        self.db_api_s = 0.0
        self.db_api_driver_s = 0.0
        # Own time of other groups, without the calls inside; the part of it
        # in DB API calls; and all of it by group.
        self.other_s = 0.0
        self.db_api_other_s = 0.0
        self.others_s: dict[str, float] | None = None
        # A key that is asked for has calls from then on.
        self.calls: defaultdict[CallKey, Calls] = defaultdict(Calls)
        # By engine, then by statement text; again, what is asked for is there.
        self.sql: dict[Any, dict[str, Calls]] = defaultdict(_Statements)
        # The execution context of the statement that runs, or CONNECTING:
        # what goes on inside is part of it.
        self.executing: Any = None
        # By groups.COUNT_PLACES.
        self.counts = [0] * _COUNTS
        self.cpu_at = 0.0
        # When to read the CPU clock again: never, where several lanes
        # share the clock.
        self.cpu_due = NEVER
        self.cpu_s = 0.0
        self.cpu_named_s = 0.0
        self.waiting_python_s = 0.0
        self.waiting_db_api_s = 0.0
        # What these two consist of, in a long request.
        self.split: Split | None = None

    def read_cpu(self, now: float, in_db_api: bool) -> None:
        """Account for the time since the last reading that did not run.

        What is neither in the driver nor on the CPU clock was certainly
        waiting: for the GIL, for a processor, for something no hook names.
        """
        if self.capture.thread == get_ident():
            # Else another thread's clock: a server may go on with the body
            # there.
            self.read_own_cpu(now, in_db_api)

    def read_own_cpu(self, now: float, in_db_api: bool) -> None:
        """Do the same in a thread that is known to be the capture's."""
        cpu = thread_time()
        waited = (
            (now - self.cpu_at)
            - (self.driver_s - self.cpu_named_s)
            - (cpu - self.cpu_s)
        )
        if waited > CLOCK_NOISE_S:
            if in_db_api:
                self.waiting_db_api_s += waited
            else:
                self.waiting_python_s += waited
        self.cpu_at = now
        self.cpu_due = now + CPU_STEP_S
        self.cpu_s = cpu
        self.cpu_named_s = self.driver_s
        split = self.split
        if split is not None:
            split.split(now, self.waiting_python_s + self.waiting_db_api_s)
        elif now - self.capture.started >= LONG_S:
            self.split_from(now)

    def split_from(self, now: float) -> None:
        """Split what waits from *now* on without a name."""
        waited_s = self.waiting_python_s + self.waiting_db_api_s
        self.split = Split(now, waited_s)

    def kept(self) -> Lane:
        """Return a lane with the calls so far; this one has none then.

        Its thread may still work, and must not change what is being read.
        """
        kept = Lane(self.capture)
        kept.closed = kept.unsure = True
        kept.counts = self.counts[:]
        kept.db_api_driver_s = self.db_api_driver_s
        kept.calls, self.calls = self.calls, kept.calls
        kept.sql, self.sql = self.sql, kept.sql
        self.capture = OVER
        return kept

    def copied(self) -> Lane:
        """Return a lane with the calls so far, which this one keeps, too."""
        copied = Lane(self.capture)
        copied.closed = copied.unsure = True
        copied.counts = self.counts[:]
        copied.db_api_driver_s = self.db_api_driver_s
        copied.calls.update(_copied(self.calls))
        copied.sql = {
            engine: _copied(by_text)
            for engine, by_text in list(self.sql.items())
        }
        return copied

    def add(self, key: CallKey, call: tuple[Any, ...]) -> Calls:
        """Add a call of *key*; return the calls that it was added to.

        For calls that take long beside this one's own step; the quickest
        hooks write it out.
        """
        calls = self.calls[key]
        calls.append(call)
        if call[1] - call[0] >= self.capture.slow_call_s:
            calls.was_slow(call[0], self.capture)
        if len(calls) >= CHUNK_CALLS:
            calls.fold(self.capture)
        return calls


def _copied(by_name: dict[Any, Calls]) -> dict[Any, Calls]:
    """Return copies of the calls that another thread may still add to."""
    return {name: calls.copied() for name, calls in list(by_name.items())}


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
        return lane.kept()


class Claims:
    """What hooks saw in this process, in whatever thread."""

    # Times that a hook fired during requests and belonged to none of them.
    unclaimed = 0


CLAIMS = Claims()


# What a lane belongs to when its request is over.
OVER = Capture(NothingServed(), 0)
OVER.closed = OVER.main.closed = OVER.main.unsure = True
