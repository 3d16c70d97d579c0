# SPDX-License-Identifier: Apache-2.0
"""Samples of one request, few however long it took, and their file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from nova_profiler.profiles import SAMPLES_SUFFIX
from nova_profiler.profiles.session_files import (
    About,
    Sample,
    write_session,
)
from nova_profiler.record import Attach

# A sample is some 7 KB in a file, and takes 30 us to write.
MOST_SAMPLES = 1000


class SampleList:
    """The samples of one thread, thinned out where they become too many."""

    def __init__(
        self,
        most: int = MOST_SAMPLES,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._most = most
        self._draw = draw
        self._samples: list[Sample] = []
        # Each text once: most frames are those of the sample before.
        self._names: dict[str, str] = {}
        self.taken = 0
        self.seconds = 0.0

    def add(self, stack: Iterable[str], seconds: float) -> None:
        """Add a sample of *stack* that stands for *seconds*."""
        known = self._names.setdefault
        frames = [known(name, name) for name in stack]
        samples = self._samples
        self.taken += 1
        self.seconds += seconds
        if samples and samples[-1][0] == frames:
            samples[-1] = frames, samples[-1][1] + seconds
            return
        samples.append((frames, seconds))
        if len(samples) >= self._most:
            self._samples = thinned(samples, self._most // 2, self._draw())

    @property
    def samples(self) -> list[Sample]:
        """Return the samples that are kept; together they are all time."""
        return list(self._samples)


def thinned(
    samples: list[Sample], most: int, start: float = 0.5
) -> list[Sample]:
    """Return at most *most* of *samples*, for the same time in all.

    A sampler of a longer interval would have taken these: no stack gets
    more than its share for being short or long. The first interval begins
    at *start*, a part of 1.
    """
    if len(samples) <= most:
        return samples
    total_s = sum(seconds for _, seconds in samples)
    interval_s = total_s / most
    kept: list[Sample] = []
    passed_s = 0.0
    seen = 0
    for stack, seconds in samples:
        passed_s += seconds
        hits = 0
        while seen < most and (seen + start) * interval_s < passed_s:
            seen += 1
            hits += 1
        if hits:
            kept.append((stack, hits * interval_s))
    if seen < most:
        # By rounding, the last sample is due at the very end.
        kept.append((samples[-1][0], (most - seen) * interval_s))
    return kept


class SessionFile:
    """The file of a request's samples, made only for a dump."""

    def __init__(self, samples: list[Sample], about: About) -> None:
        self._samples = samples
        self._about = about

    def attach(self, attach: Attach) -> None:
        """Hand the file over at once."""
        samples = thinned(self._samples, MOST_SAMPLES)
        attach(SAMPLES_SUFFIX, session_of(samples, self._about), None)


def session_of(samples: list[Sample], about: About) -> bytes:
    """Return the file of *samples*."""
    # Fewer digits make a smaller file.
    rounded = ((stack, round(seconds, 6)) for stack, seconds in samples)
    return write_session(rounded, about, of_this_process=True)
