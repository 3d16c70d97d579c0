# SPDX-License-Identifier: Apache-2.0
"""How much is kept only because it belongs to something that is kept."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

# A kept request may send very many messages; and any sender can mark one as
# part of what is kept.
MOST_AT_ONCE = 50.0
MOST_A_SECOND = 10.0


class PartAllowance:
    """How many more parts this process may keep for their parents' sake.

    No lock is taken: two threads that count at once may take one too many.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left = MOST_AT_ONCE
        self._at = clock()

    def take(self) -> bool:
        """Return whether one more may be kept, and count it."""
        now = self._clock()
        since_s, self._at = now - self._at, now
        left = min(MOST_AT_ONCE, self._left + since_s * MOST_A_SECOND)
        is_left = left >= 1
        self._left = left - 1 if is_left else left
        return is_left
