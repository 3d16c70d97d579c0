# SPDX-License-Identifier: Apache-2.0
"""Finds the damaged ones of several runs, so that the others are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nova_profiler.reading.runs.kept.engines import (
    Rows,
    first_line,
    requests_of,
    rows_of,
)
from nova_profiler.reading.runs.kept.queries import impossible, levels
from nova_profiler.reading.runs.kept.run import HistoryError, Run
from nova_profiler.reading.runs.kept.schema import IMPOSSIBLE_TIME

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

_NAMELESS = "a request without a method or a route"


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
        broken = hostile(backend, directory, runs)
        rows, sound = _levels_without(backend, directory, runs, broken)
    except HistoryError:
        raise
    except Exception:
        # Each engine has error classes of its own.
        broken = damaged(backend, directory, runs)
        if not broken:
            raise
        rows, sound = _levels_without(backend, directory, runs, broken)
    unreadable.extend(broken.values())
    return rows, sound


def hostile(
    backend: BaseBackend, directory: Path | str, runs: Sequence[Run]
) -> dict[str, str]:
    """Return the error of each run with values that no run keeps, by name.

    It is one query of all runs, by any engine. What cannot be read at all
    raises an error of the engine.
    """
    requests = requests_of(backend, directory, runs)
    _check_kinds(requests)
    return {
        row["run"]: _line(
            row["run"], IMPOSSIBLE_TIME if row["times"] else _NAMELESS
        )
        for row in rows_of(impossible(requests))
    }


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
            broken = hostile(backend, directory, [run])
            if not broken:
                _levels(backend, directory, [run])
        except HistoryError:
            # Of the place, which is that of all runs.
            raise
        except Exception as exc:
            broken = {run.name: _line(run.name, first_line(exc))}
        found.update(broken)
    return found


def _line(name: str, why: str) -> str:
    return f"run {name}: is damaged: {why}"


def _check_kinds(requests: ir.Table) -> None:
    """Raise TypeError where a column is of another kind than is kept.

    A route that is a number has no order beside one that is a text.
    """
    kinds = {name: requests[name].type() for name in requests.columns}
    for name in ("method", "route"):
        if not kinds[name].is_string():
            raise TypeError(f"{name} is no text")
    if not kinds["ms"].is_floating() or not kinds["status"].is_integer():
        raise TypeError("ms or status is no number")


def _levels_without(
    backend: BaseBackend,
    directory: Path | str,
    runs: Sequence[Run],
    broken: Mapping[str, str],
) -> tuple[Rows, Sequence[Run]]:
    sound = [run for run in runs if run.name not in broken]
    if not sound:
        raise HistoryError("; ".join(broken.values()))
    return _levels(backend, directory, sound), sound


def _levels(
    backend: BaseBackend, directory: Path | str, runs: Sequence[Run]
) -> Rows:
    return rows_of(levels(requests_of(backend, directory, runs)))
