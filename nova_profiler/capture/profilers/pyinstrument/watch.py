# SPDX-License-Identifier: Apache-2.0
"""The samples of one request, taken while its own code runs.

Each stretch of the request's work is watched in the thread and greenlet
that does it, from its begin to its end: a thread keeps nothing of it,
whichever calls the body's next step, and even if none ever does.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from nova_profiler.capture.profilers import Note
from nova_profiler.capture.profilers.pyinstrument.notes import Taken, notes_of
from nova_profiler.capture.profilers.pyinstrument.session import (
    SampleList,
    SessionFile,
)
from nova_profiler.profiles import PYINSTRUMENT
from nova_profiler.profiles.session_files import About, Sample
from nova_profiler.record import RequestRecord

if TYPE_CHECKING:
    from nova_profiler.capture.profilers.pyinstrument.sampler import (
        Stretch,
        ThreadSampler,
    )

Result = TypeVar("Result")

# Threads of one request that are followed, and what is kept of each.
MOST_THREADS = 32
THREAD_SAMPLES = 250
# Steps of a body that are watched: to begin and end takes 0.1 ms.
MOST_STEPS = 200
# A step of a body is short: it would end before the first sample.
STEP_INTERVAL_S = 0.001


class PyinstrumentWatch:
    """The samples of one request."""

    def __init__(
        self,
        note: Note,
        sampler_here: Callable[[], ThreadSampler],
        interval_s: float,
        call_s: float | None,
    ) -> None:
        """*sampler_here* returns the sampler of the thread that asks.

        *call_s* is by how much a call takes longer while it is sampled.
        """
        self._note = note
        self._sampler_here = sampler_here
        self._interval_s = interval_s
        self._call_s = call_s
        self._own = SampleList()
        self._threads: list[SampleList] = []
        self._unfollowed = 0
        self._steps = 0
        self._busy = 0
        self._watched_s = 0.0
        # What runs longer than its request.
        self._running: list[SampleList] = []
        self._is_over = False

    def run(self, function: Callable[..., Result], /, *args: Any) -> Result:
        """Return ``function(*args)``, sampled."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            return function(*args)
        interval_s = self._interval_s
        if self._steps > 1:
            interval_s = min(interval_s, STEP_INTERVAL_S)
        stretch = self._begun(self._own, interval_s, _depth())
        if stretch is None:
            return function(*args)
        try:
            began = perf_counter()
            return function(*args)
        finally:
            self._end(stretch)
            self._watched_s += perf_counter() - began

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* with samples of the thread that calls it.

        They are put above the stack of the function that starts it.
        """
        below: list[str] = []
        try:
            if len(self._threads) < MOST_THREADS:
                below = self._sampler_here().stack_here()
        except Exception as exc:
            self._note("profiler", exc)
        return functools.partial(self._run_spawned, function, below)

    def _run_spawned(
        self,
        function: Callable[..., Any],
        below: list[str],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        samples = SampleList(THREAD_SAMPLES)
        stretch = None
        if len(self._threads) >= MOST_THREADS:
            self._unfollowed += 1
        elif not self._is_over:
            stretch = self._begun(samples, self._interval_s, _depth(), below)
        if stretch is None:
            return function(*args, **kwargs)
        try:
            self._threads.append(samples)
            self._running.append(samples)
            return function(*args, **kwargs)
        finally:
            self._end(stretch)
            self._running.remove(samples)

    def _begun(
        self,
        samples: SampleList,
        interval_s: float,
        depth: int,
        below: Sequence[str] = (),
    ) -> Stretch | None:
        """Begin to fill *samples* here; None if that cannot be."""
        try:
            sampler = self._sampler_here()
            if sampler.is_free():
                return sampler.begin(
                    samples.add,
                    lambda: self._is_over,
                    depth,
                    interval_s,
                    below,
                )
            if not sampler.is_ours():
                self._busy += 1
                self._note("profiler_busy")
        except Exception as exc:
            self._note("profiler", exc)
        return None

    def _end(self, stretch: Stretch) -> None:
        try:
            stretch.end()
        except Exception as exc:
            stretch.failure = exc
            # Once more: a thread must not stay slow.
            with suppress(Exception):
                stretch.end()
        if stretch.failure is not None:
            self._note("profiler", stretch.failure)

    def finish(self, record: RequestRecord) -> None:
        """Describe in *record* what was sampled."""
        self._is_over = True
        taken = self._own.taken + sum(one.taken for one in self._threads)
        if not taken and self._busy:
            # Nothing was watched: then it was not profiled, either.
            return
        record.profile = {
            "engine": PYINSTRUMENT,
            "file": None,
            "notes": list(notes_of(self._taken(taken), record)),
            "samples": taken,
            "interval_ms": self._interval_s * 1000,
        }
        if taken:
            record.profiled = SessionFile(
                [*self._own.samples, *_samples_of(self._threads)],
                self._about(record, taken),
            )

    def _about(self, record: RequestRecord, samples: int) -> About:
        duration_s = record.duration_ms / 1000
        return About(
            PYINSTRUMENT,
            f"{record.method} {record.route}",
            samples,
            self._interval_s,
            time.time() - duration_s,
            duration_s,
            (record.cpu_ms or 0.0) / 1000,
        )

    def _taken(self, samples: int) -> Taken:
        return Taken(
            samples=samples,
            interval_ms=self._interval_s * 1000,
            threads=len(self._threads),
            unfollowed=self._unfollowed,
            running=len(self._running),
            # The first step is the application's call, before the body.
            steps=self._steps - 1,
            most_steps=MOST_STEPS - 1,
            busy=self._busy,
            watched_s=self._watched_s,
            sampled_s=self._own.seconds,
            call_s=self._call_s,
        )


def _samples_of(threads: list[SampleList]) -> list[Sample]:
    return [sample for one in threads for sample in one.samples]


def _depth() -> int:
    """Return how many frames a stack has that are not the request's.

    The innermost of them are the caller of this, and the guard round the
    function that the caller is about to call.
    """
    depth = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth
