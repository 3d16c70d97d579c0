# SPDX-License-Identifier: Apache-2.0
"""The functions of many profiles, in the columns of pstats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.profiles.functions import Function, short_file
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.summaries import CALLS, Row, Wait
from nova_profiler.reading.code import hot_path as figures
from nova_profiler.reading.code.certainty import notes_of, seconds, share_in
from nova_profiler.reading.screen.fitted_table import (
    Column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    FAINT,
    HEADING,
    WARNING,
    counted,
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
# The columns, and the order in which they are left out for room; 0: never.
_CALLS: tuple[tuple[str, int], ...] = (
    ("ncalls", 0),
    ("tottime", 0),
    ("percall", 1),
    ("cumtime", 0),
    ("percall", 2),
    ("tot %", 0),
)
_SAMPLES: tuple[tuple[str, int], ...] = (
    ("samples", 2),
    ("tottime", 0),
    ("cumtime", 0),
    ("cum %", 1),
    ("tot %", 0),
)
_LEAST_S = 0.0005
# That of the sum that was asked for stays.
_BY_CUMTIME = {"cum %": 0, "tot %": 3}
# Most functions with their files are no longer.
_PLACE, _SHORTEST_PLACE = 54, 20


def sorted_rows(profile: Profile, sort: str) -> list[Row]:
    """Return the functions, those with most of *sort* first.

    Samples have no time by call; they are sorted by own time instead.
    """
    if sort == "percall" and profile.kind != CALLS:
        sort = "tottime"
    return sorted(profile.rows(), key=SORTS[sort], reverse=True)


def figures_of(profile: Profile, sort: str, limit: int) -> dict[str, Any]:
    """Return the table as JSON-ready values."""
    found = sorted_rows(profile, sort)
    rows = found[:limit]
    return {
        **figures.totals_of(profile),
        "functions": [figures.row_figures(row, profile) for row in rows],
        "more": len(found) - len(rows),
        "waits": [figures.wait_figures(one) for one in profile.waits()],
        "notes": notes_of(profile, rows),
    }


def print_top(
    console: Console, profile: Profile, sort: str, limit: int
) -> None:
    """Print where the time went, the table, then the waits and notes."""
    for line in figures.where_lines(profile):
        console.print(safe(line, HEADING))
    number = counted(profile.profiles, "profile")
    sentence = figures.sentence_of(profile)
    text = f"{profile.engine}: {number}, {sentence}"
    console.print(Text(text, style=HEADING))
    rows = [row for row in sorted_rows(profile, sort) if _has(row, sort)]
    counts_calls = profile.kind == CALLS
    left_out = print_fitted(console, _columns(profile, rows[:limit], sort))
    if rows[limit:]:
        rest = sum(row.self_s for row in rows[limit:])
        text = f"and {len(rows) - limit} more, {seconds(rest)}"
        console.print(Text(text, style=FAINT))
    print_left_out(console, left_out)
    _print_waits(console, profile.waits())
    if counts_calls and profile.waiting_s > 0:
        console.print(Text("cumtime has the waits of what was called in it"))
    for note in notes_of(profile, rows[:limit]):
        console.print(safe(note, WARNING))


def _has(row: Row, sort: str) -> bool:
    """Return false for what would be a line of zeros."""
    return sort == "ncalls" or max(row.self_s, row.total_s) >= _LEAST_S


def _columns(profile: Profile, rows: Sequence[Row], sort: str) -> list[Column]:
    """Return the table; figures give way before functions are folded."""
    counts_calls = profile.kind == CALLS
    headings = _CALLS if counts_calls else _SAMPLES
    if sort == "cumtime":
        headings = tuple(
            (name, _BY_CUMTIME.get(name, g)) for name, g in headings
        )
    cells = [
        [
            *(_calls(row) if counts_calls else _samples(row, profile)),
            share_text(share_in(profile, row.self_s)),
        ]
        for row in rows
    ]
    return [
        *(
            Column(
                heading,
                [Text(row[number]) for row in cells],
                right=True,
                gives=gives,
            )
            for number, (heading, gives) in enumerate(headings)
        ),
        Column(
            "filename:lineno(function)",
            [_place(row.function) for row in rows],
            gives=len(headings),
            least=_SHORTEST_PLACE,
            ease=_PLACE,
            folds=True,
        ),
    ]


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
    shown = waits[:_MOST_WAITS]
    columns = [
        Column("times", [Text(str(one.number)) for one in shown], right=True),
        Column(
            "seconds",
            [Text(f"{one.seconds:.3f}") for one in shown],
            right=True,
        ),
        Column(
            "in",
            [_place(one.function) for one in shown],
            gives=1,
            least=_SHORTEST_PLACE,
            folds=True,
        ),
        Column(
            "for",
            [
                Text() if one.caller is None else _place(one.caller)
                for one in shown
            ],
            gives=2,
            least=_SHORTEST_PLACE,
            folds=True,
        ),
    ]
    print_fitted(console, columns)
    if waits[_MOST_WAITS:]:
        rest = sum(wait.seconds for wait in waits[_MOST_WAITS:])
        text = f"and {len(waits) - _MOST_WAITS} more, {seconds(rest)}"
        console.print(Text(text, style=FAINT))
