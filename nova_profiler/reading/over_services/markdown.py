# SPDX-License-Identifier: Apache-2.0
"""The records of one request for a bug report or a merge request."""

from __future__ import annotations

from nova_profiler.reading.over_services.notes import (
    clock_sentences,
    doubt_sentences,
)
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.rows import rows_of
from nova_profiler.reading.over_services.words import (
    named,
    seconds_text,
)
from nova_profiler.reading.screen.markdown_cells import (
    quoted,
    table_of,
)

_MOST_ROWS = 60


def picture_lines(picture: Picture) -> list[str]:
    """Return a table of the records, and notes on their clocks."""
    rows = rows_of(picture)
    table = [
        (
            picture.names[row.place],
            f"{'- ' * row.depth}{_count(len(row.places))}"
            f"{named(picture.served[row.place])}"
            f"{' (!)' if row.doubt else ''}",
            seconds_text(picture.moments[row.place].arrived),
            seconds_text(row.seconds),
        )
        for row in rows[:_MOST_ROWS]
    ]
    lines = [table_of(["service", "what", "arrived", "at work"], table, 2)]
    if rows[_MOST_ROWS:]:
        lines += ["", f"and {len(rows) - _MOST_ROWS} more"]
    for note in [*clock_sentences(picture), *doubt_sentences(picture)]:
        lines += ["", quoted(note)]
    return lines


def _count(count: int) -> str:
    return f"{count} x " if count > 1 else ""
