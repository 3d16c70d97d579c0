# SPDX-License-Identifier: Apache-2.0
"""How long the running thread stood in line for a processor.

The kernel counts it in each thread's schedstat. A thread keeps the file open
as long as it lives; a forked child opens its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from posix import pread
from typing import Any

from nova_profiler.capture.greenthreads import thread_local

# The processor's nanoseconds, those in line for one, and turns.
SCHEDSTAT = "/proc/thread-self/schedstat"
# A request that takes at least this long is worth reading it; so is the next
# one of its worker, from the begin.
LONG_S = 0.005
# It costs as much as two DB API calls: read this seldom.
_STEP_S = 0.001
# Less waiting without a name waits for the next reading, too.
_LEAST_S = 0.0001
# Threads of one process that keep theirs open.
MAX_OPEN = 500

_LONGEST = 80
_UNKNOWN = -1


class _Kept:
    """What is open in this process, by thread."""

    def __init__(self) -> None:
        # Made at the first reading: by then eventlet has patched or not.
        self.here: Any = None
        self.descriptors: set[int] = set()


def _identity_of(fd: int, fstat: Any = os.fstat) -> tuple[int, int]:
    found = fstat(fd)
    return found.st_dev, found.st_ino


class _Schedstat:
    """The schedstat of the thread that opened it; closed with that."""

    def __init__(self, descriptors: set[int]) -> None:
        self.fd = _UNKNOWN
        self._identity = _UNKNOWN, _UNKNOWN
        # Not what keeps this object: a cycle would leave it open.
        self._descriptors = descriptors
        if len(descriptors) < MAX_OPEN:
            # No /proc, no descriptor left, no Linux.
            with suppress(OSError):
                self.fd = os.open(SCHEDSTAT, os.O_RDONLY | os.O_CLOEXEC)
                descriptors.add(self.fd)
                self._identity = _identity_of(self.fd)

    # By their names they are gone when the interpreter ends.
    def __del__(
        self, close: Any = os.close, identity_of: Any = _identity_of
    ) -> None:
        if self.fd != _UNKNOWN:
            self._descriptors.discard(self.fd)
            with suppress(OSError):
                # A server that closes all that is open gives the number to
                # a file of its own.
                if identity_of(self.fd) == self._identity:
                    close(self.fd)


_kept = _Kept()


def forget() -> None:
    """Let go of what is open: in a forked child it is of its parent."""
    global _kept
    _kept = _Kept()


def queued_ns() -> int:
    """Return nanoseconds since the thread began; -1 if they are not known."""
    kept = _kept
    try:
        fd = kept.here.schedstat.fd
    except AttributeError:
        if kept.here is None:
            kept.here = thread_local()
        opened = kept.here.schedstat = _Schedstat(kept.descriptors)
        fd = opened.fd
    if fd == _UNKNOWN:
        return _UNKNOWN
    try:
        return int(pread(fd, _LONGEST, 0).split()[1])
    except (OSError, ValueError, IndexError):
        # A kernel without it has zeros or nothing there.
        return _UNKNOWN


class Split:
    """What the waits of a lane that have no name consist of, as time goes on.

    Both times are lower bounds: what was waited between two readings was for
    a processor at most as long as the thread stood in line for one.
    """

    __slots__ = (
        "_base_ns",
        "_split_s",
        "due",
        "processor_s",
        "readings",
        "unsplit_s",
    )

    def __init__(self, now: float, waited_s: float) -> None:
        """Begin *now*, at a perf_counter() value.

        *waited_s*, here and below, is how long the lane has waited so far.
        """
        self.processor_s = 0.0
        # What was waited before it began, or where the kernel has no count.
        self.unsplit_s = waited_s
        # How often the kernel had a count to split by.
        self.readings = 0
        self.begin(now, waited_s)

    def begin(self, now: float, waited_s: float) -> None:
        """Go on as if there had been no time since the last reading."""
        self._base_ns = queued_ns()
        self._split_s = waited_s
        self.due = now + _STEP_S

    def split(self, now: float, waited_s: float) -> None:
        """Split what was waited since the last reading, if it is time to."""
        waited = waited_s - self._split_s
        if now < self.due and waited < _LEAST_S:
            return
        base_ns = self._base_ns
        self.begin(now, waited_s)
        if base_ns == _UNKNOWN or self._base_ns == _UNKNOWN:
            self.unsplit_s += waited
            return
        self.readings += 1
        self.processor_s += min(waited, (self._base_ns - base_ns) / 1e9)
