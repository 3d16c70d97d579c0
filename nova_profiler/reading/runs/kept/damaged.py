# SPDX-License-Identifier: Apache-2.0
"""Finds the damaged run after an engine failed to read several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nova_profiler.reading.runs.kept.engines import (
    Rows,
    first_line,
    requests_of,
    rows_of,
)
from nova_profiler.reading.runs.kept.queries import levels
from nova_profiler.reading.runs.kept.run import HistoryError, Run

if TYPE_CHECKING:
    from ibis.backends import BaseBackend


def levels_of_sound(
    backend: BaseBackend,
    directory: Path | str,
    runs: Sequence[Run],
    unreadable: list[str],
) -> tuple[Rows, Sequence[Run]]:
    """Return the levels of the sound ones of *runs*, and these runs.

    *unreadable* gets a line about each damaged one.
    """
    try:
        return _levels(backend, directory, runs), runs
    except Exception:
        # Each engine has error classes of its own.
        broken = damaged(backend, directory, runs)
        if not broken:
            raise
    sound = [run for run in runs if run.name not in broken]
    if not sound:
        raise HistoryError("; ".join(broken.values()))
    unreadable.extend(broken.values())
    return _levels(backend, directory, sound), sound


def damaged(
    backend: BaseBackend, directory: Path | str, runs: Sequence[Run]
) -> dict[str, str]:
    """Return the error of each run that cannot be read, by name.

    DuckDB reads each run alone. Other engines are not asked: one that has
    lost its cluster would make the user wait for every run.
    """
    found: dict[str, str] = {}
    for run in runs if backend.name == "duckdb" else ():
        try:
            _levels(backend, directory, [run])
        except Exception as exc:
            found[run.name] = f"run {run.name}: is damaged: {first_line(exc)}"
    return found


def _levels(
    backend: BaseBackend, directory: Path | str, runs: Sequence[Run]
) -> Rows:
    return rows_of(levels(requests_of(backend, directory, runs)))
