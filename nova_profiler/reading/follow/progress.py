# SPDX-License-Identifier: Apache-2.0
"""What the search for a request has found so far."""

from __future__ import annotations

import click

from nova_profiler.reading.command_line.progress import Progress
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.screen.terminal import counted, printable

LABELS = ("searching", "requests that belong to it", "and what they led to")


class SearchProgress:
    """Counts lines beside the bar; with *stream* prints each of them."""

    def __init__(self, bar: Progress, *, stream: bool) -> None:
        self._bar = bar
        self._stream = stream
        self._lines = 0
        self._files: set[str] = set()

    def on_round(self, number: int) -> None:
        """Begin the bar again: the logs are read once more."""
        self._bar.restart(LABELS[min(number, len(LABELS) - 1)])

    def on_line(self, line: LogLine) -> None:
        """Count a line that was found."""
        self._lines += 1
        self._files.add(line.source)
        if self._stream:
            stamp = "" if line.at is None else iso_of(line.at)[:23]
            click.echo(
                printable(f"{stamp} {line.service} {line.message}".strip())
            )
        lines = counted(self._lines, "line")
        self._bar.note(f"found {lines} in {counted(len(self._files), 'file')}")
