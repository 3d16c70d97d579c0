# SPDX-License-Identifier: Apache-2.0
"""How far the search for a request is, and what it found so far."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import click

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.logs.files.sources import Source
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.screen.terminal import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_LABELS = ("searching", "requests that belong to it", "and what they led to")


class Progress:
    """A bar on standard error, where somebody watches; lines, if asked."""

    def __init__(self, sources: Sequence[Source], *, stream: bool) -> None:
        self._total = sum(source.size or 0 for source in sources)
        self._stream = stream
        self._lines = 0
        self._files: set[str] = set()
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and not self._stream:
            self._bar = _bar()
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_round(self, number: int) -> None:
        """Note that the logs are read once more."""
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            label = _LABELS[min(number, len(_LABELS) - 1)]
            self._task = self._bar.add_task(
                label, total=self._total, found=self._found()
            )

    def on_bytes(self, count: int) -> None:
        """Note that so many bytes more were read."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def on_line(self, line: LogLine) -> None:
        """Note that a line was found."""
        self._lines += 1
        self._files.add(line.source)
        if self._stream:
            stamp = "" if line.at is None else iso_of(line.at)[:23]
            click.echo(
                printable(f"{stamp} {line.service} {line.message}".strip())
            )
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, found=self._found())

    def _found(self) -> str:
        return f"found {self._lines} lines in {len(self._files)} files"


def _bar() -> RichProgress:
    # Only here: it takes longer to import than a short command runs.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[found]}"),
        console=Console(stderr=True),
        transient=True,
    )
