# SPDX-License-Identifier: Apache-2.0
"""The end of a followed request's page: which service held what time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nova_profiler.reading.follow.answer import Share
from nova_profiler.reading.follow.far_waits import far_wait_text
from nova_profiler.reading.follow.gaps import ARROW
from nova_profiler.reading.follow.lines_once import LEFT_OVER
from nova_profiler.reading.follow.rows import Row
from nova_profiler.reading.follow.search.messages import (
    TIMED_OUT,
    late_reply_of,
)
from nova_profiler.reading.follow.story import Held, Story
from nova_profiler.reading.over_services.notes import (
    clock_sentences,
    doubt_sentences,
)
from nova_profiler.reading.screen.fitted_table import (
    Column,
    figures_column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    FAINT,
    WARNING,
    bar,
    counted,
    heights,
    ms_text,
    printable,
    safe,
    share_text,
    speaks_unicode,
)

# Room for the request's length below the picture.
_FEWEST_CELLS = 12
_SHORT = 60
_WIDEST_BAR = 30
_SHORTEST_BAR = 6
# Enough for nova-conductor.
_SHORTEST_NAME = 14
_MOST_HOLDERS = 3
_INSTANCE = re.compile(r"\A\[instance: [^]]{1,64}\] ")


def print_held(
    console: Console, story: Story, styles: dict[str, str], indent: int
) -> None:
    """Print a row for each holder, the longest first."""
    held = story.held
    colours = [styles.get(one.holder, WARNING) for one in held]
    longest = max((one.share for one in held), default=0.0) or 1.0

    def bars(width: int) -> list[Text]:
        return [
            bar(console, one.share / longest, width, style)
            for one, style in zip(held, colours, strict=True)
        ]

    names = [
        safe(one.holder, style)
        for one, style in zip(held, colours, strict=True)
    ]
    calls = (
        ("DB API", [_calls_text(one.db_calls, one.db_ms) for one in held], 3),
        ("RPC", [_calls_text(one.rpc_calls, one.rpc_ms) for one in held], 4),
    )
    columns = [
        Column("service", names, gives=1, least=_SHORTEST_NAME, folds=True),
        figures_column("held ms", [ms_text(one.ms) for one in held]),
        figures_column("share", [share_text(one.share) for one in held]),
        figures_column(
            "lines", [str(one.lines or "") for one in held], gives=5
        ),
        *(
            figures_column(heading, cells, gives)
            for heading, cells, gives in calls
            if any(cells)
        ),
        Column(drawn=bars, ease=_SHORTEST_BAR, most=_WIDEST_BAR, gives=2),
    ]
    print_left_out(console, print_fitted(console, columns, indent), indent)


def answer_texts(story: Story) -> list[Text]:
    """Return which services held the time until the answer, and after it."""
    answer = story.answer
    if answer is None:
        shares = [Share(one.holder, one.ms, one.share) for one in story.held]
        text = f"held by {_shares_text(shares, story)}"
        return [safe(text)] if story.ms else []
    found = []
    if answer.until:
        found.append(
            safe(
                f"until the answer held by {_shares_text(answer.until, story)}"
            )
        )
    if story.skews:
        # What a wrong clock adds to one it takes from another.
        skew = story.skews[0]
        found.append(
            safe(
                f"these parts are in doubt: the clock of {skew.service} seems "
                f"{ms_text(skew.ms)} ms or more behind {skew.other}",
                WARNING,
            )
        )
    if answer.after and answer.after_ms >= story.gap_ms:
        held = ", ".join(
            f"{one.holder} {ms_text(one.ms)} ms"
            for one in answer.after[:_MOST_HOLDERS]
        )
        found.append(
            safe(
                f"went on for {ms_text(answer.after_ms)} ms after the answer: "
                f"{held}"
            )
        )
    return found


def _shares_text(shares: Sequence[Share], story: Story) -> str:
    """Return the first of *shares*, the longest, in words."""
    shown = [
        f"{one.holder} {ms_text(one.ms)} ms ({share_text(one.share)})"
        + far_wait_text(story, one.holder, one.ms)
        for one in shares[:_MOST_HOLDERS]
        if one.ms > 0
    ]
    more = len([one for one in shares[_MOST_HOLDERS:] if one.ms > 0])
    return ", ".join(shown) + (f" and {more} more" if more else "")


def notes_of(story: Story) -> list[Text]:
    """Return the largest gap, and what a reader must know of the rest."""
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
                "the logs do not show which",
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
    if story.picture is not None:
        notes += [
            safe(text, WARNING)
            for text in (
                *clock_sentences(story.picture),
                *doubt_sentences(story.picture),
            )
        ]
    if story.left_over:
        services = sorted({line.service for line in story.left_over})
        notes.append(
            safe(
                f"Set apart: {counted(len(story.left_over), 'line')} of "
                f"{', '.join(services)}: {LEFT_OVER}"
            )
        )
    notes += [safe(text, WARNING) for text in _late_replies(story)]
    if story.request.lines_left_out:
        notes.append(
            safe(
                f"{story.request.lines_left_out} more lines were found and "
                f"left out",
                WARNING,
            )
        )
    return notes


def _late_replies(story: Story) -> list[str]:
    """Return what was waited for in vain."""
    found = []
    for gap in story.gaps.values():
        lines = story.rows[gap.following].lines
        step = lines and late_reply_of(lines[0].message)
        if step and step.step == TIMED_OUT:
            holder = gap.holder.rpartition(ARROW)[2]
            found.append(
                f"Waited {ms_text(gap.ms)} ms for the reply to message "
                f"{step.message_id}, which timed out: {holder} did not reply "
                "in time"
            )
    return found


def held_picture(
    console: Console,
    story: Story,
    styles: dict[str, str],
    most: int,
    width: int,
) -> Table:
    """Return a line for each service: how much of each moment it held.

    Names are cut after *most* letters.
    """
    names = [one for one in story.held if not one.is_handover]
    named = min(most, max((len(one.holder) for one in names), default=0))
    cells = max(_FEWEST_CELLS, width - named - 6)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, max_width=named)
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
    """Return the begin of a row's text, enough to recognise the line."""
    text = _INSTANCE.sub("", row.text)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def held_shares(one: Held, whole_s: float, cells: int) -> list[float]:
    """Return for each cell the part of its time that *one* held."""
    shares = [0.0] * cells
    cell_s = whole_s / cells
    if not cell_s:
        # A record may have the shortest time that there is.
        return shares
    for start, end in one.spans:
        first = min(cells - 1, int(start / cell_s))
        last = min(cells - 1, int(end / cell_s))
        for cell in range(first, last + 1):
            inside = min(end, (cell + 1) * cell_s) - max(start, cell * cell_s)
            shares[cell] += max(0.0, inside) / cell_s
    return shares


def _calls_text(calls: int, ms: float) -> str:
    return f"{calls} in {ms_text(ms)} ms" if calls else ""
