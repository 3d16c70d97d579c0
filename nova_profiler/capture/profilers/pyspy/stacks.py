# SPDX-License-Identifier: Apache-2.0
"""The lines of ``py-spy record --format raw``, cut by request.

A line is the frames of one stack, the outermost first, and how often it was
seen: ``<module> (app.py:3);np_request_7 (request_tags.py:70);f (app.py:9) 4``
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.profilers.pyspy.request_tags import PREFIX
from nova_profiler.profiles.functions import Function

# Different stacks of one request; a minute at 50 Hz has 3000 samples.
MAX_STACKS = 4_000
MAX_STACK_BYTES = 4 * 1024 * 1024
# Different lines of code of which is known how often they wait.
MAX_LEAVES = 20_000
# What was seen counts half after so many samples more of requests.
_FADE_SAMPLES = 2000
# So often must those that run have been looked at while a request was on:
# with fewer looks, one that works for a seventh of its time is often not
# seen at work at all.
LEAST_LOOKS = 20

_PREFIX = PREFIX.encode()


class Frame(NamedTuple):
    """A function, its file, and the line that it had come to; 0: unknown."""

    function: str
    file: str
    line: int


class TaggedStack(NamedTuple):
    """A stack below a request's trampoline, and how often it was seen."""

    tag: str
    stack: bytes
    samples: int


def tagged_stack(line: bytes) -> TaggedStack | None:
    """Return what *line* says of a request, None if it is of none.

    Within a request that runs inside another one's, the inner one counts.
    """
    at = line.rfind(_PREFIX)
    if at < 0:
        return None
    stack, _, samples = line.rpartition(b" ")
    tag, _, _ = stack[at:].partition(b" ")
    # The same request's other trampolines are further in: for the steps of
    # its body, or for a thread that runs within its own.
    at = line.find(tag + b" ")
    _, _, below = stack[at:].partition(b";")
    if not (samples.isdigit() and tag.removeprefix(_PREFIX).isdigit()):
        return None
    return TaggedStack(tag.decode(), below, int(samples[:9]))


def frames_of(stack: bytes) -> list[Frame]:
    """Return the frames of *stack* but our own, the outermost first."""
    frames = []
    for text in stack.decode("utf-8", "replace").split(";"):
        function, _, place = text.partition(" (")
        file, _, line = place.removesuffix(")").rpartition(":")
        if not line.isdecimal():
            # A frame without a line number.
            file, line = place.removesuffix(")"), "0"
        if function and not file.startswith(OWN_FOLDER):
            frames.append(Frame(function, file, int(line[:9])))
    return frames


def leaf_of(stack: bytes) -> bytes:
    """Return the innermost frame of *stack*."""
    return stack[stack.rfind(b";") + 1 :]


class Stacks:
    """The stacks of one request: how often seen, and for how long."""

    __slots__ = ("_fresh", "_size", "left_out", "samples", "times")

    def __init__(self) -> None:
        # Seconds that each stack stands for.
        self.times: dict[bytes, float] = {}
        self.samples = 0
        # Samples of stacks that there was no room for.
        self.left_out = 0
        # Samples whose time is not known yet.
        self._fresh: Counter[bytes] = Counter()
        self._size = 0

    def add(self, stack: bytes, samples: int) -> None:
        """Count *samples* of *stack*."""
        self.samples += samples
        if stack not in self.times:
            if (
                len(self.times) >= MAX_STACKS
                or self._size + len(stack) > MAX_STACK_BYTES
            ):
                self.left_out += samples
                return
            self._size += len(stack)
            self.times[stack] = 0.0
        self._fresh[stack] += samples

    def stand_for(self, interval_s: float) -> None:
        """Have each sample that came since stand for *interval_s*."""
        for stack, samples in self._fresh.items():
            self.times[stack] += samples * interval_s
        self._fresh.clear()

    def shrink(self, share: float) -> None:
        """Have each sample stand for *share* of what it stood for."""
        self.times = {
            stack: time_s * share for stack, time_s in self.times.items()
        }

    @property
    def interval_s(self) -> float:
        """Return the time that one sample stands for, in the mean."""
        kept = self.samples - self.left_out
        return sum(self.times.values()) / kept if kept else 0.0


class Waits:
    """Which share of its time each line of code waits.

    py-spy tells which threads run, but not in the stacks of all threads. So
    two are compared: one that sees all threads and one that sees those that
    run. What a line waits is a fact of all requests together, of those that
    are kept and of the others, since one request alone has few samples.
    """

    # A line that was seldom seen is taken to be like its function, and that
    # one like all code: as if so many samples said so.
    _PRIOR = 3.0

    def __init__(self) -> None:
        # Samples in which it was seen at all, and in which it ran.
        self._lines: dict[bytes, list[float]] = {}
        self._functions: dict[bytes, list[float]] = {}
        # How often a request was on when those that run were looked at.
        self._looks = 0.0

    @property
    def is_known(self) -> bool:
        """Return whether that was often enough for share() to tell."""
        return self._looks >= LEAST_LOOKS

    def compare(
        self,
        seen: Iterable[tuple[bytes, int]],
        ran: Iterable[tuple[bytes, int]],
        ratio: float,
    ) -> None:
        """Learn from the innermost frames of all threads and of running ones.

        Those that run were looked at *ratio* times less often.
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
        """Note that *leaf* was innermost in so many samples."""
        self._add(leaf, 0, samples)

    def ran(self, leaf: bytes, samples: float) -> None:
        """Note that it ran in so many of as many samples as seen() has."""
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

        None, as long as nothing is known, but of what does nothing else.
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

    Of a sleep nobody needs to find out. py-spy may take it for running: a
    thread that it has stopped must first get back to sleep.
    """
    return any(
        Function(frame.file, frame.line, frame.function).waits_on_top
        for frame in frames_of(leaf)
    )


def _function_of(leaf: bytes) -> bytes:
    return leaf.rpartition(b":")[0]
