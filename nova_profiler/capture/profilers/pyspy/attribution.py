# SPDX-License-Identifier: Apache-2.0
"""Which request and which time the stacks of one recording belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from nova_profiler.capture.profilers.pyspy.stacks import (
    Stacks,
    leaf_of,
    tagged_stack,
)
from nova_profiler.capture.profilers.pyspy.waits import Waits

# The function that the thread of this engine stands in all the time.
SUPERVISOR = b"supervise_pyspy"

# Running threads must have been looked at for this share of the time in
# which all were: what only one of the two could see is not waiting.
_IN_COMMON = 0.8


class Owner(Protocol):
    """A request of which stacks may turn up."""

    done: bool
    # 0 as long as it goes on.
    ended: float
    stacks: Stacks | None


class Recorded(Protocol):
    """The times of a recording that is over."""

    rate: int
    running_rate: int
    # Between these two the first look at all threads was made.
    looked_from: float
    looked_by: float
    # The first one at those that run was made before this.
    running_by: float
    # When it was asked to end, and when it had.
    ended: float
    over: float


class Looked(NamedTuple):
    """The time in which py-spy looked, and what one look stands for."""

    since: float
    until: float
    interval_s: float


class Attribution:
    """Takes the lines of one recording as they come."""

    def __init__(self, owners: Mapping[str, Owner]) -> None:
        """*owners* are the requests by their tags."""
        self._owners = owners
        self._sampled: dict[str, Owner] = {}
        self._seen: list[tuple[bytes, int]] = []
        self._ran: list[tuple[bytes, int]] = []
        self._looks = 0

    def take(self, line: bytes) -> None:
        """Take a line of the stacks of all threads."""
        found = tagged_stack(line)
        if found is None:
            if SUPERVISOR in line:
                count = line.rpartition(b" ")[2]
                self._looks += int(count[:9]) if count.isdigit() else 0
            return
        self._seen.append((leaf_of(found.stack), found.samples))
        owner = self._owners.get(found.tag)
        if owner is not None and not owner.done:
            if owner.stacks is None:
                owner.stacks = Stacks()
            self._sampled[found.tag] = owner
            owner.stacks.add(found.stack, found.samples)

    def take_running(self, line: bytes) -> None:
        """Take a line of the stacks of threads that run."""
        found = tagged_stack(line)
        if found is not None:
            self._ran.append((leaf_of(found.stack), found.samples))

    def end(self, recorded: Recorded, waits: Waits) -> Looked:
        """Have *waits* learn what was seen; return when py-spy looked.

        py-spy looks less often than it should where the machine has too
        much to do. One thread, this engine's, is in every look: its samples
        are the number of looks, and the rate gives how long they took.

        An example, at 50 looks a second: our thread noted the begin between
        100.0 and 109.7 s and asked for the end at 110.0 s; the last line
        came at 110.5 s. 85 looks take 1.7 s: py-spy looked from 108.3 to
        110.0 s, and each look stands for 20 ms. 600 looks take 12 s, more
        than the 10.5 s there were: it looked from 100.0 to 110.5 s, and
        each look stands for 17.5 ms.
        """
        looks = self._looks or max(
            1.0, recorded.rate * (recorded.ended - recorded.looked_by)
        )
        lasted_s = looks / recorded.rate
        since = self._since(recorded, lasted_s)
        # Asked to end, it goes on until it has a processor.
        until = _within(recorded.ended, since + lasted_s, recorded.over)
        self._compare(recorded, waits, since, until, looks)
        return Looked(since, until, (until - since) / looks)

    def _since(self, recorded: Recorded, lasted_s: float) -> float:
        """Return when py-spy began to look.

        As late as its looks allow, but while each request was still there
        that has samples.
        """
        since = recorded.ended - lasted_s
        for owner in self._sampled.values():
            if owner.ended > recorded.looked_from:
                since = min(since, owner.ended - 1 / recorded.rate)
        return _within(recorded.looked_from, since, recorded.looked_by)

    def _compare(
        self,
        recorded: Recorded,
        waits: Waits,
        since: float,
        until: float,
        looks: float,
    ) -> None:
        """Have *waits* learn, if both py-spy looked at much the same time."""
        both_s = until - max(since, recorded.running_by)
        if both_s >= _IN_COMMON * (until - since) > 0:
            running_looks = recorded.running_rate * both_s
            waits.compare(self._seen, self._ran, looks / running_looks)


def _within(least: float, value: float, most: float) -> float:
    """Return *value*, or the bound that it is beyond."""
    return max(least, min(value, most))
