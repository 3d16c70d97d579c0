# SPDX-License-Identifier: Apache-2.0
"""The functions of many profiles, in the columns of pstats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nova_profiler.profiles.functions import Function, short_file
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.summaries import CALLS, Row, Wait
from nova_profiler.reading.code import hot_path as figures
from nova_profiler.reading.code.certainty import notes_of, seconds, share_in
from nova_profiler.reading.screen.terminal import (
    FAINT,
    HEADING,
    WARNING,
    counted,
    plain_table,
    safe,
    share_text,
)

SORTS: dict[str, Callable[[Row], float]] = {
    "tottime": lambda row: row.self_s,
    "cumtime": lambda row: row.total_s,
    "ncalls": lambda row: row.number,
    # pstats has two columns of this name; this is the second.
    "percall": lambda row: _of_each(row.total_s, row.primitive) or 0.0,
}

_MOST_WAITS = 5


def sorted_rows(profile: Profile, sort: str) -> list[Row]:
    """Return the functions, those with most of *sort* first.

    Samples have no time by call; they are sorted by own time instead.
    """
    if sort == "percall" and profile.kind != CALLS:
        sort = "tottime"
    return sorted(profile.rows(), key=SORTS[sort], reverse=True)


def figures_of(profile: Profile, sort: str, limit: int) -> dict[str, Any]:
    """Return the table as JSON-ready values."""
    rows = sorted_rows(profile, sort)[:limit]
    return {
        **figures.totals_of(profile),
        "functions": [figures.row_figures(row, profile) for row in rows],
        "waits": [figures.wait_figures(one) for one in profile.waits()],
        "notes": notes_of(profile, rows),
    }


def print_top(
    console: Console, profile: Profile, sort: str, limit: int
) -> None:
    """Print the table, then the waits and notes."""
    number = counted(profile.profiles, "profile")
    sentence = figures.sentence_of(profile)
    text = f"{profile.engine}: {number}, {sentence}"
    console.print(Text(text, style=HEADING))
    rows = sorted_rows(profile, sort)
    counts_calls = profile.kind == CALLS
    table = _head(counts_calls)
    for row in rows[:limit]:
        cells = _calls(row) if counts_calls else _samples(row, profile)
        share = share_text(share_in(profile, row.self_s))
        table.add_row(*cells, share, _place(row.function))
    console.print(table)
    if rows[limit:]:
        rest = sum(row.self_s for row in rows[limit:])
        text = f"and {len(rows) - limit} more, {seconds(rest)}"
        console.print(Text(text, style=FAINT))
    _print_waits(console, profile.waits())
    if counts_calls and profile.waiting_s > 0:
        console.print(Text("cumtime has the waits of what was called in it"))
    for note in notes_of(profile, rows[:limit]):
        console.print(safe(note, WARNING))


def _head(counts_calls: bool) -> Table:
    table = plain_table()
    headings = (
        ["ncalls", "tottime", "percall", "cumtime", "percall", "tot %"]
        if counts_calls
        else ["samples", "tottime", "cumtime", "cum %", "tot %"]
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("filename:lineno(function)", overflow="fold")
    return table


def _calls(row: Row) -> list[str]:
    calls = str(row.number)
    if row.primitive != row.number:
        calls += f"/{row.primitive}"
    return [
        calls,
        f"{row.self_s:.3f}",
        _per_call(row.self_s, row.number),
        f"{row.total_s:.3f}",
        # As in pstats: recursive calls do not count.
        _per_call(row.total_s, row.primitive),
    ]


def _samples(row: Row, profile: Profile) -> list[str]:
    return [
        figures.number_text(row),
        f"{row.self_s:.3f}",
        f"{row.total_s:.3f}",
        share_text(share_in(profile, row.total_s)),
    ]


def _per_call(seconds: float, calls: int) -> str:
    each_s = _of_each(seconds, calls)
    return "" if each_s is None else f"{each_s:.6f}"


def _of_each(seconds: float, calls: int) -> float | None:
    return seconds / calls if calls > 0 else None


def _place(function: Function) -> Text:
    if function.is_built_in:
        # As in pstats: {built-in method time.sleep}
        return safe("{" + function.name.strip("<>") + "}")
    file = short_file(function.file)
    return safe(f"{file}:{function.line}({function.name})")


def _print_waits(console: Console, waits: Sequence[Wait]) -> None:
    if not waits:
        return
    console.print()
    console.print(Text("Waiting, left out above", style=HEADING))
    table = plain_table()
    for heading in ("times", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("in", overflow="fold")
    table.add_column("for", overflow="fold")
    for wait in waits[:_MOST_WAITS]:
        table.add_row(
            str(wait.number),
            f"{wait.seconds:.3f}",
            _place(wait.function),
            Text() if wait.caller is None else _place(wait.caller),
        )
    console.print(table)
    if waits[_MOST_WAITS:]:
        rest = sum(wait.seconds for wait in waits[_MOST_WAITS:])
        text = f"and {len(waits) - _MOST_WAITS} more, {seconds(rest)}"
        console.print(Text(text, style=FAINT))
