# SPDX-License-Identifier: Apache-2.0
"""Tables that fit a terminal: names are narrowed, then columns left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nova_profiler.reading.screen.terminal import (
    FAINT,
    has_width,
    page_width,
    plain_table,
    print_part,
)

_GAP = 2
# For a pipe, which gets whole names; only a hostile name is longer.
_UNLIMITED = 10_000
_WIDEST = 400


class Column(NamedTuple):
    """A column, and how it gives way where the page is too narrow.

    Columns give way in the order of ``gives``, those with 0 never. A column
    with ``least`` is narrowed to ``ease``, then to ``least``; its cells are
    folded if ``folds``, or else cut. Other columns are left out. ``drawn``
    makes the cells for a width of at most ``most``: bars.
    """

    heading: str = ""
    cells: Sequence[Text] = ()
    right: bool = False
    gives: int = 0
    least: int = 0
    ease: int = 0
    folds: bool = False
    drawn: Callable[[int], Sequence[Text]] | None = None
    most: int = 0

    @property
    def whole(self) -> int:
        """Return the width at which nothing is cut."""
        longest = max((cell.cell_len for cell in self.cells), default=0)
        return min(_WIDEST, max(len(self.heading), self.most, longest, 1))


def figures_column(
    heading: str, cells: Sequence[str], gives: int = 0
) -> Column:
    """Return a column of figures, or of words that stand as these do."""
    return Column(heading, list(map(Text, cells)), right=True, gives=gives)


class Fitted(NamedTuple):
    """The widths of the columns to show, by number, and the other names."""

    widths: dict[int, int]
    left_out: list[str]


def fitted(columns: Sequence[Column], room: int) -> Fitted:
    """Return how *columns* share *room*."""
    widths = {
        number: min(column.whole, column.ease or column.whole)
        for number, column in enumerate(columns)
    }
    turns = sorted(
        (number for number in widths if columns[number].gives),
        key=lambda number: columns[number].gives,
    )
    for number in turns:
        if _width_of(widths) <= room:
            break
        if columns[number].least:
            widths[number] = min(widths[number], columns[number].least)
        else:
            del widths[number]
    left_out = [
        column.heading
        for number, column in enumerate(columns)
        if number not in widths and column.heading
    ]
    spare = room - _width_of(widths)
    for number, width in widths.items():
        more = max(0, min(spare, columns[number].whole - width))
        widths[number] += more
        spare -= more
    return Fitted(widths, left_out)


def _width_of(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * max(0, len(widths) - 1)


def print_fitted(
    console: Console, columns: Sequence[Column], indent: int = 0
) -> list[str]:
    """Print *columns*; return the headings of those left out for room.

    A page too narrow for the least gets longer lines, which its terminal
    breaks and does not cut.
    """
    is_seen = has_width(console)
    room = page_width(console) - indent if is_seen else _UNLIMITED
    widths, left_out = fitted(columns, room)
    options = console.options.update_width(_width_of(widths))
    table = _table_of(columns, widths)
    for cells in console.render_lines(table, options, pad=False):
        line = Text(" " * indent)
        for segment in cells:
            line.append(segment.text, segment.style)
        line.rstrip()
        console.print(line, soft_wrap=True)
    return left_out


def print_left_out(
    console: Console, left_out: Sequence[str], indent: int = 0
) -> None:
    """Print the names of columns that are not shown, if there are any."""
    if left_out:
        names = ", ".join(left_out)
        words = Text(f"left out for room: {names}; --json has all", FAINT)
        padded = Padding(words, (0, 0, 0, indent), expand=False)
        print_part(console, padded, page_width(console))


def _table_of(columns: Sequence[Column], widths: dict[int, int]) -> Table:
    table = plain_table(_GAP)
    table.show_header = any(columns[number].heading for number in widths)
    cells = []
    for number, width in widths.items():
        column = columns[number]
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
            width=width,
        )
        drawn = column.drawn
        cells.append(column.cells if drawn is None else drawn(width))
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table
