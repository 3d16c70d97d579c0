# SPDX-License-Identifier: Apache-2.0
"""Our own failures inside a service: logged once, then counted."""

from __future__ import annotations

import logging
from contextlib import suppress

from nova_profiler.capture.garbage_collector import is_collecting
from nova_profiler.capture.greenthreads import is_apart

LOG = logging.getLogger("nova_profiler")

_MOST_UNLOGGED = 100


class Failures:
    """Counts what went wrong, by a few fixed names."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        # Whether anything was counted since take_new() was last called.
        self.has_new = False
        # What was not to be logged where it was seen, as a lock of a handler
        # may be held there: a line a name.
        self._unlogged: list[str] = []

    def note(
        self, what: str, error: BaseException | None = None, count: int = 1
    ) -> None:
        """Count *count* failures of *what*; log the first one. Never raises.

        The text of an error may hold what a client sent, so only its class
        is logged, and an OSError's reason.
        """
        # Called where something has failed: memory may still be short.
        with suppress(Exception):
            self._note(what, error, count)

    def _note(
        self, what: str, error: BaseException | None, count: int
    ) -> None:
        first = what not in self._counts
        self._counts[what] = self._counts.get(what, 0) + count
        self.has_new = True
        if not first or error is None:
            return
        reason = type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            reason = f"{reason}: {error.strerror}"
        self.warn(
            f"{what} failed ({reason}); requests are served as before, "
            f"further failures are only counted"
        )

    def warn(self, line: str) -> None:
        """Log *line*, which holds nothing that a client sent.

        Inside the garbage collector, and in a thread of ours beside
        greenthreads, that waits for log_waiting().
        """
        if is_collecting() or is_apart():
            if len(self._unlogged) < _MOST_UNLOGGED:
                self._unlogged.append(line)
            return
        try:
            LOG.warning("%s", line)
        except Exception:
            # The host's logging is broken: counted is all that is left.
            self._counts["logging"] = self._counts.get("logging", 0) + 1

    def log_waiting(self) -> None:
        """Log what had to wait, as of the next look for settings."""
        # Another thread may be at it, too.
        with suppress(IndexError):
            while self._unlogged:
                self.warn(self._unlogged.pop(0))

    def counts(self) -> dict[str, int]:
        """Return all failures so far by name."""
        return dict(self._counts)

    def take_new(self) -> dict[str, int]:
        """Return what was counted since this was last called, by name."""
        # First: what is counted meanwhile is new the next time.
        self.has_new = False
        now = dict(self._counts)
        news = {
            what: count - self._taken.get(what, 0)
            for what, count in now.items()
            if count > self._taken.get(what, 0)
        }
        self._taken = now
        return news


# What hooks count: they are in place once for the whole process.
HOOK_FAILURES = Failures()
