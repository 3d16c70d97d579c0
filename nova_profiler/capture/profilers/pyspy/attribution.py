# SPDX-License-Identifier: Apache-2.0
"""What one recording says, given to the requests that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from nova_profiler.capture.profilers.pyspy.stacks import (
    Stacks,
    Waits,
    leaf_of,
    tagged_stack,
)

# The function that the thread of this engine stands in all the time.
SUPERVISOR = b"supervise_pyspy"

# Of the time in which all threads were looked at, those that run must have
# been for so much: what only one of the two could see is not waiting.
_IN_COMMON = 0.8


class Owner(Protocol):
    """A request whose stacks may turn up."""

    done: bool
    # 0 as long as it goes on.
    ended: float
    stacks: Stacks | None


class Timed(Protocol):
    """A recording that is over."""

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


class Cut:
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

    def end(self, recording: Timed, waits: Waits) -> Looked:
        """Tell *waits* what was seen; return when and how often.

        py-spy comes late where the machine has too much to do. How often it
        really looked is known from the one thread that is always there: the
        one that looks after py-spy.
        """
        told = recording.rate * (recording.ended - recording.looked_by)
        looks = self._looks or max(1.0, told)
        since = self._since(recording, looks)
        # Asked to end, it goes on until it has a processor.
        until = min(recording.over, since + looks / recording.rate)
        until = max(recording.ended, until)
        running_since = max(since, recording.running_by)
        if until - running_since >= _IN_COMMON * (until - since) > 0:
            running_looks = recording.running_rate * (until - running_since)
            waits.compare(self._seen, self._ran, looks / running_looks)
        return Looked(since, until, (until - since) / looks)

    def _since(self, recording: Timed, looks: float) -> float:
        """Return when py-spy began to look.

        Where our thread was late itself that is not known exactly. But so
        many looks take so long; and who has samples was still there.
        """
        since = recording.ended - looks / recording.rate
        for owner in self._sampled.values():
            if owner.ended > recording.looked_from:
                since = min(since, owner.ended - 1 / recording.rate)
        return max(recording.looked_from, min(since, recording.looked_by))
