# SPDX-License-Identifier: Apache-2.0
"""Ways to turn a cProfile on and off where the request runs.

Up to Python 3.11 a profile sees the thread that enabled it and no other.
From 3.12 on it sees all threads, on one stack of calls for all of them, and
a process can have only one. Greenlets are the third case, in
greenlet_switches.
"""

from __future__ import annotations

import cProfile
import sys
from types import CodeType
from typing import Any, Protocol

# From here on the interpreter's events belong to the process.
PROCESS_WIDE = sys.version_info >= (3, 12)

BUSY = "another request was being profiled"
TAKEN = "another profiler was at work in this process"
TAKEN_THREAD = "another profiler was at work in this thread"
REPLACED = (
    "another profiler took over in the middle; what came after is missing"
)


class Profile(cProfile.Profile):
    """A profile of ours, to be told from those of others."""


class Part:
    """The work of one thread or greenlet for a request, and its profile.

    ``turns`` is how it was turned on first, and so every time. ``refused``
    are the reasons why some of the work is not in it. ``spawner`` is the
    function that started the thread, None of the request's own.
    """

    __slots__ = (
        "profile",
        "refused",
        "running",
        "spawner",
        "steps",
        "turns",
    )

    def __init__(self, spawner: CodeType | None = None) -> None:
        self.spawner = spawner
        self.profile = Profile()
        self.refused: list[str] = []
        self.running = False
        self.steps = 0
        self.turns: Turns | None = None

    def refuse(self, reason: str) -> None:
        """Note once why something is not in the profile."""
        if reason not in self.refused:
            self.refused.append(reason)


class Turns(Protocol):
    """Turns parts on and off. Never blocks."""

    def begin(self, part: Part) -> str | None:
        """Turn *part* on here; why not, if it cannot be."""

    def end(self, part: Part) -> None:
        """Turn *part* off again, in the thread where it was turned on."""

    def forget(self) -> None:
        """Turn everything off: this is a process forked off another."""


class ThreadTurns:
    """Up to Python 3.11: each thread has a profile of its own."""

    def begin(self, part: Part) -> str | None:
        """Turn *part* on, unless somebody else profiles this thread."""
        if sys.getprofile() is not None:
            return TAKEN_THREAD
        part.profile.enable()
        return None

    def end(self, part: Part) -> None:
        """Turn *part* off, and nobody else."""
        found: Any = sys.getprofile()
        part.profile.disable()
        if found is not part.profile:
            part.refuse(REPLACED)
            if callable(found):
                sys.setprofile(found)

    def forget(self) -> None:
        """Only the thread that forked is here, and its profile with it."""
        if isinstance(sys.getprofile(), Profile):
            sys.setprofile(None)


class Slot:
    """What only one can have at a time; asking for it never waits.

    No lock: eventlet exchanges those for ones that are no good between
    native threads.
    """

    def __init__(self) -> None:
        self._owner: dict[str, object] = {}

    @property
    def owner(self) -> object | None:
        """Whose it is."""
        return self._owner.get("owner")

    def take(self, owner: object) -> bool:
        """Return whether *owner* has it now."""
        return self._owner.setdefault("owner", owner) is owner

    def clear(self) -> None:
        """Let the next one have it."""
        self._owner.clear()


class ProcessTurns:
    """From Python 3.12 on: one profile, which sees all threads."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def begin(self, part: Part) -> str | None:
        """Turn *part* on, unless there is a profile already."""
        if not self._slot.take(part):
            return BUSY
        try:
            part.profile.enable()
        except ValueError:
            self._slot.clear()
            return TAKEN
        return None

    def end(self, part: Part) -> None:
        """Turn *part* off."""
        part.profile.disable()
        if self._slot.owner is part:
            self._slot.clear()

    def forget(self) -> None:
        """Turn off what was on in the process that this one came from."""
        owner = self._slot.owner
        if isinstance(owner, Part):
            self.end(owner)
