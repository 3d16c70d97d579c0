# SPDX-License-Identifier: Apache-2.0
"""The end of a followed request's page: who held the time, and when."""

from __future__ import annotations

import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nova_profiler.reports.follow_gaps import ARROW
from nova_profiler.reports.follow_rows import Row
from nova_profiler.reports.follow_story import Held, Story
from nova_profiler.reports.terminal import (
    FAINT,
    WARNING,
    bar,
    heights,
    ms_text,
    plain_table,
    printable,
    safe,
    share_text,
    speaks_unicode,
)

_LONGEST_SERVICE = 32
_SHORT = 60
_WIDEST_BAR = 30
# Three columns of figures, and the gaps between all.
_BESIDE_BAR = 36
_INSTANCE = re.compile(r"\A\[instance: [^]]{1,64}\] ")


def held_table(
    console: Console, story: Story, styles: dict[str, str], width: int
) -> Table:
    """Return a row for each holder, the longest first."""
    table = plain_table()
    table.add_column("service", no_wrap=True)
    for heading in ("held ms", "share", "lines"):
        table.add_column(heading, justify="right", no_wrap=True)
    columns = [
        (heading, cells)
        for heading, cells in (
            ("DB API", [_calls_text(a.db_calls, a.db_ms) for a in story.held]),
            ("RPC", [_calls_text(a.rpc_calls, a.rpc_ms) for a in story.held]),
        )
        if any(cells)
    ]
    for heading, cells in columns:
        table.add_column(heading, justify="right", no_wrap=True)
        width -= max(map(len, cells)) + 2
    table.add_column("", no_wrap=True)
    width -= max((len(one.holder) for one in story.held), default=0)
    room = max(1, min(_WIDEST_BAR, width - _BESIDE_BAR))
    longest = max((one.share for one in story.held), default=0.0) or 1.0
    for number, one in enumerate(story.held):
        style = styles.get(one.holder, WARNING)
        table.add_row(
            safe(one.holder, style),
            ms_text(one.ms),
            share_text(one.share),
            str(one.lines or ""),
            *(cells[number] for _, cells in columns),
            bar(console, one.share / longest, room, style),
        )
    return table


def notes_of(story: Story) -> list[Text]:
    """Return the largest gap, and what must be known to read the rest."""
    notes = []
    largest = story.largest_gap
    if largest is not None:
        notes.append(
            Text.assemble(
                "Largest gap: ",
                (f"{ms_text(largest.ms)} ms", "bold"),
                " in " if not largest.is_handover else " between ",
                (printable(largest.holder.replace(ARROW, " and ")), "bold"),
                ", after: ",
                safe(short_text(story.rows[largest.row])),
            )
        )
    if any(one.is_handover for one in story.held):
        notes.append(
            Text(
                "between: on the way, or at work without a line of its own; "
                "the logs do not tell which",
                style=FAINT,
            )
        )
    for skew in story.skews:
        notes.append(
            safe(
                f"Clocks: {skew.service} seems {ms_text(skew.ms)} ms or more "
                f"behind {skew.other}: {skew.why}",
                WARNING,
            )
        )
    if story.request.lines_left_out:
        notes.append(
            safe(
                f"{story.request.lines_left_out} lines more were found and "
                f"left out",
                WARNING,
            )
        )
    return notes


def held_picture(
    console: Console, story: Story, styles: dict[str, str], width: int
) -> Table:
    """Return a line a service: how much of each moment it held."""
    names = [one for one in story.held if not one.is_handover]
    room = max((len(one.holder) for one in names), default=0)
    cells = max(20, width - min(room, _LONGEST_SERVICE) - 6)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, max_width=_LONGEST_SERVICE)
    grid.add_column(no_wrap=True)
    edge = "▕" if speaks_unicode(console) else "|"
    for one in names:
        style = styles.get(one.holder, WARNING)
        shares = held_shares(one, story.ms / 1000, cells)
        picture = heights(console, shares, style)
        grid.add_row(
            safe(one.holder, style), picture.append(edge, style=FAINT)
        )
    end = f"{ms_text(story.ms)} ms"
    grid.add_row("", Text("0" + end.rjust(cells - 1), style=FAINT))
    return grid


def short_text(row: Row) -> str:
    """Return enough of a row's text to know the line by it."""
    text = _INSTANCE.sub("", row.text)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def held_shares(one: Held, whole_s: float, cells: int) -> list[float]:
    """Return for each cell the part of its time that *one* held."""
    shares = [0.0] * cells
    cell_s = whole_s / cells
    for start, end in one.spans:
        first = min(cells - 1, int(start / cell_s))
        last = min(cells - 1, int(end / cell_s))
        for cell in range(first, last + 1):
            inside = min(end, (cell + 1) * cell_s) - max(start, cell * cell_s)
            shares[cell] += max(0.0, inside) / cell_s
    return shares


def _calls_text(calls: int, ms: float) -> str:
    return f"{calls} in {ms_text(ms)} ms" if calls else ""
