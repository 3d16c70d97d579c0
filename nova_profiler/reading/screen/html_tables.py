# SPDX-License-Identifier: Apache-2.0
"""Tables of pages: the first rows, the rest folded, bars in their cells.

``tables.html`` draws them. On a narrow screen each row is a block of its
own, and so each cell has its heading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.screen.terminal import printable

# Of a table on a page, the folded rows included; a page has few tables.
MOST_ROWS = 500
# The name of a function or a route is shorter.
_LONGEST_CELL = 300
_FIRST_ROWS = 15

BAR, DOT, LINE = "bar", "dot", "line"


class Mark(NamedTuple):
    """A part of a picture in a cell: shares of its width; *kind* a class.

    Of *shape* BAR, DOT or LINE; a bar is ``height`` pixels high of 14.
    """

    shape: str
    left: float
    width: float = 0.0
    kind: str = ""
    height: float = 14.0


class Tick(NamedTuple):
    """A label of a picture's axis: a share of its width."""

    left: float
    label: str


class Head(NamedTuple):
    """A heading; a number's column has one unit, which is in its text.

    ``is_name``: of what the row is about; long names are broken anywhere.
    """

    text: str
    is_number: bool = False
    is_name: bool = False
    ticks: Sequence[Tick] = ()


class Cell(NamedTuple):
    """A text, a picture, or both; *kind* is a class."""

    text: str = ""
    kind: str = ""
    marks: Sequence[Mark] = ()


class Table(NamedTuple):
    """What ``tables.html`` draws; *anchor* is its place in the page."""

    title: str
    anchor: str
    heads: Sequence[Head]
    first: Sequence[Sequence[Cell]]
    rest: Sequence[Sequence[Cell]]
    left_out: int
    note: str


def table_of(
    title: str,
    anchor: str,
    heads: Sequence[Head],
    rows: Sequence[Sequence[str | Cell]],
    *,
    first: int = _FIRST_ROWS,
    left_out: int = 0,
    note: str = "",
) -> Table:
    """Return a table with *first* rows in sight and the others folded.

    *left_out* rows are not among them. A column without a value is left out.
    """
    made = [[_cell(cell) for cell in row] for row in rows[:MOST_ROWS]]
    used = [
        place
        for place, head in enumerate(heads)
        if any(row[place].text or row[place].marks for row in made)
    ]
    heads = [heads[place] for place in used]
    made = [[row[place] for place in used] for row in made]
    # A fold for a row or two is longer than they are.
    if len(made) - first <= 2:
        first = len(made)
    return Table(
        title,
        anchor,
        heads,
        made[:first],
        made[first:],
        left_out + len(rows[MOST_ROWS:]),
        note,
    )


def _cell(cell: str | Cell) -> Cell:
    if isinstance(cell, str):
        cell = Cell(cell)
    return cell._replace(text=printable(cell.text, _LONGEST_CELL))
