# SPDX-License-Identifier: Apache-2.0
"""The hot path on the page of a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.summaries import SAMPLES, Row, Step
from nova_profiler.reading.code import hot_path as figures
from nova_profiler.reading.code.certainty import notes_of, share_in
from nova_profiler.reading.screen.terminal import (
    FAINT,
    HEADING,
    WARNING,
    ms_text,
    plain_table,
    safe,
    share_text,
)

_MOST_FUNCTIONS = 5
_MOST_WAITS = 3
# A free lock takes less; it is no wait.
_SHORTEST_WAIT_S = 0.0005
# Letters of a file and a line.
_WIDEST_PLACE = 40


def hot_path_parts(
    profile: Profile, duration_ms: float = 0.0, lanes: int = 0
) -> list[RenderableType]:
    """Return the path, the functions by their own time, and the waits.

    *duration_ms* and *lanes* are the request's, if the profile is of one.
    """
    steps = figures.steps_of(profile)
    parts: list[RenderableType] = [
        Text(figures.sentence_of(profile, duration_ms)),
        *_hottest(steps),
    ]
    rows = [row for row in profile.rows() if row.self_s > 0]
    rows = rows[:_MOST_FUNCTIONS]
    for table in (_path(steps), _functions(profile, rows), _waits(profile)):
        if table.row_count:
            parts.append(table)
    notes = notes_of(profile, rows, duration_ms, lanes)
    parts.extend(safe(note, WARNING) for note in notes)
    return parts


def named(function: Function, style: str = "") -> Text:
    """Return a function's name, printable."""
    return safe(function.label, style)


def _hottest(steps: Sequence[Step]) -> Iterator[Text]:
    hot = figures.hot_function(steps)
    if hot is not None:
        text = named(hot.function, HEADING)
        text.append(f" holds {share_text(hot.share)} of the work")
        yield text
        if hot.function.place:
            text = safe(hot.function.place)
            if hot.line:
                text.append(f", mostly in line {hot.line}")
            yield text


def _path(steps: Sequence[Step]) -> Table:
    hot = figures.hot_function(steps)
    table = plain_table()
    table.add_column("cum %", justify="right", no_wrap=True)
    table.add_column("hot path", overflow="fold")
    table.add_column("where", no_wrap=True)
    for step in figures.main_steps(steps):
        style = HEADING if step is hot else ""
        table.add_row(
            share_text(step.share),
            named(step.function, style),
            safe(_place(step.function), FAINT),
        )
    return table


def _place(function: Function) -> str:
    """Return where *function* stands, so short that figures have room.

    Only generated code has a longer name, and that is no file.
    """
    place = function.short_place
    half = _WIDEST_PLACE // 2
    if len(place) <= _WIDEST_PLACE:
        return place
    return f"{place[: half - 1]}…{place[-half:]}"


def _functions(profile: Profile, rows: Sequence[Row]) -> Table:
    table = plain_table()
    table.add_column("tot %", justify="right", no_wrap=True)
    table.add_column("own time", overflow="fold")
    table.add_column("where", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    heading = "samples" if profile.kind == SAMPLES else "calls"
    table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            share_text(share_in(profile, row.self_s)),
            named(row.function),
            safe(_place(row.function), FAINT),
            ms_text(1000 * row.self_s),
            figures.number_text(row),
        )
    return table


def _waits(profile: Profile) -> Table:
    table = plain_table()
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("waiting in", overflow="fold")
    table.add_column("for", overflow="fold")
    table.add_column("where", no_wrap=True)
    waits = [one for one in profile.waits() if one.seconds >= _SHORTEST_WAIT_S]
    for wait in waits[:_MOST_WAITS]:
        caller = wait.caller
        place = "" if caller is None else _place(caller)
        if wait.line is not None:
            place += f", line {wait.line}"
        table.add_row(
            ms_text(1000 * wait.seconds),
            named(wait.function),
            Text() if caller is None else named(caller),
            safe(place, FAINT),
        )
    rest = waits[_MOST_WAITS:]
    if rest:
        rest_ms = ms_text(1000 * sum(one.seconds for one in rest))
        table.add_row(rest_ms, Text(f"and {len(rest)} more", style=FAINT))
    return table
