# SPDX-License-Identifier: Apache-2.0
"""A distribution as bars, in shares of the picture's width and height."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nova_profiler.reading.requests.distribution import (
    Distribution,
    Step,
    ticks_of,
)


class Bar(NamedTuple):
    """A step's bar; ``words`` are what it means, ``link`` leads to it."""

    left: float
    width: float
    height: float
    is_slow: bool
    words: str
    link: str


class Mark(NamedTuple):
    """A place at the axis and what stands there."""

    left: float
    text: str


class Picture(NamedTuple):
    """The bars of steps that have requests, marks of percentiles, an axis."""

    bars: list[Bar]
    marks: list[Mark]
    ticks: list[Mark]
    most: int


def picture_of(
    found: Distribution, slow_ms: float, link: Callable[[Step], str]
) -> Picture:
    """Return the picture of *found*; *link* is of the requests of a step."""
    most = max(step.requests for step in found.steps)
    bars = []
    for step in found.steps:
        if not step.requests:
            continue
        left = found.place(step.low_ms)
        bars.append(
            Bar(
                left,
                found.place(step.high_ms) - left,
                step.requests / most,
                step.low_ms >= slow_ms,
                f"{step.requests} took {step.low_ms:g} to {step.high_ms:g} ms",
                link(step),
            )
        )
    marks = [
        Mark(found.place(ms), f"p{percent} {ms_or_s(ms)}")
        for percent, ms in found.percentiles_ms.items()
    ]
    ticks = [
        Mark(found.place(ms), ms_or_s(ms))
        for ms in ticks_of(found.steps[0].low_ms, found.steps[-1].high_ms)
    ]
    return Picture(bars, marks, ticks, most)


def ms_or_s(ms: float) -> str:
    """Return a time in the unit that fits, to three digits."""
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"
