# SPDX-License-Identifier: Apache-2.0
"""The differences between two sets of profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from nova_profiler.profiles.summaries import CALLS
from nova_profiler.reading.code import diff as figures
from nova_profiler.reading.code.diff import Change, ProfileSet
from nova_profiler.reading.screen.fitted_table import (
    Column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    WARNING,
    counted,
    safe,
)

# Most functions with their modules are no longer.
_NAME, _SHORTEST_NAME = 48, 20


def print_diff(
    console: Console,
    before: ProfileSet,
    after: ProfileSet,
    by: str,
    limit: int,
    noun: str,
) -> None:
    """Print the functions that changed most, with a verdict on each."""
    console.print(
        Text(
            f"{before.engine}, {by} in ms a {noun}   "
            f"A: {_size(before, noun)}   B: {_size(after, noun)}",
            style=HEADING,
        )
    )
    changes = figures.changes_of(before, after)
    clear = sum(one.is_clear for one in changes)
    console.print(
        f"{clear} of {counted(len(changes), 'function')} changed for sure: "
        f"by more than three times its standard error (+-)"
    )
    for note in figures.notes_of(before, after):
        console.print(safe(note, WARNING))
    left_out = print_fitted(
        console, _columns(changes[:limit], before.kind == CALLS)
    )
    print_left_out(console, left_out)


def _columns(changes: Sequence[Change], counts_calls: bool) -> list[Column]:
    """Return the table; change and verdict are always in it."""
    cells: list[tuple[str, int, Callable[[Change], str]]] = [
        ("A", 3, lambda one: _ms(one.before_s)),
        ("B", 0, lambda one: _ms(one.after_s)),
        ("change", 0, lambda one: f"{1000 * one.change_s:+.3f}"),
        ("+-", 2, lambda one: _ms(one.error_s)),
    ]
    if counts_calls:
        cells += [
            ("calls A", 4, lambda one: f"{one.before_number:.1f}"),
            ("calls B", 5, lambda one: f"{one.after_number:.1f}"),
        ]
    return [
        *(
            Column(heading, [Text(of(one)) for one in changes], True, gives)
            for heading, gives, of in cells
        ),
        Column("", [_verdict(one) for one in changes]),
        Column(
            "function",
            [safe(one.function.label) for one in changes],
            gives=len(cells),
            least=_SHORTEST_NAME,
            ease=_NAME,
            folds=True,
        ),
        Column(
            "where",
            [safe(one.function.short_place, FAINT) for one in changes],
            gives=1,
        ),
    ]


def _size(one: ProfileSet, noun: str) -> str:
    unit = "call" if one.kind == CALLS else "sample"
    requests = counted(one.requests, noun)
    if one.without_samples:
        requests += f" ({one.without_samples} without a sample)"
    return f"{requests}, {counted(one.number, unit)}"


def _verdict(one: Change) -> Text:
    if not one.is_clear:
        return Text("unsure", style=FAINT)
    if one.change_s > 0:
        return Text("slower", style=BAD)
    return Text("faster", style="green")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3f}"
