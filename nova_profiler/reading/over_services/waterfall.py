# SPDX-License-Identifier: Apache-2.0
"""The waterfall on a terminal: a line for each record, and its main calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.rows import (
    AT_WORK,
    CRITICAL,
    IN_LINE,
    ON_THE_WAY,
    WAITS,
    CallRow,
    Row,
    Span,
    rows_of,
)
from nova_profiler.reading.over_services.words import named, seconds_text
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    WARNING,
    printable,
    safe,
    speaks_unicode,
)
from nova_profiler.record import OK

_MOST_ROWS = 40
_CELLS = {
    ON_THE_WAY: "░",
    IN_LINE: "▒",
    AT_WORK: "▓",
    WAITS: "─",
    CRITICAL: "█",
}
_ASCII = {
    ON_THE_WAY: ".",
    IN_LINE: ":",
    AT_WORK: "=",
    WAITS: "-",
    CRITICAL: "#",
}
_CALL, _ASCII_CALL = "▂", "_"
_MEANINGS = (
    (CRITICAL, "critical path"),
    (AT_WORK, "other work"),
    (WAITS, "waits for an answer"),
    (IN_LINE, "in line for a worker"),
    (ON_THE_WAY, "on the way"),
)
# Of the width, for names and bars; times have the rest.
_NAMES = 0.48
_WIDEST_NAME = 56
_TIME = 9
_LEAST_CELLS = 10
_FURTHEST_IN = 5


class Scale:
    """From moments to cells of a line."""

    def __init__(self, begin: float, end: float, cells: int) -> None:
        self.begin = begin
        self.cells = cells
        self._each = max(1e-9, (end - begin) / cells)

    def first(self, moment: float) -> int:
        """Return the cell that has *moment* in it."""
        cell = (moment - self.begin) / self._each
        return int(min(max(cell, 0.0), self.cells - 1))

    def within(self, start: float, end: float) -> range:
        """Return the cells whose middle lies in this time."""
        first = (start - self.begin) / self._each + 0.5
        last = (end - self.begin) / self._each + 0.5
        return range(
            int(min(max(first, 0.0), self.cells)),
            int(min(max(last, 0.0), self.cells)),
        )


def waterfall(
    console: Console,
    picture: Picture,
    styles: dict[str, str],
    width: int,
    full: bool,
) -> list[RenderableType]:
    """Return the lines of the picture, its scale, and what its signs mean."""
    rows = rows_of(picture, full)
    names = min(_WIDEST_NAME, int(width * _NAMES))
    cells = max(_LEAST_CELLS, width - names - _TIME - 2)
    scale = Scale(picture.begin, picture.end, cells)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, width=names)
    grid.add_column(no_wrap=True, width=cells)
    grid.add_column(no_wrap=True, justify="right", width=_TIME)
    signs = _CELLS if speaks_unicode(console) else _ASCII
    mark = _CALL if speaks_unicode(console) else _ASCII_CALL
    shown = rows if full else _most_important(rows)
    for row in shown:
        style = styles[picture.names[row.place]]
        grid.add_row(
            _name(picture, row, style, names),
            Text(_cells(row.spans, scale, signs), style=style),
            seconds_text(row.seconds),
        )
        for call in row.calls:
            grid.add_row(
                _call_name(call, row.depth + 1, names),
                Text(_call_cells(call, scale, mark), style=FAINT),
                Text(seconds_text(call.seconds), style=FAINT),
            )
    grid.add_row("", *_axis(picture, scale))
    parts: list[RenderableType] = [grid]
    if rows[len(shown) :]:
        parts.append(
            Text(f"and {len(rows) - len(shown)} shorter rows", style=FAINT)
        )
    parts.append(_legend(signs))
    return parts


def _most_important(rows: Sequence[Row]) -> list[Row]:
    """Return the rows to show: those with most time, where they stand."""
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    ranked = sorted(
        range(len(rows)),
        key=lambda place: (bool(rows[place].depth), -rows[place].seconds),
    )
    kept = sorted(ranked[:_MOST_ROWS])
    return [rows[place] for place in kept]


def _name(picture: Picture, row: Row, style: str, width: int) -> Text:
    one = picture.served[row.place]
    text = Text(" " * min(row.depth, _FURTHEST_IN))
    if row.doubt:
        text.append("! ", style=WARNING)
    text.append(printable(picture.names[row.place], 60), style=style)
    count = f" {len(row.places)} x" if len(row.places) > 1 else ""
    text.append(f"{count} {named(one)}")
    if one.outcome not in (OK, ""):
        text.append(f" {printable(one.outcome, 20)}", style=BAD)
    text.truncate(width, overflow="ellipsis")
    return text


def _call_name(call: CallRow, depth: int, width: int) -> Text:
    count = f"{call.count} x " if call.count > 1 else ""
    text = safe(f"{' ' * min(depth, _FURTHEST_IN)}  {count}{call.text}", FAINT)
    text.truncate(width, overflow="ellipsis")
    return text


def _cells(spans: Iterable[Span], scale: Scale, signs: dict[int, str]) -> str:
    """Return the line of a record: what has most importance in each cell."""
    levels = [-1] * scale.cells
    for start, end, level in sorted(spans, key=lambda span: span[2]):
        own = scale.within(start, end)
        for cell in own:
            levels[cell] = level
        if not own and level in (AT_WORK, CRITICAL):
            # Short work is to be seen, too.
            cell = scale.first(start)
            if levels[cell] in (-1, ON_THE_WAY, IN_LINE, AT_WORK):
                levels[cell] = level
    return "".join(signs.get(level, " ") for level in levels).rstrip()


def _call_cells(call: CallRow, scale: Scale, sign: str) -> str:
    filled: set[int] = set()
    for start, end in call.spans:
        filled.update(scale.within(start, end) or (scale.first(start),))
    return "".join(
        sign if cell in filled else " " for cell in range(scale.cells)
    ).rstrip()


def _axis(picture: Picture, scale: Scale) -> tuple[Text, str]:
    """Return the scale, with the moment of the answer marked."""
    line = [" "] * scale.cells
    answer = picture.moments[picture.root].ended
    _write(line, scale.first(0.0), "0")
    if picture.until_done is not None:
        at = scale.first(answer)
        label = f"^ answered {seconds_text(answer)}"
        if at + len(label) > scale.cells:
            label = f"answered {seconds_text(answer)} ^"
            at -= len(label) - 1
        _write(line, at, label)
    return Text("".join(line).rstrip(), style=FAINT), seconds_text(picture.end)


def _write(line: list[str], at: int, text: str) -> None:
    for number, letter in enumerate(text, max(0, at)):
        if number < len(line):
            line[number] = letter


def _legend(signs: dict[int, str]) -> Text:
    words = [f"{signs[level]} {meaning}" for level, meaning in _MEANINGS]
    return Text("  ".join(words), style=FAINT)
