# SPDX-License-Identifier: Apache-2.0
"""Kept runs as a table, one a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from nova_profiler.reading.screen.terminal import (
    bytes_text,
    plain_table,
    print_part,
    safe,
    time_text,
)


def print_runs(console: Console, runs: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each of *runs*, in their order."""
    table = plain_table()
    table.add_column("run", overflow="fold")
    table.add_column("first request, UTC", no_wrap=True)
    table.add_column("last request, UTC", no_wrap=True)
    table.add_column("requests", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            safe(run["name"]),
            safe(_seconds(run["first_at"])),
            safe(_seconds(run["last_at"])),
            str(run["requests"]),
            bytes_text(run["bytes"]),
        )
    print_part(console, table)


def _seconds(moment: str | None) -> str:
    return "-" if moment is None else time_text(moment)[:19]
