# SPDX-License-Identifier: Apache-2.0
"""Has Python's garbage collector wait while something is done."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# One for each thread that has switched it off.
_pauses: list[None] = []


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let no collection begin, and have the collector as it was then.

    An application that wants no collections gets none from here. May be
    nested.
    """
    if not gc.isenabled():
        yield
        return
    _resume_in_children()
    _pauses.append(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        del _pauses[-1:]


@cache
def _resume_in_children() -> None:
    os.register_at_fork(after_in_child=_resume)


def _resume() -> None:
    # The thread that would have switched it on has not come along.
    if _pauses:
        _pauses.clear()
        gc.enable()
