# SPDX-License-Identifier: Apache-2.0
"""The rows of dumps, logs and histories, held as columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from nova_profiler.dump_store import DumpEntry
    from nova_profiler.reading.logs.files.sources import Source as LogFile
    from nova_profiler.web.rows import Row
    from nova_profiler.web.tables.columns import Columns


class State(NamedTuple):
    """How far a source is.

    ``read`` of its rows are known in full. ``left_out`` are beyond what there
    is room for. ``activity`` is what goes on, in words; empty for nothing.
    """

    named: bool = False
    read: int = 0
    left_out: int = 0
    problems: tuple[str, ...] = ()
    activity: str = ""


class Held(NamedTuple):
    """The rows of a source, newest first.

    ``place_of`` returns the key of a row by its number, and its dump if it
    is one.
    """

    columns: Columns
    place_of: Callable[[int], tuple[str, DumpEntry | None]]


class Source(Protocol):
    """What rows come from; one thread calls look_up() and read_on().

    ``title`` is its folder or file, as a person knows it. ``version`` is
    another number whenever the rows are others. What cannot be read is a
    problem of ``state``: neither function raises for files.
    """

    title: str
    version: int
    state: State

    def look_up(self, room: int) -> None:
        """Find out what there is now, at most *room* rows."""

    def read_on(self) -> None:
        """Read what has been found and is not known yet."""

    def held(self) -> Held:
        """Return the rows that there are now."""

    def find(self, key: str) -> tuple[Held, int] | None:
        """Return rows and the number of the one that *key* means."""

    def logs(self, row: Row) -> tuple[list[LogFile], list[str]]:
        """Return the logs with a row's lines, and what a command names.

        The files are those that can be searched; a history has none, but
        knows which logs it was made of.
        """
