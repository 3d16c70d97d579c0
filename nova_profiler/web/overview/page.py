# SPDX-License-Identifier: Apache-2.0
"""The overview in HTML: what is slow, when, and since what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.page_colors import class_of
from nova_profiler.reading.screen.terminal import time_text
from nova_profiler.web.choice import KIND_NAMES, Choice
from nova_profiler.web.index import Progress
from nova_profiler.web.overview.figures import Overview, label_of
from nova_profiler.web.overview.heat_map import Cell, HeatMap, axis_times
from nova_profiler.web.rows import Row
from nova_profiler.web.scripts import start_of

_MAP_ROW = 18
# More are narrow; a pointer on a bar has the names of all.
_MOST_IN_KEY = 10


class _Drawn(NamedTuple):
    """A cell's box in shares of the width and in rows, and its words."""

    left: float
    width: float
    top: int
    level: int
    is_slow: bool
    words: str
    link: str


def page_of(overview: Overview, progress: Progress, home: str) -> str:
    """Return the page, whose address is *home*.

    Raises NovaProfilerError without Jinja2.
    """
    return rendered_still(
        "overview.html",
        start_of(home),
        view=overview,
        choice=overview.choice,
        kinds=KIND_NAMES,
        none_of=Choice._field_defaults,
        progress=progress,
        map=_map(overview),
        row_height=_MAP_ROW,
        class_of=class_of,
        label_of=label_of,
        spark=_spark,
        time_text=time_text,
        stripes=_stripes,
        parts_key=_parts_key(overview.requests),
        sort_link=_sort_link,
        differ_link=_differ_link,
    )


def _map(overview: Overview) -> dict[str, Any] | None:
    grid = overview.heat_map
    if grid is None:
        return None
    steps = len(grid.edges_ms)
    slow_step = sum(edge <= overview.slow_ms for edge in grid.edges_ms)
    return {
        "steps": steps,
        "edges": list(enumerate(grid.edges_ms)),
        "area": grid,
        "slow_top": steps - slow_step if 0 < slow_step < steps else None,
        "cells": [
            _drawn(grid, cell, overview.choice, overview.slow_ms)
            for cell in grid.cells
        ],
        "times": axis_times(grid.start_ms, grid.width_ms, grid.columns),
    }


def _drawn(
    grid: HeatMap, cell: Cell, choice: Choice, slow_ms: float
) -> _Drawn:
    since, until = grid.since(cell.column), grid.since(cell.column + 1)
    low, high = grid.low_ms(cell.step), grid.edges_ms[cell.step]
    return _Drawn(
        cell.column / grid.columns,
        1 / grid.columns,
        len(grid.edges_ms) - 1 - cell.step,
        cell.level,
        low >= slow_ms,
        f"{cell.requests} took {low:g} to {high:g} ms, "
        f"{time_text(since)} to {until[11:23]}",
        choice.link(since=since, until=until, min_ms=low, max_ms=high),
    )


def _spark(counts: Sequence[int]) -> str:
    """Return the points of a line over *counts*, in a box of 96 by 16."""
    most = max(counts, default=0) or 1
    step = 96 / max(1, len(counts) - 1)
    return " ".join(
        f"{place * step:.1f},{15 - 14 * count / most:.1f}"
        for place, count in enumerate(counts)
    )


def _stripes(
    parts: Sequence[tuple[str, float]], duration_ms: float
) -> list[tuple[str, float, float, str]]:
    """Return the parts of one bar: class, left and width as shares, words."""
    whole = max(duration_ms, sum(ms for _, ms in parts), 1e-3)
    left = 0.0
    found = []
    for name, ms in parts:
        width = ms / whole
        words = f"{label_of(name)} {ms:.1f} ms"
        found.append((class_of(name), left, width, words))
        left += width
    return found


def _parts_key(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Return the class and the name of the parts in bars, largest first."""
    whole: dict[str, float] = {}
    for row in rows:
        for name, ms in row.parts:
            whole[name] = whole.get(name, 0.0) + ms
    names = sorted(whole, key=whole.__getitem__, reverse=True)
    return [(class_of(name), label_of(name)) for name in names[:_MOST_IN_KEY]]


def _sort_link(choice: Choice, name: str) -> str:
    """Return the link of a column's head; once more turns it round."""
    return choice.link(sort=f"-{name}" if choice.sort == name else name)


def _differ_link(choice: Choice, row: dict[str, Any]) -> str:
    return choice.link(**{row["attribute"]: str(row["value"])})
