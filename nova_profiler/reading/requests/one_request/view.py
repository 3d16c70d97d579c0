# SPDX-License-Identifier: Apache-2.0
"""How much of a request its page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.screen.terminal import has_width, printable

Row = TypeVar("Row")

# Of a text in full; a statement that a record holds is shorter.
_LONGEST_TEXT = 100_000
# Narrower texts say nothing.
_LEAST = 20


class View(NamedTuple):
    """*width* is the screen's, None in a pipe, where no text is cut.

    *full*: all rows, and whole texts on a screen, too.
    """

    width: int | None
    full: bool

    def shown(
        self, rows: Sequence[Row], most: int
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        """Return the rows to show, *most* of them, and the others."""
        return (rows, ()) if self.full else (rows[:most], rows[most:])

    def text(self, text: str, used: int, lines: int = 1) -> Text:
        """Return *text*, cut to what *lines* have room for.

        *used* is how much of each line other columns have.
        """
        whole = Text(printable(text, _LONGEST_TEXT))
        if self.width is not None and not self.full:
            room = lines * (self.width - used)
            whole.truncate(max(_LEAST, room), overflow="ellipsis")
        return whole


def view_of(console: Console, full: bool) -> View:
    """Return the view that *console* has room for."""
    return View(console.width if has_width(console) else None, full)
