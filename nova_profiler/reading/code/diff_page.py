# SPDX-License-Identifier: Apache-2.0
"""The differences between two sets of profiles."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from nova_profiler.profiles.summaries import CALLS
from nova_profiler.reading.code import diff as figures
from nova_profiler.reading.code.diff import Change, ProfileSet
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    WARNING,
    counted,
    plain_table,
    safe,
)


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
    counts_calls = before.kind == CALLS
    table = plain_table()
    headings = ["A", "B", "change", "+-"]
    if counts_calls:
        headings += ["calls A", "calls B"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("function", overflow="fold")
    table.add_column("where", no_wrap=True)
    for one in changes[:limit]:
        cells = [
            _ms(one.before_s),
            _ms(one.after_s),
            f"{1000 * one.change_s:+.3f}",
            _ms(one.error_s),
        ]
        if counts_calls:
            cells += [f"{one.before_number:.1f}", f"{one.after_number:.1f}"]
        table.add_row(
            *cells,
            _verdict(one),
            safe(one.function.label),
            safe(one.function.short_place, FAINT),
        )
    console.print(table)
    clear = sum(one.is_clear for one in changes)
    console.print(
        f"{clear} of {counted(len(changes), 'function')} changed for sure: "
        f"by more than three times its standard error (+-)"
    )
    for note in figures.notes_of(before, after):
        console.print(safe(note, WARNING))


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
