# SPDX-License-Identifier: Apache-2.0
"""What one recording says, given to the requests that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nova_profiler.profilers.pyspy_stacks import (
    Stacks,
    Waits,
    leaf_of,
    tagged_stack,
)

# The function that the thread of this engine stands in all the time.
SUPERVISOR = b"supervise_pyspy"


class Owner(Protocol):
    """A request whose stacks may turn up."""

    done: bool
    stacks: Stacks | None


class Timed(Protocol):
    """A recording that is over."""

    rate: int
    running_rate: int
    began: float
    ended: float


class Cut:
    """Takes the lines of one recording as they come."""

    def __init__(self, owners: Mapping[str, Owner]) -> None:
        """*owners* are the requests by their tags."""
        self._owners = owners
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
            owner.stacks.add(found.stack, found.samples)

    def take_running(self, line: bytes) -> None:
        """Take a line of the stacks of threads that run."""
        found = tagged_stack(line)
        if found is not None:
            self._ran.append((leaf_of(found.stack), found.samples))

    def end(self, recording: Timed, waits: Waits) -> float:
        """Tell *waits* what was seen; return the seconds between samples.

        py-spy comes late where the machine has too much to do. How often it
        really looked is known from the one thread that is always there: the
        one that looks after py-spy.
        """
        lasted = recording.ended - recording.began
        looks = self._looks or max(1.0, recording.rate * lasted)
        ratio = looks / max(1.0, recording.running_rate * lasted)
        waits.fade()
        for leaf, samples in self._seen:
            waits.seen(leaf, samples)
        for leaf, samples in self._ran:
            waits.ran(leaf, samples * ratio)
        waits.settle()
        return lasted / looks
