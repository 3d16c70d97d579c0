# SPDX-License-Identifier: Apache-2.0
"""nova-profiler check and sign; a point of check, with its remedy."""

from __future__ import annotations

from typing import NamedTuple

OK = "ok"
WARNING = "warning"
WRONG = "wrong"


class Point(NamedTuple):
    """One thing that was checked."""

    state: str
    name: str
    found: str
    # Lines to paste, or what to do; empty if all is well.
    remedy: tuple[str, ...] = ()
