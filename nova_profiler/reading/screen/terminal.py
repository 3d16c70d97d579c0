# SPDX-License-Identifier: Apache-2.0
"""Terminals: their width, safe text, numbers, bars."""

from __future__ import annotations

import os
import sys

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

# A pipe has no width; the program behind it wants whole lines.
_PIPE_WIDTH = 120
_WIDEST_PAGE = 120
_LONGEST_TEXT = 600
# Of a part in a pipe; a statement that a record holds is shorter.
_WIDEST_PART = 100_000

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = " ▁▂▃▄▅▆▇█"
_ASCII_HEIGHTS = " .:-=+*%#"

HEADING = "bold"
FAINT = "dim"
BAD = "bold red"
WARNING = "yellow"


def terminal() -> Console:
    """Return standard output as a console; without colours if no terminal."""
    width = None
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        width = _width_behind_a_pipe()
    return Console(
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def _width_behind_a_pipe() -> int:
    """Return the width for bars and sentences that go into a pipe.

    Where a person watches, as behind ``| less``, no line is longer than the
    screen because of them.
    """
    watched = sys.__stderr__
    try:
        descriptor = -1 if watched is None else watched.fileno()
        columns = os.get_terminal_size(descriptor).columns
    except (OSError, ValueError):
        return _PIPE_WIDTH
    return min(columns, _PIPE_WIDTH) if columns > 0 else _PIPE_WIDTH


def page_width(console: Console) -> int:
    """Return the width of a page, which leaves a wide screen partly empty."""
    return min(console.width, _WIDEST_PAGE)


def printable(text: object, most: int = _LONGEST_TEXT) -> str:
    """Return *text* so that it can neither steer nor flood a terminal.

    Control and formatting characters, such as an escape sequence in a user
    name, become visible replacement characters; a text of more than *most*
    is cut.
    """
    whole = str(text)
    shown = whole[:most]
    if shown.isprintable():
        return shown + ("..." if len(whole) > most else "")
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in shown
    ) + ("..." if len(whole) > most else "")


def safe(text: object, style: str = "") -> Text:
    """Return *text* from a record, printable, its markup as it stands."""
    return Text(printable(text), style=style)


def ms_text(ms: float, digits: int = 1) -> str:
    """Return milliseconds for a column.

    Less than nothing, as a difference of rounded sums may be, is no ``-0.0``.
    """
    return f"{round(ms, digits) + 0.0:.{digits}f}"


def share_text(share: float | None) -> str:
    """Return a share in per cent, empty for None."""
    return "" if share is None else f"{100 * share:.1f} %"


def counted(number: int, noun: str) -> str:
    """Return ``1 sample`` or ``2 samples``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def time_text(started_at: str) -> str:
    """Return *started_at* to the millisecond, without the time zone."""
    return started_at[:23].replace("T", " ")


def bytes_text(size: float) -> str:
    """Return a size in the unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return (
                f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
            )
        size /= 1024
    return f"{size:.1f} GiB"


def bar(console: Console, share: float, width: int, style: str) -> Text:
    """Return a bar of *share* of *width*, to an eighth of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if not speaks_unicode(console):
        return Text("#" * (eighths // 8), style=style)
    full, rest = divmod(eighths, 8)
    return Text("█" * full + _EIGHTHS[rest].strip(), style=style)


def heights(console: Console, shares: list[float], style: str) -> Text:
    """Return one cell for each share, filled as high as the share is."""
    glyphs = _HEIGHTS if speaks_unicode(console) else _ASCII_HEIGHTS
    return Text(
        "".join(
            # A share above nothing has to be visible.
            glyphs[max(1, min(8, round(share * 8)))] if share > 0 else " "
            for share in shares
        ),
        style=style,
    )


def speaks_unicode(console: Console) -> bool:
    """Return whether block characters can be written."""
    return console.encoding.lower().startswith("utf")


def plain_table(gap: int = 2) -> Table:
    """Return a table without lines, its heading faint."""
    return Table(
        box=None,
        pad_edge=False,
        padding=(0, gap, 0, 0),
        header_style=FAINT,
        show_edge=False,
        collapse_padding=True,
    )


def has_width(console: Console) -> bool:
    """Return whether lines have a width: a terminal's, or COLUMNS."""
    return console.is_terminal or bool(os.environ.get("COLUMNS"))


def print_part(
    console: Console, part: RenderableType, width: int | None = None
) -> None:
    """Print *part*, at most *width* wide if the console has a width.

    Into a pipe its names go whole, for searches, and lines have no blanks
    at their ends.
    """
    if has_width(console):
        console.print(part, width=width)
        return
    options = console.options.update(max_width=_WIDEST_PART)
    needed = Measurement.get(console, options, part).maximum
    for line in console.render_lines(
        part, options.update_width(needed), pad=False
    ):
        text = "".join(segment.text for segment in line)
        console.print(Text(text.rstrip()), soft_wrap=True)
