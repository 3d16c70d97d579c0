# SPDX-License-Identifier: Apache-2.0
"""A point of `nova-profiler check`: what was found, and its remedy."""

from __future__ import annotations

from typing import NamedTuple

OK = "ok"
WARNING = "warning"
WRONG = "wrong"


class Point(NamedTuple):
    """One thing that was looked at."""

    state: str
    name: str
    found: str
    # Lines to paste, or what to do; empty where nothing is to be done.
    remedy: tuple[str, ...] = ()
