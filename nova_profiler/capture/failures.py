# SPDX-License-Identifier: Apache-2.0
"""Our own failures inside a service: logged once, then counted."""

from __future__ import annotations

import logging

LOG = logging.getLogger("nova_profiler")


class Failures:
    """Counts what went wrong, by a few fixed names."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        # Whether anything was counted since take_new() was last called.
        self.has_new = False

    def note(
        self, what: str, error: BaseException | None = None, count: int = 1
    ) -> None:
        """Count *count* failures of *what*; log the first one.

        The text of an error may hold what a client sent, so only its class
        is logged, and an OSError's reason.
        """
        first = what not in self._counts
        self._counts[what] = self._counts.get(what, 0) + count
        self.has_new = True
        if not first or error is None:
            return
        reason = type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            reason = f"{reason}: {error.strerror}"
        try:
            LOG.warning(
                "%s failed (%s); requests are served as before, further "
                "failures are only counted",
                what,
                reason,
            )
        except Exception:
            # The host's logging is broken: counted is all that is left.
            self._counts["logging"] = self._counts.get("logging", 0) + 1

    def warn(self, line: str) -> None:
        """Log *line*, which holds nothing that a client sent."""
        try:
            LOG.warning("%s", line)
        except Exception:
            self._counts["logging"] = self._counts.get("logging", 0) + 1

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
