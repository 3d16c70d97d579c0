# SPDX-License-Identifier: Apache-2.0
"""Which lines of code wait, learnt from all requests together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from nova_profiler.capture.profilers.pyspy.stacks import frames_of
from nova_profiler.profiles.functions import Function

# Lines of code that a process keeps in mind.
MAX_LEAVES = 20_000
# Older samples weigh half after this many new ones.
_FADE_SAMPLES = 2000
# Looks at running threads, made while a request was on, that are enough:
# with fewer, a line that works for a seventh of its time is often not seen
# at work at all.
LEAST_LOOKS = 20


class Waits:
    """Which share of its time each line of code waits.

    py-spy shows the stacks of all threads or of those that run, and does
    not mark the one in the other. So two are compared. What a line waits is
    a fact of all requests together, kept or not, since one request alone
    has few samples.
    """

    # A line that was seldom seen is taken to be like its function, and the
    # function like all code: that weighs as much as this many samples.
    _PRIOR = 3.0

    def __init__(self) -> None:
        # Samples in which it was seen at all, and in which it ran.
        self._lines: dict[bytes, list[float]] = {}
        self._functions: dict[bytes, list[float]] = {}
        # How often a request was on when those that run were looked at.
        self._looks = 0.0

    @property
    def is_known(self) -> bool:
        """Return whether that was often enough for share() to be used."""
        return self._looks >= LEAST_LOOKS

    def compare(
        self,
        seen: Iterable[tuple[bytes, int]],
        ran: Iterable[tuple[bytes, int]],
        ratio: float,
    ) -> None:
        """Learn from the innermost frames of all threads and of running ones.

        py-spy looked at the running ones *ratio* times less often.
        """
        if self._functions.get(b"", [0.0])[0] > _FADE_SAMPLES:
            self.fade()
        for leaf, samples in seen:
            self.seen(leaf, samples)
            self._looks += samples / ratio
        for leaf, samples in ran:
            self.ran(leaf, samples * ratio)
        self.settle()

    def seen(self, leaf: bytes, samples: float) -> None:
        """Note that *leaf* was innermost in *samples*."""
        self._add(leaf, 0, samples)

    def ran(self, leaf: bytes, samples: float) -> None:
        """Note that it ran in *samples* of those that seen() has."""
        self._add(leaf, 1, samples)

    def _add(self, leaf: bytes, column: int, samples: float) -> None:
        row = self._lines.get(leaf)
        if row is None:
            if len(self._lines) >= MAX_LEAVES:
                self.fade()
            if len(self._lines) >= MAX_LEAVES:
                return
            row = self._lines[leaf] = [0.0, 0.0]
        row[column] += samples

    def fade(self) -> None:
        """Let what was seen so far count half."""
        self._looks /= 2
        self._lines = {
            leaf: [seen / 2, ran / 2]
            for leaf, (seen, ran) in self._lines.items()
            if seen + ran > 1
        }

    def settle(self) -> None:
        """Add up what is known, before share() is asked."""
        functions: dict[bytes, list[float]] = {}
        for leaf, (seen, ran) in self._lines.items():
            for name in (_function_of(leaf), b""):
                row = functions.setdefault(name, [0.0, 0.0])
                row[0] += seen
                row[1] += ran
        self._functions = functions

    def share(self, leaf: bytes) -> float:
        """Return which share of its time, 0 to 1, *leaf* waits.

        1 for functions that only wait; 0 for others until enough is known.
        """
        if only_waits(leaf):
            return 1.0
        if not self.is_known:
            return 0.0
        running = self._running(self._functions.get(b""), 1.0)
        function = self._functions.get(_function_of(leaf))
        running = self._running(function, running)
        running = self._running(self._lines.get(leaf), running)
        return 1.0 - running

    def _running(self, row: list[float] | None, otherwise: float) -> float:
        seen, ran = row or (0.0, 0.0)
        expected = self._PRIOR * otherwise
        return min(1.0, (ran + expected) / (seen + self._PRIOR))


@lru_cache(maxsize=2_000)
def only_waits(leaf: bytes) -> bool:
    """Return whether a thread waits that has *leaf* innermost.

    A sleep needs no comparison. py-spy may take it for running: a thread
    that it has stopped must first get back to sleep.
    """
    return any(
        Function(frame.file, frame.line, frame.function).waits_on_top
        for frame in frames_of(leaf)
    )


def _function_of(leaf: bytes) -> bytes:
    return leaf.rpartition(b":")[0]
