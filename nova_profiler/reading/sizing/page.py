# SPDX-License-Identifier: Apache-2.0
"""The tables of ``size``: a row for each service, a table for each way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.screen.terminal import (
    HEADING,
    bytes_text,
    counted,
    plain_table,
    print_part,
    safe,
    terminal,
)
from nova_profiler.reading.sizing.measured import Weight
from nova_profiler.reading.sizing.reckoned import DAY_S, Load

_UNKNOWN = "?"
# A heading, and what a load has below it.
Column = tuple[str, Callable[[Load], str]]


def number_text(number: float | None) -> str:
    """Return *number* with at least three digits, or ``?`` for None."""
    if number is None:
        return _UNKNOWN
    if number >= 100 or number == round(number):
        return f"{number:.0f}"
    return f"{number:.3g}"


def _measured(service: str, weight: Weight) -> str:
    number = len(weight.processes)
    processes = "1 process" if number == 1 else f"{number} processes"
    return (
        f"{service}: measured on {counted(weight.records, 'record')} of "
        f"{processes} in {weight.seconds:.0f} s"
    )


def _size(size: float | None) -> str:
    return _UNKNOWN if size is None else bytes_text(size)


def _day(size: float | None) -> str:
    return _size(None if size is None else size * DAY_S)


_LINES: tuple[Column, ...] = (
    ("processes", lambda load: str(load.processes)),
    ("records/s", lambda load: number_text(load.records)),
    ("each", lambda load: _size(load.bytes_per_record)),
    ("a second", lambda load: _size(load.line_bytes)),
    ("a day", lambda load: _day(load.line_bytes)),
    ("packed", lambda load: _day(load.packed_bytes)),
)
_METRICS: tuple[Column, ...] = (
    ("names", lambda load: str(load.names)),
    ("datagrams/s", lambda load: number_text(load.datagrams)),
    ("metrics/s", lambda load: number_text(load.metric_lines)),
    ("a second", lambda load: _size(load.metric_bytes)),
    (
        "a process",
        lambda load: _size(
            None
            if load.metric_bytes is None or not load.processes
            else load.metric_bytes / load.processes
        ),
    ),
)
_DUMPS: tuple[Column, ...] = (
    ("dumps/s", lambda load: number_text(load.kept)),
    ("each", lambda load: _size(load.bytes_per_dump)),
    ("a second", lambda load: _size(load.dump_bytes)),
    ("a day", lambda load: _day(load.dump_bytes)),
)


def print_loads(
    loads: Sequence[Load], weights: Mapping[str, Weight], slow_ms: float
) -> None:
    """Print what was measured, and the three tables."""
    console = terminal()
    for load in loads:
        weight = weights[load.service]
        console.print(safe(_measured(load.service, weight)), soft_wrap=True)
    _print(console, "Lines of log_file, all records", _LINES, loads)
    _print(console, "Metrics to statsd", _METRICS, loads)
    if any(load.bytes_per_dump is not None for load in loads):
        _print(
            console,
            f"Dumps of what takes {number_text(slow_ms)} ms or fails, before "
            "dump_max_mb",
            _DUMPS,
            loads,
        )


def _print(
    console: Console,
    heading: str,
    columns: Sequence[Column],
    loads: Sequence[Load],
) -> None:
    console.print()
    console.print(Text(heading, HEADING), soft_wrap=True)
    table = plain_table()
    table.add_column("service")
    for name, _ in columns:
        table.add_column(name, justify="right")
    for load in loads:
        cells = [Text(cell(load)) for _, cell in columns]
        table.add_row(safe(load.service), *cells)
    print_part(console, table)
