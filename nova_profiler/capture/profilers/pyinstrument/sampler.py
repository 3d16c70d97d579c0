# SPDX-License-Identifier: Apache-2.0
"""One sampler a thread of the system, for any number of greenlets in it.

It is built on pyinstrument's sampling in C. pyinstrument's own StackSampler
is kept in a ``threading.local``, which monkey-patching makes a greenlet's: the
second greenlet takes the thread's profile function from the first. It also
asks for the name of the thread, which may wait for a lock. Here nothing
waits: the function that takes a sample must not switch to another greenlet.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from time import perf_counter
from types import FrameType
from typing import Any

from pyinstrument.frame import OUT_OF_CONTEXT_FRAME_IDENTIFIER
from pyinstrument.low_level.stat_profile import (
    get_frame_info,
    setstatprofile,
    walltime_coarse_resolution,
)

from nova_profiler.capture.profilers.spawners import spawner
from nova_profiler.profiles.frames import frame_text

Add = Callable[[list[str], float], None]


class Stretch:
    """What is sampled from a begin to its end, in one thread or greenlet."""

    def __init__(
        self,
        sampler: ThreadSampler,
        add: Add,
        is_over: Callable[[], bool],
        depth: int,
        interval_s: float,
        below: Sequence[str] = (),
    ) -> None:
        self.interval_s = interval_s
        self.failure: Exception | None = None
        self._sampler = sampler
        self._add = add
        self.is_over = is_over
        self._depth = depth
        self._below = below
        # For the first sample, whose time may count from one of another
        # stretch.
        self._began: float | None = sampler.clock()
        self._away_s = 0.0
        self._profile_function: Any = None

    def end(self) -> None:
        """Take no more samples. May be called again."""
        self._sampler.end(self)

    def take(
        self, frame: FrameType, event: str, arg: Any, seconds: float
    ) -> None:
        """Take a sample of what runs here."""
        if self.is_over():
            # A thread that outlives its request must not stay slow. The
            # profile function, which calls this, must outlive the call.
            self._profile_function = sys.getprofile()
            self.end()
            return
        self._put(_stack_of(frame, event, arg), self._own(seconds))

    def stay_away(self, seconds: float) -> None:
        """Account for time in which another greenlet ran."""
        self._away_s += self._own(seconds)

    def back(self, frame: FrameType, event: str, arg: Any) -> None:
        """Come back to where another greenlet was given its turn."""
        away_s, self._away_s = self._away_s, 0.0
        if away_s and not self.is_over():
            leaf = OUT_OF_CONTEXT_FRAME_IDENTIFIER
            self._put(_stack_of(frame, event, arg), away_s, leaf)

    def stack_of(self, frame: FrameType | None) -> list[str]:
        """Return the stack of *frame*, as it would be in a sample."""
        return [*self._below, *_stack_of(frame, "", None)[self._depth :]]

    def _own(self, seconds: float) -> float:
        if self._began is not None:
            seconds = min(seconds, self._sampler.clock() - self._began)
            self._began = None
        return seconds

    def _put(self, stack: list[str], seconds: float, *leaf: str) -> None:
        frames = stack[self._depth :]
        if frames:
            self._add([*self._below, *frames, *leaf], seconds)


# object, since that is what pyinstrument expects.
_stretch_var: ContextVar[object | None] = ContextVar(
    "nova_profiler_stretch", default=None
)


class Samplers:
    """The samplers of all threads; *local* belongs to the system's."""

    def __init__(
        self, local: Any, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._local = local
        self._clock = clock

    def here(self) -> ThreadSampler:
        """Return the sampler of this thread."""
        sampler: ThreadSampler | None
        sampler = getattr(self._local, "sampler", None)
        if sampler is None:
            sampler = self._local.sampler = ThreadSampler(self._clock)
        return sampler


class ThreadSampler:
    """The owner of a thread's profile function."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._stretches: list[Stretch] = []
        self._interval_s: float | None = None
        self._last = 0.0

    def is_free(self) -> bool:
        """Return whether a stretch may begin here and now.

        Not within one, nor beside a foreign profiler.
        """
        for stretch in list(self._stretches):
            # One whose end failed.
            if stretch.is_over():
                stretch.end()
        if _stretch_var.get() in self._stretches:
            return False
        return bool(self._stretches) or sys.getprofile() is None

    def is_ours(self) -> bool:
        """Return whether we are sampling here and now."""
        return _stretch_var.get() in self._stretches

    def begin(
        self,
        add: Add,
        is_over: Callable[[], bool],
        depth: int,
        interval_s: float,
        below: Sequence[str] = (),
    ) -> Stretch:
        """Give samples to *add* from here and now, until *is_over*.

        Those of *below* take the place of the frames down to *depth*.
        """
        stretch = Stretch(self, add, is_over, depth, interval_s, below)
        try:
            _stretch_var.set(stretch)
            self._stretches.append(stretch)
            self._update()
        except BaseException:
            self.end(stretch)
            raise
        return stretch

    def stack_here(self) -> list[str]:
        """Return the stack that starts a thread, empty if not sampled."""
        stretch = _stretch_var.get()
        if isinstance(stretch, Stretch) and stretch in self._stretches:
            return stretch.stack_of(spawner())
        return []

    def end(self, stretch: Stretch) -> None:
        """Give *stretch* no more samples; in the thread where it began."""
        # It may have ended: by a sample that was taken on the way here.
        with suppress(ValueError):
            self._stretches.remove(stretch)
        self._update()
        if _stretch_var.get() is stretch:
            _stretch_var.set(None)

    def _update(self) -> None:
        if not self._stretches:
            if self._interval_s is not None:
                setstatprofile(None)
                self._interval_s = None
            return
        interval_s = min(one.interval_s for one in self._stretches)
        if interval_s == self._interval_s:
            return
        if self._interval_s is None:
            self._last = self.clock()
        self._interval_s = interval_s
        setstatprofile(
            self._sample,
            interval_s,
            _stretch_var,
            timer_type(self.clock, interval_s),
            None if self.clock is perf_counter else self.clock,
        )

    def _sample(self, frame: FrameType, event: str, arg: Any) -> None:
        here = None
        try:
            found = _stretch_var.get()
            if isinstance(found, Stretch):
                here = found
            if event == "context_changed":
                # The event comes once the greenlet is back.
                if here is not None and here in self._stretches:
                    here.back(frame, event, arg)
                return
            now = self.clock()
            seconds, self._last = now - self._last, now
            for stretch in list(self._stretches):
                if stretch is here:
                    stretch.take(frame, event, arg, seconds)
                else:
                    stretch.stay_away(seconds)
        except Exception as exc:
            # Raised here it would come out of the application's function.
            if here is not None:
                here.failure = exc


def timer_type(clock: Callable[[], float], interval_s: float) -> Any:
    """Return which of pyinstrument's clocks will do, the cheapest."""
    if clock is not perf_counter:
        return "timer_func"
    coarse_s = walltime_coarse_resolution()
    if coarse_s is not None and coarse_s <= interval_s:
        return "walltime_coarse"
    return "walltime"


def _stack_of(frame: FrameType | None, event: str, arg: Any) -> list[str]:
    """Return the frames as pyinstrument writes them, outermost first."""
    stack = []
    if event == "call" and frame is not None:
        # The time until now was the caller's.
        frame = frame.f_back
    elif event in ("c_return", "c_exception"):
        name = getattr(arg, "__qualname__", None) or repr(type(arg))
        stack.append(frame_text(name, "<built-in>", 0))
    while frame is not None:
        stack.append(get_frame_info(frame))
        frame = frame.f_back
    stack.reverse()
    return stack
