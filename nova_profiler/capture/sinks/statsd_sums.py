# SPDX-License-Identifier: Apache-2.0
"""Times that are added up in the process and sent now and then.

A conductor serves thousands of messages a second: a line for each would cost
more than serving some of them. What is sent has the same number and sum as
the times one by one, and to a tenth the same percentiles.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from math import floor, log2
from time import monotonic
from weakref import WeakSet

# What is added up is sent by the first that is added after as long.
SEND_EVERY_S = 10.0
# An octave has as many buckets: the times in one differ by 9 % at most.
_STEPS = 8
_SHORTEST_MS = 0.001
_SHORTEST = round(log2(_SHORTEST_MS) * _STEPS)

# A metric's name and its labels.
Name = tuple[str, str]
# A name, how many calls, and their mean in milliseconds.
Sum = tuple[Name, int, float]
# Number and milliseconds of the calls of about one length.
_Bucket = list[float]


class TimeSums:
    """Times by name, and what of them has been sent.

    Without a lock: between two calls of functions the interpreter keeps its
    own, and an addition has none. Sums only grow: what sends them takes
    nothing from under what adds to them.
    """

    def __init__(
        self,
        send: Callable[[list[Sum]], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._send = send
        self._clock = clock
        self.forget()
        _to_end.add(self)
        _end_with_process()

    def forget(self) -> None:
        """Begin anew, as a forked process does."""
        # By name, then by length.
        self._names: dict[Name, dict[int, _Bucket]] = {}
        self._sent: dict[Name, dict[int, _Bucket]] = {}
        # At once: where calls are rare, none waits for the next one.
        self._send_at = 0.0

    def add(self, name: Name, ms: float, count: int = 1) -> None:
        """Add *count* calls of *name* that took *ms* milliseconds each."""
        buckets = self._names.get(name)
        if buckets is None:
            buckets = self._names.setdefault(name, {})
        place = floor(log2(ms) * _STEPS) if ms > _SHORTEST_MS else _SHORTEST
        bucket = buckets.get(place)
        if bucket is None:
            bucket = buckets.setdefault(place, [0, 0.0])
        bucket[0] += count
        bucket[1] += ms * count

    def send_if_due(self) -> None:
        """Send what was added since the last time, if that is long ago."""
        now = self._clock()
        # One thread sends: no other runs between these two lines.
        if now >= self._send_at:
            self._send_at = now + SEND_EVERY_S
            self.send()

    def send(self) -> None:
        """Send what was added since the last time. May raise OSError."""
        sums = [
            one
            for name, buckets in list(self._names.items())
            for one in self._taken(name, buckets)
        ]
        if sums:
            self._send(sums)

    def _taken(self, name: Name, buckets: dict[int, _Bucket]) -> list[Sum]:
        sent = self._sent.setdefault(name, {})
        taken = []
        for place, bucket in list(buckets.items()):
            # In one step: another thread may be adding to it.
            count, ms = bucket
            count_before, ms_before = sent.get(place, (0, 0.0))
            sent[place] = [count, ms]
            new = int(count - count_before)
            if new > 0:
                taken.append((name, new, max(0.0, ms - ms_before) / new))
        return taken


def line_of(name: Name, count: int, mean: float) -> str:
    """Return the line of statsd for *count* calls of about *mean* ms.

    The sample rate makes their number right.
    """
    if count == 1:
        return "%s:%.3f|ms%s" % (name[0], mean, name[1])
    return "%s:%.3f|ms|@%.9g%s" % (name[0], mean, 1 / count, name[1])


_to_end: WeakSet[TimeSums] = WeakSet()


@cache
def _end_with_process() -> None:
    """Send the rest at the end of a process; a forked one has its own.

    Workers of oslo.service leave by os._exit(): their rest is lost.
    """
    atexit.register(_send_rest)
    os.register_at_fork(after_in_child=_forget)


def _send_rest() -> None:
    for sums in list(_to_end):
        # The host's sockets and logs may be gone.
        with suppress(Exception):
            sums.send()


def _forget() -> None:
    for sums in list(_to_end):
        sums.forget()
