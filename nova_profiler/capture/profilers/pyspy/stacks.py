# SPDX-License-Identifier: Apache-2.0
"""The lines of ``py-spy record --format raw``, cut by request.

A line is the frames of one stack, the outermost first, and how often it was
seen: ``<module> (app.py:3);np_request_7 (request_tags.py:70);f (app.py:9) 4``
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.profilers.pyspy.request_tags import PREFIX

# Different stacks of one request; a minute at 50 Hz has 3000 samples.
MAX_STACKS = 4_000
MAX_STACK_BYTES = 4 * 1024 * 1024

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
    """Return the part of *line* that is a request's, None if none is.

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
