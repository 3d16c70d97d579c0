# SPDX-License-Identifier: Apache-2.0
"""A progress bar for long work, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def with_progress(
    items: Iterable[Item], label: str, total: int | None
) -> Iterator[Item]:
    """Yield *items*; on a terminal a bar on standard error follows them."""
    if not sys.stderr.isatty():
        yield from items
        return
    # Only here: it takes longer to import than a short command runs.
    from rich.console import Console
    from rich.progress import track

    yield from track(
        items,
        description=label,
        total=total,
        console=Console(stderr=True),
        transient=True,
    )
