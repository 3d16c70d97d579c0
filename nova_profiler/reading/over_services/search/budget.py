# SPDX-License-Identifier: Apache-2.0
"""How much of dumps and lines is read for one request."""

from __future__ import annotations

MOST_BYTES = 1024 * 1024 * 1024


class Budget:
    """Counts what is read, kept or not: either costs the same time."""

    def __init__(self) -> None:
        self._bytes = 0

    @property
    def is_spent(self) -> bool:
        """Return whether no more is to be read."""
        return self._bytes >= MOST_BYTES

    def spend(self, size: int) -> None:
        """Count *size* bytes that were read."""
        self._bytes += size
