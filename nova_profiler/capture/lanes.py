# SPDX-License-Identifier: Apache-2.0
"""What is kept of a request while it goes on: its capture and the lanes of it.

A lane belongs to one request's capture and is written by one thread only, so
that nothing here needs a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from nova_profiler.record import RequestRecord

Result = TypeVar("Result")

# Calls of one name that are kept one by one before they are added up.
CHUNK_CALLS = 256
# Pieces of work that may have a lane; what further ones call is not known.
MAX_LANES = 4096
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


# Stands for any empty container; written to, it would raise.
_NOTHING: Any = MappingProxyType({})

# Stands for the statement in a lane whose driver connects.
CONNECTING: Any = object()

# Start, end, and a figure of the group: rows for SQL, driver seconds for DB
# API calls.
Sample = tuple[float, float, float]
Samples = list[Sample]


class Lane:
    """The calls of one thread or greenthread that works for a request."""

    __slots__ = (
        "calls",
        "capture",
        "closed",
        "config_lookups",
        "cpu_at",
        "cpu_driver_s",
        "cpu_due",
        "cpu_s",
        "db_api_driver_s",
        "driver_s",
        "error_counts",
        "errors",
        "executemany",
        "executing",
        "in_db_api",
        "open_timed",
        "sql",
        "tallies",
        "waiting_db_api_s",
        "waiting_python_s",
        "work",
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
        # The driver's other work by kind: fetch, COMMIT, connect and so on.
        # It has no names in a record's calls, only in its timeline.
        self.work: dict[str, list[Any]] = {}
        # Most requests need none of these: made by the first to add to it.
        self.errors: list[tuple[list[Any], float, str]] = _NOTHING
        # By id of the samples: exact where the list above ended.
        self.error_counts: dict[int, int] = _NOTHING
        self.executemany: dict[int, int] = _NOTHING
        self.tallies: dict[int, Tally] = _NOTHING
        # The execution context of the statement that runs, or CONNECTING:
        # what goes on inside is part of it.
        self.executing: Any = None
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

    def add_work(self, kind: str, sample: tuple[Any, ...]) -> list[Any]:
        """Add *sample* of the driver's work beside statements."""
        samples = self.work.get(kind)
        if samples is None:
            samples = self.work[kind] = []
        samples.append(sample)
        if len(samples) >= CHUNK_CALLS:
            self.fold(samples)
        return samples

    def fold(self, samples: list[Any]) -> None:
        """Add *samples* up, and keep them for the list while there is room."""
        if not self.tallies:
            self.tallies = {}
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
        if not self.error_counts:
            self.error_counts, self.errors = {}, []
        counts = self.error_counts
        counts[id(samples)] = counts.get(id(samples), 0) + 1
        if len(self.errors) < self.capture.max_calls:
            self.errors.append((samples, start, name))


class Watch(Protocol):
    """A profiler's work for one request."""

    def run(self, function: Callable[..., Result], /, *args: Any) -> Result:
        """Return ``function(*args)``, called under the profiler.

        What *function* raises passes. Called for the application, then for
        each step of its body and for close(): maybe in another thread or
        greenlet than before, never in two at once.
        """

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what another thread that works for the request calls.

        Called once, where that thread is started; what it returns, once at
        most. That is *function* itself where the profiler does not follow. The
        thread may outlive the request.
        """

    def finish(self, record: RequestRecord) -> None:
        """Set ``record.profile`` and ``record.profiled``; never blocks.

        Called once, when the request is over and the record's figures are
        known. ``profile`` is None or ``{"engine": name, "file": None,
        "notes": [sentences]}`` and further numbers; notes say what is not
        true or not complete about the stacks.
        """


class Capture:
    """All that is known of one request while it is going on."""

    __slots__ = (
        "chosen",
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
        "watch",
    )

    def __init__(self, environ: dict[str, Any], max_calls: int) -> None:
        self.environ = environ
        # The profiler's work for the request, and why it was chosen.
        self.watch: Watch | None = None
        self.chosen: str | None = None
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
        self.watch = None

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
