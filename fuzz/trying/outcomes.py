# SPDX-License-Identifier: Apache-2.0
"""What came of trying a reader."""

from __future__ import annotations

from typing import NamedTuple


class Find(NamedTuple):
    """An input that stands out: a reader failed at it, or was slow.

    ``what`` is the error and the place that raised it, or how the process
    ended.
    """

    what: str
    data: bytes


class Outcome(NamedTuple):
    """What one reader did with all inputs.

    ``longest_s`` is the processor time of one input, ``peak_mb`` the largest
    resident memory of the process, libraries and hypothesis included.
    """

    reader: str
    tried: int
    longest_s: float
    peak_mb: float
    slowest: Find
    finds: tuple[Find, ...]
