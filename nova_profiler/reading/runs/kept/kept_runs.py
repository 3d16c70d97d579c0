# SPDX-License-Identifier: Apache-2.0
"""What every place of kept runs can do: a directory, an object store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.runs.kept.run import Run


class KeptRuns(Protocol):
    """Runs below one place; any method may raise HistoryError."""

    @property
    def directory(self) -> Path | str:
        """Return the place: the URL of an object store is a text."""

    def runs(self, unreadable: list[str] | None = None) -> list[Run]:
        """Return the runs, oldest first.

        *unreadable* gets a line about each run that cannot be read.
        """

    def names(self) -> list[str]:
        """Return the names of all runs, also of those that cannot be read."""

    def has(self, name: str) -> bool:
        """Return whether a run is kept under *name*."""

    def run(self, name: str) -> Run:
        """Return the run *name*."""

    def add(
        self,
        name: str,
        entries: Iterable[AccessEntry],
        sources: Sequence[str] = (),
        *,
        replace: bool = False,
    ) -> tuple[Run, int]:
        """Keep *entries* as the run *name*.

        Returns the run, and how many entries were left out because their
        time cannot be counted.
        """

    def remove(self, name: str) -> None:
        """Remove the run *name*, also one that cannot be read."""
