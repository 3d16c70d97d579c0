# SPDX-License-Identifier: Apache-2.0
"""Engine that counts and times every call of a chosen request: cProfile.

A profile is on while the request's own code runs, the steps of its body
included, and at no other time. Up to Python 3.11 several requests can be
profiled at once, and threads that work for one are added up. From 3.12 on
there is one profile in a process; who comes second goes on without.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from nova_profiler.capture.current import active, begin
from nova_profiler.capture.greenthreads import greenlet_module
from nova_profiler.capture.lanes import Capture
from nova_profiler.capture.profilers import Note
from nova_profiler.capture.profilers.cprofile.greenlet_self_test import (
    is_right,
)
from nova_profiler.capture.profilers.cprofile.greenlets import (
    GreenletTurns,
)
from nova_profiler.capture.profilers.cprofile.pausing import (
    FlushingHands,
    Hands,
    MonitoringHands,
    ThreadHands,
)
from nova_profiler.capture.profilers.cprofile.scopes import (
    PROCESS_WIDE,
    TAKEN,
    Part,
    ProcessTurns,
    Slot,
    ThreadTurns,
    Turns,
)
from nova_profiler.capture.profilers.cprofile.table import (
    calls_of,
    content_of,
    table_of,
)
from nova_profiler.capture.profilers.spawners import spawner
from nova_profiler.record import Attach, RequestRecord

NAME = "cprofile"
SUFFIX = ".prof"

# A body of more steps is not profiled to its end.
MAX_STEPS = 10_000
# Threads of one request that are profiled.
MAX_PARTS = 64
MAX_BYTES = 16 * 1024 * 1024

# What a dump says of its profile; the reasons are in cprofile_turns.
INFLATES = (
    "Every call was timed, which makes functions that are called often look "
    "slower than they are: confirm shares by other means."
)
PARTIAL = (
    "Cumulative times are partial: for them a call ends where its greenlet "
    "switches."
)
MIXED = (
    "Calls of {} other requests are mixed in; cumulative times and callers "
    "are wrong where they are. From Python 3.12 on cProfile sees all threads "
    "at once."
)
MIXED_WORKERS = (
    "Threads that worked for the request are mixed in; cumulative times and "
    "callers are wrong where they are. From Python 3.12 on cProfile sees all "
    "threads at once."
)
MIXED_POOL = "Calls in the threads of eventlet.tpool are mixed in."
ADDED = (
    "{} threads that worked for the request are added up: together they may "
    "have taken longer than it did."
)
STILL_AT_WORK = "Threads were still at work for the request when it was over."
LEFT_OUT = "{} functions with the least time are left out."
SKIPPED = "Not profiled: {}."
NOT_ALL = "Not all of it is in here: {}."

TOO_MANY_STEPS = f"the body went on after its first {MAX_STEPS} steps"
TOO_MANY_PARTS = f"more than {MAX_PARTS} threads worked for the request"
IN_A_THREAD = "in a thread that worked for it, {}"
FAILED = "cProfile could not be turned on"

# A fork takes a profile that is on along; os knows no way to take back
# what is to be done then, hence one function for all engines.
_ENGINES: weakref.WeakSet[CprofileEngine] = weakref.WeakSet()
_hooked: list[bool] = []


class CprofileWatch:
    """The profile of one request."""

    def __init__(self, engine: CprofileEngine, capture: Capture) -> None:
        self._engine = engine
        self._request = id(capture)
        self._main = Part()
        self._parts = [self._main]
        self._workers = 0
        self._over = False
        # Requests that were there at the end of the last step.
        self._others: set[int] = set()
        self._overlapped = 0
        self._profile: dict[str, Any] = {}

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Return ``function(*args)``, profiled if that can be."""
        return self._run(self._main, function, *args)

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* with a profile of its own, to be added."""
        if self._over:
            return function
        self._workers += 1
        if self._sees_all_threads:
            # One profile is all there can be, and it has them already.
            return function
        if len(self._parts) > MAX_PARTS:
            self._main.refuse(TOO_MANY_PARTS)
            return function
        frame = spawner()
        part = Part(None if frame is None else frame.f_code)
        self._parts.append(part)
        return partial(self._run, part, function)

    def finish(self, record: RequestRecord) -> None:
        """Tell what there is, and leave the file to the dump."""
        self._over = True
        profiles = [part.profile for part in self._parts if part.steps]
        if profiles:
            record.profiled = self
            if self._sees_all_threads:
                self._overlapped += calls_of(profiles, begin.__code__)
        else:
            self._engine.note("cprofile_skipped")
        record.profile = self._profile = {
            "engine": NAME,
            "file": None,
            "notes": list(self._notes()),
        }
        if profiles and self._overlapped:
            self._profile["overlapped"] = self._overlapped

    def attach(self, attach: Attach) -> None:
        """Write the file beside the dump."""
        content, missing = content_of(
            table_of(part for part in self._parts if part.steps),
            MAX_BYTES,
        )
        if missing:
            self._profile["notes"].append(LEFT_OUT.format(missing))
        attach(SUFFIX, content, self._profile)

    def _run(
        self,
        part: Part,
        call: Callable[..., Any],
        /,
        *args: Any,
        **kw: Any,
    ) -> Any:
        if not self._begin(part):
            return call(*args, **kw)
        try:
            return call(*args, **kw)
        finally:
            self._end(part)

    def _begin(self, part: Part) -> bool:
        """Turn *part* on, and return whether it is."""
        if part.running or self._over or (part.refused and not part.steps):
            return False
        if part.steps >= MAX_STEPS:
            part.refuse(TOO_MANY_STEPS)
            return False
        try:
            turns = part.turns = part.turns or self._engine.turns()
            if turns is None:
                part.refuse(TAKEN)
                return False
            self._count_others()
            refused = turns.begin(part)
        except Exception as exc:
            self._engine.note("cprofile", exc)
            refused = FAILED
        # What follows a success must call nothing: it would be profiled.
        if refused is None:
            part.running = True
            part.steps += 1
            return True
        part.refuse(refused)
        return False

    def _end(self, part: Part) -> None:
        """Turn *part* off; first of all, since all of this is in it."""
        try:
            # Set when it began; no call may stand before this one.
            part.turns.end(part)  # type: ignore[union-attr]
            part.running = False
            self._others = set(active)
        except Exception as exc:
            self._engine.note("cprofile", exc)

    @property
    def _sees_all_threads(self) -> bool:
        return isinstance(self._main.turns, ProcessTurns)

    def _count_others(self) -> None:
        """Count the requests that came since the last step."""
        if self._sees_all_threads:
            others = set(active) - self._others
            others.discard(self._request)
            self._overlapped += len(others)

    def _notes(self) -> Iterator[str]:
        recorded = [part for part in self._parts if part.steps]
        if not recorded:
            for reason in self._main.refused:
                yield SKIPPED.format(reason)
            return
        for reason in self._main.refused:
            yield NOT_ALL.format(reason)
        for part in self._parts[1:]:
            if part.refused:
                yield NOT_ALL.format(IN_A_THREAD.format(part.refused[0]))
                break
        if any(part.running for part in self._parts):
            yield STILL_AT_WORK
        if len(recorded) > 1:
            yield ADDED.format(len(recorded) - 1)
        yield from self._mixed()
        if self._engine.cuts_cumulative_times:
            yield PARTIAL
        yield INFLATES

    def _mixed(self) -> Iterator[str]:
        if self._sees_all_threads:
            if self._overlapped:
                yield MIXED.format(self._overlapped)
            if self._workers:
                yield MIXED_WORKERS
        elif PROCESS_WIDE:
            pool = sys.modules.get("eventlet.tpool")
            if getattr(pool, "_setup_already", False):
                yield MIXED_POOL


class CprofileEngine:
    """Profiles chosen requests with cProfile."""

    name = NAME
    watches_all = False

    def __init__(self, note: Note) -> None:
        self.note = note
        # Whether greenlets are profiled in the way that is always there.
        self.cuts_cumulative_times = False
        self._slot = Slot()
        self._native: Turns = (
            ProcessTurns(self._slot) if PROCESS_WIDE else ThreadTurns()
        )
        self._green: Turns | None = None
        self._closed = False

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> CprofileWatch | None:
        """Return the watch of a chosen request; there is no interval."""
        if self._closed or not chosen:
            return None
        return CprofileWatch(self, capture)

    def close(self) -> None:
        """Profile no more; what is on ends with its request's step."""
        self._closed = True

    def turns(self) -> Turns | None:
        """Return the way to turn a profile on here, None if it is taken."""
        module = greenlet_module()
        if module is None:
            return self._native
        if self._green is None:
            self._green = self._tried(module)
        return self._green

    def forget(self) -> None:
        """Turn off what a fork has taken along."""
        self._native.forget()
        if self._green is not None:
            self._green.forget()
        self._slot.clear()

    def _tried(self, module: ModuleType) -> Turns | None:
        hands: Hands = MonitoringHands() if PROCESS_WIDE else ThreadHands()
        turns = GreenletTurns(module, hands, self._slot)
        try:
            right = is_right(module, turns)
        except Exception as exc:
            turns.forget()
            self.note("cprofile", exc)
            right = False
        if right is None:
            return None
        if right:
            return turns
        self.cuts_cumulative_times = True
        return GreenletTurns(module, FlushingHands(), self._slot)


def engine(note: Note) -> CprofileEngine:
    """Return the engine; *note* counts what goes wrong."""
    made = CprofileEngine(note)
    if not _hooked:
        _hooked.append(True)
        os.register_at_fork(after_in_child=_forget_all)
    _ENGINES.add(made)
    return made


def _forget_all() -> None:
    for one in list(_ENGINES):
        one.forget()
