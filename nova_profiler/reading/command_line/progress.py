# SPDX-License-Identifier: Apache-2.0
"""The progress bar of long work, where a person watches standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from nova_profiler.reading.logs.files.sources import Source

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Item = TypeVar("Item")


class Progress:
    """How far a piece of work is; without a bar its methods do nothing."""

    def __init__(
        self, bar: RichProgress | None = None, task: TaskID | None = None
    ) -> None:
        self._bar = bar
        self._task = task

    def advance(self, count: int = 1) -> None:
        """Move the bar on by *count* bytes or items."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def restart(self, label: str) -> None:
        """Begin again at nothing, under another *label*."""
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, description=label)

    def note(self, text: str) -> None:
        """Show *text* behind the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, note=text)


def with_progress(
    items: Iterable[Item], label: str, total: int | None
) -> Iterator[Item]:
    """Yield *items*; the bar is as long as *total*, None if unknown."""
    with _bar(label, total, is_bytes=False) as progress:
        for item in items:
            yield item
            progress.advance()


@contextmanager
def log_progress(
    sources: Iterable[Source], label: str, *, is_shown: bool = True
) -> Iterator[Progress]:
    """Give the bar of the bytes of *sources*, as they are on disk.

    *is_shown* is false where the command prints lines meanwhile.
    """
    if not is_shown:
        yield Progress()
        return
    with _bar(label, _size_of(sources), is_bytes=True) as progress:
        yield progress


@contextmanager
def dump_progress(label: str, *, is_shown: bool = True) -> Iterator[Progress]:
    """Give a bar of dumps of which it is not known how many there are."""
    if not is_shown:
        yield Progress()
        return
    with _bar(label, None, is_bytes=False) as progress:
        yield progress


@contextmanager
def _bar(
    label: str, total: int | None, *, is_bytes: bool
) -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield Progress()
        return
    # Only here: it takes longer to import than a short command runs.
    from rich import progress as rich
    from rich.console import Console

    columns = (
        (rich.DownloadColumn(binary_units=True), rich.TransferSpeedColumn())
        if is_bytes
        else (rich.TaskProgressColumn(show_speed=True),)
    )
    with rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        *columns,
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        yield Progress(bar, bar.add_task(label, total=total, note=""))


def _size_of(sources: Iterable[Source]) -> int | None:
    """Return the bytes of *sources* on disk, None if one is a pipe."""
    total = 0
    for source in sources:
        if source.size is None:
            return None
        total += source.size
    return total
