# SPDX-License-Identifier: Apache-2.0
"""The capture being filled here and now, and its way into other threads.

Hooks add calls to the *lane* of the running thread or greenthread. A lane
belongs to one request's capture and is written by one thread only, so that
nothing here needs a lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter, thread_time
from typing import Any

from nova_profiler.faults import HOOK_FAULTS

# Calls of one name that are kept one by one before they are added up.
CHUNK_CALLS = 256
# Pieces of work that may have a lane; what further ones call is not known.
MAX_LANES = 4096
# Captures whose server never closes the body must not pile up.
MAX_ACTIVE = 10_000
# How long a stretch of time must be before the CPU clock (0.5 us) is read.
CPU_STEP_S = 0.001
# Two clocks are never read at the same moment.
CLOCK_NOISE_S = 0.00002
# Texts of distinct statements that one request may hold on to.
MAX_STATEMENTS = 500


class CallKey:
    """What a hook times: its group, its name, the name with its module.

    Keys are compared by identity, which is what makes them quick to find.
    ``nested`` is the key for calls made inside another of the same group.
    """

    __slots__ = ("group", "label", "name", "nested", "outermost")

    def __init__(
        self, group: str, name: str, label: str = "", nested: bool = False
    ) -> None:
        self.group = group
        self.name = name
        self.label = label or name
        self.outermost = not nested
        self.nested = (
            self if nested else CallKey(group, name, self.label, True)
        )


_NUMBERS = (int, float)
_NEVER = float("inf")


class Tally:
    """Calls that were added up because a lane had too many to keep."""

    __slots__ = ("chunks", "count", "extra", "max_s", "total_s")

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self.max_s = 0.0
        self.extra = 0.0
        self.chunks: list[list[Any]] = []


# Start, end, and a figure of the group: rows for SQL, driver seconds for DB
# API calls.
Sample = tuple[float, float, float]
Samples = list[Sample]
# A fetch: start, end, rows, statement, engine.
Fetch = tuple[float, float, int, str, Any]


class Lane:
    """The calls of one thread or greenthread that works for a request."""

    __slots__ = (
        "calls",
        "capture",
        "closed",
        "commits",
        "config_lookups",
        "cpu_at",
        "cpu_driver_s",
        "cpu_due",
        "cpu_s",
        "connects",
        "db_api_driver_s",
        "driver_s",
        "error_counts",
        "errors",
        "executemany",
        "fetches",
        "in_db_api",
        "open_timed",
        "pings",
        "pool_waits",
        "rollbacks",
        "sql",
        "statement_at",
        "statement_of",
        "tallies",
        "waiting_db_api_s",
        "waiting_python_s",
    )

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.closed = False
        self.in_db_api = False
        self.open_timed = 0
        # Time in the driver so far; and the part of it in DB API calls.
        self.driver_s = 0.0
        self.db_api_driver_s = 0.0
        self.calls: dict[CallKey, Samples] = {}
        # By engine, then by statement text.
        self.sql: dict[Any, dict[str, Samples]] = {}
        # The driver's other work has no names in a record's calls, only in
        # its timeline: plain lists are the quickest to add to.
        self.fetches: list[Fetch] = []
        self.commits: Samples = []
        self.rollbacks: Samples = []
        self.pings: Samples = []
        # Start, end, pool.
        self.connects: list[tuple[float, float, Any]] = []
        self.pool_waits: list[tuple[float, float, Any]] = []
        self.errors: list[tuple[list[Any], float, str]] = []
        # By id of the samples: exact where the list above ended.
        self.error_counts: dict[int, int] = {}
        self.executemany: dict[str, int] = {}
        self.tallies: dict[int, Tally] = {}
        # The execution context of the statement that runs, and its start.
        self.statement_of: Any = None
        self.statement_at = 0.0
        self.config_lookups = 0
        self.cpu_at = 0.0
        # When to read the CPU clock again: never, where it tells nothing of
        # this lane alone.
        self.cpu_due = _NEVER
        self.cpu_s = 0.0
        self.cpu_driver_s = 0.0
        self.waiting_python_s = 0.0
        self.waiting_db_api_s = 0.0

    def read_cpu(self, now: float, in_db_api: bool) -> None:
        """Account for the time since the last reading that did not run.

        What is neither in the driver nor on the CPU clock was certainly
        waiting: for the GIL, for a processor, for something no hook names.
        """
        cpu = thread_time()
        waited = (
            (now - self.cpu_at)
            - (self.driver_s - self.cpu_driver_s)
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
        self.cpu_driver_s = self.driver_s

    def fold(self, samples: list[Any]) -> None:
        """Add *samples* up, and keep them for the list while there is room."""
        tally = self.tallies.get(id(samples))
        if tally is None:
            tally = self.tallies[id(samples)] = Tally()
        spans = [sample[1] - sample[0] for sample in samples]
        tally.count += len(spans)
        tally.total_s += sum(spans)
        tally.max_s = max(tally.max_s, max(spans, default=0.0))
        tally.extra += sum(
            [sample[2] for sample in samples if type(sample[2]) in _NUMBERS]
        )
        capture = self.capture
        if capture.room > 0:
            capture.room -= len(spans)
            tally.chunks.append(samples[:])
        samples.clear()

    def failed(self, samples: list[Any], start: float, name: str) -> None:
        """Note that the call of *samples* that began at *start* failed."""
        counts = self.error_counts
        counts[id(samples)] = counts.get(id(samples), 0) + 1
        if len(self.errors) < self.capture.max_calls:
            self.errors.append((samples, start, name))


class Capture:
    """All that is known of one request while it is going on."""

    __slots__ = (
        "closed",
        "environ",
        "errors",
        "found",
        "lanes",
        "lanes_missing",
        "late_calls",
        "main",
        "max_calls",
        "room",
        "started",
    )

    def __init__(self, environ: dict[str, Any], max_calls: int) -> None:
        self.environ = environ
        self.closed = False
        self.late_calls = 0
        self.lanes_missing = 0
        self.max_calls = max_calls
        # Calls that may still be kept one by one once their chunk is full.
        self.room = max_calls
        self.found: dict[int, Lane] | None = None
        self.main = Lane(self)
        self.lanes = [self.main]
        self.started = perf_counter()

    def new_lane(self) -> Lane | None:
        """Return a lane for a thread that begins to work for the request.

        None if there are too many, which the record then tells.
        """
        if len(self.lanes) >= MAX_LANES:
            self.lanes_missing += 1
            return None
        lane = Lane(self)
        self.lanes.append(lane)
        # The request may have ended since the caller looked.
        lane.closed = self.closed
        return lane

    def release(self) -> None:
        """Let go of everything, so that no cycle waits for the collector.

        A thread that still runs for the request keeps its lane, which then
        belongs to OVER.
        """
        for lane in self.lanes:
            lane.capture = OVER
        self.lanes = []
        # What a thread was told to do for the request holds on to it.
        self.main = OVER.main
        self.environ = {}
        self.found = None

    def close(self) -> None:
        """Take no more calls: what comes now is late, and only counted."""
        self.closed = True
        for lane in self.lanes:
            lane.closed = True
            if lane.in_db_api:
                self.late_calls += 1


# What a lane belongs to when its request is over.
OVER = Capture({}, 0)
OVER.closed = OVER.main.closed = True

lane_var: ContextVar[Lane | None] = ContextVar("nova_profiler", default=None)
current_lane = lane_var.get

# Empty outside requests, which hooks ask before they look any further.
active: dict[int, Capture] = {}


def begin(capture: Capture) -> None:
    """Make *capture* one that calls can be found a way to."""
    if len(active) >= MAX_ACTIVE:
        try:
            active.pop(next(iter(active)), None)
        except (StopIteration, RuntimeError):
            # Another thread was quicker; the next request tries again.
            return
    active[id(capture)] = capture


def end(capture: Capture) -> None:
    """Forget *capture*; calls that still come find nothing."""
    active.pop(id(capture), None)


def find_lane(lane: Lane | None) -> Lane | None:
    """Return the lane for a call that the ContextVar did not lead to.

    *lane* is what the ContextVar held: nothing, or a lane whose request is
    over. nova carries oslo.context into every thread it starts; its request
    id names the request. None when there is no such request.
    """
    if lane is not None:
        # The record has gone out; the count goes out with the metrics. It
        # is of hooks, several of which see the same call.
        HOOK_FAULTS.note("late_hooks")
    if not active:
        return None
    module = sys.modules.get("oslo_context.context")
    if module is None:
        return None
    context = module.get_current()
    request_id = getattr(context, "request_id", None)
    if request_id is None:
        return None
    for capture in list(active.values()):
        if capture.environ.get("openstack.request_id") == request_id:
            return _lane_here(capture)
    return None


def _lane_here(capture: Capture) -> Lane | None:
    if capture.closed:
        return None
    if capture.found is None:
        capture.found = {}
    # Looked up now: under eventlet this is the greenthread's.
    ident = threading.get_ident()
    lane = capture.found.get(ident)
    if lane is None:
        lane = capture.new_lane()
        if lane is not None:
            capture.found[ident] = lane
    return lane


class LaneCall:
    """A callable that runs in a lane of its own of the request it is for."""

    __slots__ = ("capture", "function")

    def __init__(self, capture: Capture, function: Callable[..., Any]) -> None:
        self.capture = capture
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.capture.closed:
            return self.function(*args, **kwargs)
        token = lane_var.set(self.capture.new_lane())
        try:
            return self.function(*args, **kwargs)
        finally:
            lane_var.reset(token)
