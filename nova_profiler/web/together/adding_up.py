# SPDX-License-Identifier: Apache-2.0
"""Adds up what some dumps have: parts of the time, calls, stacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nova_profiler.dump_store import DumpError
from nova_profiler.groups import DB_API
from nova_profiler.profiles.loading import beside
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.requests.calls_by_route import RouteCalls
from nova_profiler.reading.requests.one_request.loading import (
    MOST_STACKS,
    profile_beside,
    record_in,
)
from nova_profiler.record import KILLED, RequestRecord
from nova_profiler.web.index import Index
from nova_profiler.web.rows import READ, Row
from nova_profiler.web.tables.columns import STATES
from nova_profiler.web.tables.table import Table
from nova_profiler.web.together.spread import Spread
from nova_profiler.web.together.stacks import Stacks, StacksByEngine

# Which dumps are opened.
NEWEST, SLOWEST = "newest", "slowest"
ORDERS = (NEWEST, SLOWEST)
MOST_OPENED = 200
# Where stacks are of a few requests only, they are looked for beside so many.
MOST_LOOKED_AT = 2000
# Dumps and stacks together; a usual dump has a few KiB.
MOST_BYTES = 128 * 1024 * 1024
# A page that waits for the next ones to be opened does so for no longer.
MOST_S = 20.0


def readable(rows: Iterable[Row], stores: int) -> Table:
    """Return those of *rows* whose dumps have all of their requests.

    Sources of dumps are the first *stores* ones.
    """
    table = Table.of(rows)
    is_read = table.column("state") == STATES.index(READ)
    is_killed = table.column("outcome") == table.names.known(KILLED)
    return table.chosen(
        is_read & ~is_killed & (table.column("source") < stores)
    )


def slowest_first(table: Table) -> Table:
    """Return the rows of *table*, the longest first."""
    return table.chosen(
        np.argsort(-table.column("duration_ms"), kind="stable")
    )


class Opened(NamedTuple):
    """What the opened dumps have together.

    ``opened`` of ``of`` requests were opened, the first in ``order``; the
    ``calls`` and ``parts`` are theirs. ``parts`` are milliseconds.
    ``problem`` is of dumps and stacks that could not be read. Until it
    ``is_done``, only the numbers are there.
    """

    order: str
    opened: int
    of: int
    is_done: bool
    calls: RouteCalls
    parts: dict[str, Spread]
    engines: dict[str, Stacks]
    problem: str

    @property
    def requests(self) -> int:
        """Return how many requests the sums are over."""
        return self.calls.requests

    def fields(self) -> dict[str, Any]:
        """Return what was opened, as JSON-ready values."""
        return {
            "dumps": self.opened,
            "of": self.of,
            "order": self.order,
            "is_done": self.is_done,
            "problem": self.problem,
        }


class Sums:
    """The sums of some dumps, which are opened one after the other."""

    def __init__(
        self,
        index: Index,
        order: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.opened = 0
        self._clock = clock
        self._until = math.inf
        self._order = order
        self._index = index
        self._skipped = Skipped()
        self._stacks = StacksByEngine()
        self._bytes = 0
        self._calls = RouteCalls("", "", "", None)
        self._parts: dict[str, Spread] = {}

    def add_all(self, rows: Sequence[Row]) -> None:
        """Open the dumps of *rows* until there is enough."""
        self._until = self._clock() + MOST_S
        found = iter(rows)
        for row in islice(found, MOST_OPENED):
            if self.is_full:
                break
            self.add(row)
        for row in found:
            if self.is_full or self.has_all_stacks:
                break
            self.add_stacks(row)

    @property
    def is_full(self) -> bool:
        """Return whether enough bytes have been read, or for long enough."""
        return self._bytes >= MOST_BYTES or self._clock() >= self._until

    @property
    def has_all_stacks(self) -> bool:
        """Return whether there is no need to look for more of them."""
        return self._stacks.watches_all or self._stacks.profiles >= MOST_OPENED

    def add(self, row: Row) -> None:
        """Open the dump of *row*, and add what it has."""
        if row.entry is None:
            return
        self._bytes += _size_of(row.entry.path)
        try:
            record = record_in(self._index.store(row), row.entry)
        except DumpError as exc:
            self._skipped.add(str(exc))
            return
        self.opened += 1
        self._calls.add(record, DB_API.name)
        for name, ms in record.parts_ms.items():
            self._parts.setdefault(name, Spread()).add(ms)
        self.add_stacks(row, record)

    def add_stacks(
        self, row: Row, record: RequestRecord | None = None
    ) -> None:
        """Add the stacks beside the dump of *row*, if it has any."""
        profile = None
        path = None if row.entry is None else beside(row.entry.path)
        if row.entry is not None and path is not None:
            self._bytes += _size_of(path)
            profile = profile_beside(
                row.entry.path, self._skipped, MOST_STACKS
            )
        if profile is not None:
            self._stacks.add(profile)
        elif record is not None:
            self._stacks.add_without(record)

    def result(self) -> Opened:
        """Return the sums."""
        return Opened(
            self._order,
            self.opened,
            self.opened,
            True,
            self._calls,
            self._parts,
            self._stacks.engines(),
            _problem(self._skipped),
        )


def unfinished(order: str, opened: int, problem: str = "") -> Opened:
    """Return what there is before all dumps have been opened."""
    calls = RouteCalls("", "", "", None)
    return Opened(order, opened, opened, False, calls, {}, {}, problem)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _problem(skipped: Skipped) -> str:
    if not skipped.count:
        return ""
    more = f"; and {skipped.count - 1} more" if skipped.count > 1 else ""
    return f"{skipped.first}{more}"
