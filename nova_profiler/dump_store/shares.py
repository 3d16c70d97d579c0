# SPDX-License-Identifier: Apache-2.0
"""Which dumps go where room must be made: no client drives out all others.

A user who has more than a share of all dumps loses one first, and of that
user's the route which has more than a share of them. Without such a one it
is the oldest. What others sent thus stays, whatever a client sends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nova_profiler.dump_store.names import sharer_of

# A user with more than this part of all, and a route with more than this part
# of a user's.
SHARE = 0.25


class StoredDump(NamedTuple):
    """A dump with its companion files, by their names in the folder *day*.

    ``written_at`` is the time of the youngest file, in seconds since 1970.
    """

    day: str
    stem: str
    files: tuple[str, ...]
    bytes: int
    written_at: float


class _Pile:
    """Dumps, oldest first, and the piles that they consist of, by name."""

    def __init__(self) -> None:
        self.dumps: deque[StoredDump] = deque()
        self.piles: dict[str, _Pile] = {}
        # Files, bytes.
        self.sizes = [0, 0]

    def count(self, dump: StoredDump, sign: int) -> None:
        """Count *dump* in, or out."""
        self.sizes[0] += sign * len(dump.files)
        self.sizes[1] += sign * dump.bytes


class Shares:
    """What is kept, by user, then by route."""

    def __init__(self, dumps: Iterable[StoredDump]) -> None:
        """*dumps* come oldest first."""
        self._all = _Pile()
        self._gone: set[tuple[str, str]] = set()
        for dump in dumps:
            for pile in self._piles_of(dump):
                pile.dumps.append(dump)
                pile.count(dump, 1)

    def take(self, by_bytes: bool) -> StoredDump | None:
        """Take out the dump that goes next; None where none is left.

        Shares are of files, or *by_bytes*.
        """
        pile = self._all
        while pile.piles:
            largest = max(
                pile.piles.values(), key=lambda one: one.sizes[by_bytes]
            )
            if largest.sizes[by_bytes] <= SHARE * pile.sizes[by_bytes]:
                break
            pile = largest
        while pile.dumps:
            dump = pile.dumps.popleft()
            # It may have gone from a smaller pile.
            if dump[:2] not in self._gone:
                self._gone.add(dump[:2])
                for one in self._piles_of(dump):
                    one.count(dump, -1)
                return dump
        return None

    def _piles_of(self, dump: StoredDump) -> Iterator[_Pile]:
        pile = self._all
        yield pile
        for name in sharer_of(dump.stem):
            pile = pile.piles.setdefault(name, _Pile())
            yield pile
