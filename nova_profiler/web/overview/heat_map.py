# SPDX-License-Identifier: Apache-2.0
"""Latency over time as a grid: how many requests took how long, and when."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nova_profiler.reading.screen.terminal import time_text
from nova_profiler.web.rows import Row, time_of
from nova_profiler.web.tables.table import Table

COLUMNS = 60
MOST_STEPS = 18
# Steps of a decade; the ends of each row of the grid.
_STEPS = (1.0, 2.0, 5.0)
# Widths of a column, in milliseconds, that a person can read off.
_DAY_MS = 86_400_000
_WIDTHS_MS = (
    *(1, 10, 100, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000),
    *(120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000),
    *(10_800_000, 21_600_000, 43_200_000, _DAY_MS),
)

_TIMES_SHOWN = 4
# Where the last moment of an axis may begin, as a share of the width.
_LAST_TIME = 0.8
_LAST_DAY = 0.75


class Cell(NamedTuple):
    """Requests of one column and step; ``level`` is 1 to 5, few to many."""

    column: int
    step: int
    requests: int
    level: int


class HeatMap(NamedTuple):
    """The grid: ``edges_ms`` are the ends of its steps, lowest first.

    Each column begins ``width_ms`` after the one before it; the first one at
    ``start_ms``, in milliseconds since 1970.
    """

    start_ms: int
    width_ms: int
    columns: int
    edges_ms: list[float]
    cells: list[Cell]

    def since(self, column: int) -> str:
        """Return when a column begins, as a URL has it."""
        return time_of(self.start_ms + column * self.width_ms)

    def low_ms(self, step: int) -> float:
        """Return what requests of a step took at least."""
        return self.edges_ms[step - 1] if step else 0.0


def axis_times(
    start_ms: int, width_ms: int, columns: int
) -> list[tuple[float, str]]:
    """Return up to four moments to write below *columns*.

    Each has its place as a share of the width. None is so far to the right
    that a narrow screen cuts its text.
    """
    with_day = width_ms * columns > _DAY_MS
    last = (_LAST_DAY if with_day else _LAST_TIME) * columns
    found = []
    for column in range(0, columns, math.ceil(columns / _TIMES_SHOWN)):
        if column <= last:
            text = time_text(time_of(start_ms + column * width_ms))
            short = text[5:16] if with_day else text[11:19]
            found.append((column / columns, short))
    return found


def heat_map_of(rows: Iterable[Row]) -> HeatMap | None:
    """Return the grid of *rows*; None of none."""
    table = Table.of(rows)
    table = table.chosen(table.column("epoch_ms") != 0)
    if not len(table):
        return None
    # Whole milliseconds, which names of dumps have: floats would put what is
    # at a border on the other side.
    at, took = table.column("epoch_ms"), table.column("duration_ms")
    first, last = int(at.min()), int(at.max())
    width = width_of(last - first)
    start = first // width * width
    columns = (last - start) // width + 1
    edges = _edges_of(float(took.min()), float(took.max()))
    steps = np.searchsorted(edges[:-1], took, side="right")
    counts = np.bincount((at - start) // width * len(edges) + steps)
    most = int(counts.max())
    cells = [
        Cell(*divmod(place, len(edges)), count, _level(count, most))
        for place, count in enumerate(counts.tolist())
        if count
    ]
    return HeatMap(start, width, columns, edges, cells)


def width_of(span_ms: int) -> int:
    """Return a width for which COLUMNS are enough.

    One less counts: the first column begins before the first request.
    """
    for width in _WIDTHS_MS:
        if span_ms <= width * (COLUMNS - 1):
            return width
    # Whole days; a dump of a wrong clock makes the span long.
    return -(-span_ms // (COLUMNS - 1) // _DAY_MS) * _DAY_MS


def _edges_of(shortest_ms: float, longest_ms: float) -> list[float]:
    """Return the ends of the steps, the last one above *longest_ms*."""
    edges = [
        step * 10.0**decade for decade in range(-1, 16) for step in _STEPS
    ]
    last = min(bisect_right(edges, longest_ms), len(edges) - 1)
    first = min(bisect_right(edges, max(0.0, shortest_ms)), last)
    return edges[max(first, last - MOST_STEPS + 1) : last + 1]


def _level(count: int, most: int) -> int:
    """Return 1 to 5 on a scale of logarithms, which keeps few visible."""
    if most <= 1:
        return 5
    return 1 + round(4 * math.log(count) / math.log(most))
