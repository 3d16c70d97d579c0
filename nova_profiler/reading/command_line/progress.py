# SPDX-License-Identifier: Apache-2.0
"""A bar of the bytes read, with the time left, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from nova_profiler.reading.logs.files.sources import Source


class ByteProgress(NamedTuple):
    """``advance`` by so many bytes; ``restart`` to read all once more."""

    advance: Callable[[int], None]
    restart: Callable[[], None]


def size_of(sources: Iterable[Source]) -> int | None:
    """Return the bytes of *sources* on disk, None if one is a pipe."""
    total = 0
    for source in sources:
        if source.size is None:
            return None
        total += source.size
    return total


@contextmanager
def byte_progress(label: str, total: int | None) -> Iterator[ByteProgress]:
    """Give what follows the reading of *total* bytes, None if unknown.

    Without a terminal on standard error nothing is shown.
    """
    if not sys.stderr.isatty():
        yield ByteProgress(lambda count: None, lambda: None)
        return
    # Only here: it takes longer to import than a short log is read.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(label, total=total)
        yield ByteProgress(
            lambda count: progress.advance(task, count),
            lambda: progress.reset(
                task, description=f"{label}, lines of several forms"
            ),
        )
