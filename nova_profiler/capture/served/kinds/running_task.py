# SPDX-License-Identifier: Apache-2.0
"""A task that goes on, in a lane of its parent or with its own record.

Which of these is known when the task or its parent ends. Until then its calls
go into a lane of the parent. The parent's end hands that lane over, and keeps
a copy of it.
"""

from __future__ import annotations

from itertools import count
from threading import get_ident
from time import perf_counter, thread_time, time
from typing import TYPE_CHECKING, Any

from nova_profiler.capture.call_names import OTHER
from nova_profiler.capture.captures import OVER, Capture, handing_of
from nova_profiler.capture.current import (
    MAX_ACTIVE,
    active,
    forget_oldest,
    lane_var,
)
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.greenthreads import reference_to_greenlet
from nova_profiler.capture.lanes import CPU_STEP_S, Lane, PieceLane
from nova_profiler.capture.served.kinds.own_records import OwnRecord
from nova_profiler.capture.served.kinds.task_names import (
    Routes,
    function_of,
    pool_of,
)
from nova_profiler.capture.served.worker import keep_as_wanted
from nova_profiler.capture.settings.options import Settings
from nova_profiler.groups import POOL
from nova_profiler.record import TASK, RequestRecord

if TYPE_CHECKING:
    from nova_profiler.capture.served.kinds.task_calls import TaskCall

_POOL = POOL.name

_routes = Routes(TASK.word, 2)


class Task(OwnRecord):
    """A task that goes on, in a lane of its parent or with its own record."""

    __slots__ = (
        "_claims",
        "began_at",
        "call",
        "cpu_start_s",
        "greenlet",
        "is_own",
        "lane",
        "started",
        "thread",
    )

    kind = TASK

    def __init__(self, call: TaskCall) -> None:
        super().__init__(call.parent.worker, call.context)
        self.call = call
        # The first to take a number says whose the lane is.
        self._claims = count()
        # Whether it has a record of its own.
        self.is_own = False
        self.lane: Lane = OVER.main
        self.started = 0.0

    @property
    def trace_id(self) -> str | None:
        """The trace of what submitted it, None without one."""
        return self.call.trace_id

    def claim(self) -> bool:
        """Return whether this is the first to ask."""
        return next(self._claims) == 0

    def take(self, lane: PieceLane) -> None:
        """Work in *lane*, which is of the parent, from now on.

        What the parent's end needs to know is noted by the thread itself.
        """
        self.lane = lane
        self.began_at = time()
        self.started = started = perf_counter()
        # The thread whose CPU clock is the task's, 0: none.
        self.thread = 0
        self.greenlet: Any = None
        self.cpu_start_s = 0.0
        if lane.capture.greenlets is None:
            self.thread = get_ident()
            lane.cpu_at = started
            lane.cpu_due = started + CPU_STEP_S
            # The wait for the pool has not been the task's.
            lane.cpu_named_s = lane.driver_s
            lane.cpu_s = self.cpu_start_s = thread_time()
        else:
            self.greenlet = reference_to_greenlet()
        lane.task = self

    def enter(self, parent: Capture) -> bool:
        """Work in a new lane of *parent*; return False if there is none.

        For what got here without a lane, from a thread of nova's own.
        """
        lane = PieceLane(parent)
        lane.is_first = False
        lane.running = True
        self.take(lane)
        if not parent.has_added(lane) or (parent.closed and self.claim()):
            lane.task = None
            return False
        self.token = lane_var.set(lane)
        return True

    def begin(self) -> bool:
        """Have a record of its own from the start."""
        self._name()
        if not super().begin():
            return False
        capture = self.capture
        if capture is not None:
            self.lane = capture.main
            self.started = capture.started
            if self.call.is_kept and self.serving.takes_part():
                capture.is_kept = True
            self.is_own = True
        return True

    def outlive(self, lane: Lane) -> Lane | None:
        """Have a record of its own from now on, as its parent ends.

        Called in the parent's thread.
        """
        capture = None
        try:
            settings = self.serving.current_settings()
            if settings is None:
                return None
            self._name()
            self.settings = settings
            self.capture = capture = self._capture_of(lane, settings)
            copied = lane.copied()
            if len(active) >= MAX_ACTIVE:
                forget_oldest()
            active[id(capture)] = capture
            if self.claim():
                self.is_own = True
                lane.capture = capture
                return copied
        except Exception as exc:
            HOOK_FAILURES.note("task_hook", exc)
        # It has ended meanwhile, or a fault of ours leaves it to its parent.
        if capture is not None:
            active.pop(id(capture), None)
        return None

    def _capture_of(self, lane: Lane, settings: Settings) -> Capture:
        """Return a capture whose own lane is *lane*."""
        parent = lane.capture
        capture = Capture(self, settings.max_calls)
        capture.worker = self.worker
        capture.main = lane
        capture.lanes = [lane]
        capture.began_at = self.began_at
        capture.started = self.started
        capture.greenlets = None if self.thread else [self.greenlet]
        capture.thread = self.thread
        capture.cpu_start_s = self.cpu_start_s
        if settings.dump_dir:
            keep_as_wanted(capture, settings, self.kind.name)
        if parent.will_be_kept() and self.serving.takes_part():
            capture.is_kept = True
        if parent.handing is not None and lane in parent.handing.homes:
            homes = handing_of(capture).homes
            homes[lane] = parent.handing.homes[lane]
        return capture

    def _name(self) -> None:
        """Have its route; most tasks end before it is wanted."""
        call = self.call
        try:
            names = pool_of(call.pool), function_of(call.function)
        except Exception as exc:
            # An object that raises when it is asked for its name.
            HOOK_FAILURES.note("task_hook", exc)
            names = OTHER, OTHER
        self.take_route(_routes.route(*names))

    def fill(self, record: RequestRecord) -> None:
        """Fill in what it is, and where it comes from."""
        super().fill(record)
        call = self.call
        by = call.by
        parent = by if isinstance(by, Task) and by.is_own else call.parent
        record.parent_id = parent.record_id
        record.sent_at = self.worker.recorder.iso(call.sent)

    @property
    def wait_ms(self) -> float:
        """How long it waited for its pool."""
        call = self.call
        waited_s = self.started - call.since - call.delay_s
        return max(0.0, waited_s) * 1000

    @property
    def record_id(self) -> str | None:
        """Its record's id, None if it has none."""
        capture = self.capture
        return None if capture is None else capture.record_id

    def end(self, error: type[BaseException] | None) -> None:
        """End in its parent's lane, or deliver the record. Never raises.

        *error* is the class of what it raised.
        """
        is_own = True
        try:
            lane = self.lane
            if type(lane) is PieceLane:
                is_own = self._has_outlived(lane)
        except Exception as exc:
            HOOK_FAILURES.note("task_hook", exc)
        if is_own:
            self.finish(error)
        # What it submitted, and still goes on, holds on to it.
        self.call.by = self.context = None
        self.lane = OVER.main

    def give_up(self, error: BaseException) -> None:
        """Have no record, and leave the lane to the parent. Never raises."""
        lane, self.lane = self.lane, OVER.main
        if type(lane) is PieceLane:
            lane.task = None
        super().give_up(error)

    def _has_outlived(self, lane: PieceLane) -> bool:
        """Return whether *lane* is no longer its parent's."""
        is_entered = self.token is not None
        self.leave()
        if self.claim():
            lane.task = None
            if is_entered:
                lane.running = False
                lane.ended = True
            return False
        # It is no piece of its own record.
        lane.is_first = lane.running = False
        # The parent's end may not have come so far yet.
        lane.capture = self.capture or OVER
        _drop_pool_wait(lane, self.started)
        return True


def _drop_pool_wait(lane: Lane, started: float) -> None:
    """Have *lane* without what it waited for its pool before it *started*.

    The record has it as ``wait_ms``.
    """
    for key, calls in list(lane.calls.items()):
        if key.group != _POOL or not calls or calls[0][1] > started:
            continue
        start, end, _ = calls.pop(0)
        if not calls:
            del lane.calls[key]
        lane.other_s -= end - start
        others_s = lane.others_s or {}
        others_s[_POOL] = others_s.get(_POOL, 0.0) - (end - start)
        if _POOL not in {one.group for one in lane.calls}:
            others_s.pop(_POOL, None)
