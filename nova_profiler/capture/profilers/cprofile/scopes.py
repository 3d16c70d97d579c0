# SPDX-License-Identifier: Apache-2.0
"""What a cProfile sees, and how to turn it on and off there.

Up to Python 3.11 a profile sees the thread that enabled it and no other.
From 3.12 on it sees all threads, on one stack of calls for all of them, and
a process can have only one. Greenlets are the third case, in greenlets.py.
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
    """A profile of ours, by its class distinct from those of others."""


class Part:
    """The work of one thread or greenlet for a request, and its profile.

    ``scope`` turned it on first, and so does every time. ``refused`` has
    the reasons why some of the work is not in it. ``spawner`` is the
    function that started the thread, None for the request's own.
    """

    __slots__ = (
        "is_on",
        "profile",
        "refused",
        "running",
        "scope",
        "spawner",
        "steps",
    )

    def __init__(self, spawner: CodeType | None = None) -> None:
        self.spawner = spawner
        self.profile = Profile()
        self.refused: list[str] = []
        self.steps = 0
        # A step is under way; with greenlets it may be off for a while.
        self.running = False
        self.is_on = False
        self.scope: Scope | None = None

    def refuse(self, reason: str) -> None:
        """Note once why something is not in the profile."""
        if reason not in self.refused:
            self.refused.append(reason)


class Scope(Protocol):
    """Turns parts on and off. Never blocks."""

    # Whether calls of other threads are in a profile as well.
    sees_all_threads: bool
    # Whether a call ends, as far as its time goes, where greenlets switch.
    cuts_calls: bool

    def begin(self, part: Part) -> str | None:
        """Turn *part* on here; return why not, if it cannot be."""

    def end(self, part: Part) -> None:
        """Turn *part* off again, in the thread where it was turned on."""

    def forget(self) -> None:
        """Turn everything off: this is a process forked off another."""


class ThreadScope:
    """Up to Python 3.11: each thread has a profile of its own."""

    sees_all_threads = False
    cuts_calls = False

    def begin(self, part: Part) -> str | None:
        """Turn *part* on, unless this thread has another profiler."""
        if sys.getprofile() is not None:
            return TAKEN_THREAD
        part.profile.enable()
        part.is_on = True
        return None

    def end(self, part: Part) -> None:
        """Turn *part* off; a profiler that replaced it stays on."""
        found: Any = sys.getprofile()
        part.profile.disable()
        part.is_on = False
        if found is not part.profile:
            part.refuse(REPLACED)
            if callable(found):
                sys.setprofile(found)

    def forget(self) -> None:
        """Only the thread that forked is here, and its profile with it."""
        if isinstance(sys.getprofile(), Profile):
            sys.setprofile(None)


class ProcessScope:
    """From Python 3.12 on: one profile, which sees all threads."""

    sees_all_threads = True
    cuts_calls = False

    def __init__(self) -> None:
        # setdefault() takes the place of a lock: eventlet exchanges locks
        # for ones that are no good between threads of the system.
        self._owner: dict[str, Part] = {}

    def begin(self, part: Part) -> str | None:
        """Turn *part* on, unless there is a profile already."""
        if self._owner.setdefault("owner", part) is not part:
            return BUSY
        try:
            part.profile.enable()
        except ValueError:
            self._owner.clear()
            return TAKEN
        part.is_on = True
        return None

    def end(self, part: Part) -> None:
        """Turn *part* off, unless forget() has done so."""
        if not part.is_on:
            return
        part.profile.disable()
        self._owner.clear()
        part.is_on = False

    def forget(self) -> None:
        """Turn off what was on in the process that this one came from."""
        for part in list(self._owner.values()):
            self.end(part)
        self._owner.clear()
