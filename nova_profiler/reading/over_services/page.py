# SPDX-License-Identifier: Apache-2.0
"""The picture of one request for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from nova_profiler.reading.over_services.notes import (
    clock_sentences,
    doubt_sentences,
)
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.waits import waited_of
from nova_profiler.reading.over_services.waterfall import waterfall
from nova_profiler.reading.over_services.words import (
    facts_of,
    first_lines,
    seconds_text,
    wrapped,
)
from nova_profiler.reading.screen.sections import print_sections
from nova_profiler.reading.screen.terminal import (
    FAINT,
    WARNING,
    bar,
    page_width,
    plain_table,
    safe,
    share_text,
)

_MOST_HOLDERS = 10
_MOST_PAIRS = 8
_BAR = 6
STYLES = ("cyan", "green", "magenta", "blue", "yellow", "red")


def print_picture(
    console: Console,
    picture: Picture,
    next_commands: Sequence[str] = (),
    notes: Sequence[str] = (),
    full: bool = False,
) -> None:
    """Print the picture, with *next_commands* at its end."""
    width = page_width(console)
    styles = styles_of(picture)
    title, *lines = first_lines(picture, width)
    for text in wrapped(title, width):
        console.print(safe(text, "bold"))
    for line in [*lines, *facts_of(picture)]:
        for text in wrapped(line, width):
            console.print(safe(text))
    sections: tuple[tuple[str, list[RenderableType]], ...] = (
        (
            "What each service did when",
            waterfall(console, picture, styles, width - 2, full),
        ),
        ("Which service held the time", _held(console, picture, styles, full)),
        ("Which service waited for which", _waited(picture, full)),
        ("Note", [safe(note, WARNING) for note in _notes(picture, notes)]),
    )
    print_sections(console, sections, next_commands, width)


def styles_of(picture: Picture) -> dict[str, str]:
    """Return a colour for each service, in the order of their turn."""
    order = sorted(
        range(len(picture.names)),
        key=lambda place: picture.moments[place].arrived,
    )
    names = dict.fromkeys(picture.names[place] for place in order)
    return {
        name: STYLES[number % len(STYLES)] for number, name in enumerate(names)
    }


def _notes(picture: Picture, notes: Sequence[str]) -> Iterator[str]:
    yield from clock_sentences(picture)
    yield from doubt_sentences(picture)
    yield from notes


def _held(
    console: Console, picture: Picture, styles: dict[str, str], full: bool
) -> list[RenderableType]:
    """Return how much of each way each holder had."""
    ways = [("to answer", picture.until_answer)]
    if picture.until_done is not None:
        ways.append(("to the end", picture.until_done))
    by_holder: dict[str, list[float]] = {}
    for number, (_, way) in enumerate(ways):
        for one in way.shares:
            by_holder.setdefault(one.holder, [0.0, 0.0])[number] += one.seconds
    last = len(ways) - 1
    wholes = [way.seconds or 1.0 for _, way in ways]
    rows = sorted(by_holder.items(), key=lambda item: -item[1][last])
    table = plain_table()
    table.add_column("held by", overflow="fold", ratio=1)
    for label, _ in ways:
        table.add_column(label, justify="right", no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    shown = rows if full else rows[:_MOST_HOLDERS]
    for holder, sums in shown:
        style = styles.get(holder, FAINT)
        cells: list[RenderableType] = [safe(holder, style)]
        for seconds, whole in zip(sums, wholes, strict=False):
            cells.append(seconds_text(seconds) if seconds else "")
            cells.append(share_text(seconds / whole) if seconds else "")
        share = sums[last] / wholes[last]
        table.add_row(*cells, bar(console, share, _BAR, style))
    parts: list[RenderableType] = [table]
    if rows[len(shown) :]:
        parts.append(Text(f"and {len(rows) - len(shown)} more", style=FAINT))
    return parts


def _waited(picture: Picture, full: bool) -> list[RenderableType]:
    """Return which service asked which one, and what that took."""
    rows = waited_of(picture)
    if not rows:
        return []
    table = plain_table()
    table.add_column("caller", overflow="fold", ratio=1)
    table.add_column("asked", overflow="fold", ratio=1)
    for heading in ("times", "waited", "on the way", "in line", "at work"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = rows if full else rows[:_MOST_PAIRS]
    for row in shown:
        table.add_row(
            safe(row.caller),
            safe(row.callee),
            str(row.count),
            "went on" if row.waited_s is None else seconds_text(row.waited_s),
            seconds_text(row.on_the_way_s),
            seconds_text(row.in_line_s),
            seconds_text(row.at_work_s),
        )
    parts: list[RenderableType] = [table]
    if rows[len(shown) :]:
        parts.append(Text(f"and {len(rows) - len(shown)} more", style=FAINT))
    return parts
