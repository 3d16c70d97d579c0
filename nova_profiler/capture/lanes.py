# SPDX-License-Identifier: Apache-2.0
"""What is kept of one thread that works for a request: a lane.

A lane belongs to one request's capture and is written by one thread only, so
that nothing here needs a lock. A copied context may carry it into another
thread, which is why hooks ask first whether that can be.
"""

from __future__ import annotations

from collections import defaultdict
from threading import get_ident
from time import thread_time
from typing import TYPE_CHECKING, Any

from nova_profiler.capture.calls import CHUNK_CALLS, CallKey, Calls
from nova_profiler.capture.contracts import Submitted
from nova_profiler.capture.run_queue import LONG_S, Split
from nova_profiler.capture.sql import kind_of_statement
from nova_profiler.groups import COUNTS

if TYPE_CHECKING:
    from nova_profiler.capture.captures import Capture

# How long a stretch of time must be before the CPU clock (0.5 us) is read.
CPU_STEP_S = 0.001
# Two clocks are never read at the same moment.
CLOCK_NOISE_S = 0.00002
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

        Its thread may still work, and must not change what is being read:
        the caller has this one belong to OVER.
        """
        kept = Lane(self.capture)
        kept.closed = kept.unsure = True
        kept.counts = self.counts[:]
        kept.db_api_driver_s = self.db_api_driver_s
        kept.calls, self.calls = self.calls, kept.calls
        kept.sql, self.sql = self.sql, kept.sql
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


class PieceLane(Lane):
    """The lane of one piece of work that a request's thread hands over."""

    __slots__ = ("ended", "is_first", "piece", "running", "task")

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture)
        # As Lane has them. A pool may run such a piece often.
        self.is_first = True
        self.running = False
        self.ended = False
        self.piece = 0
        self.task: Submitted | None = None


def _copied(by_name: dict[Any, Calls]) -> dict[Any, Calls]:
    """Return copies of the calls that another thread may still add to."""
    return {name: calls.copied() for name, calls in list(by_name.items())}
