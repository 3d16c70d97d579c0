# SPDX-License-Identifier: Apache-2.0
"""Lines without a time of their own: where they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.screen.terminal import counted

# What stands where a time would.
NO_TIME = "-"


class Placed(NamedTuple):
    """Lines with the time at which they are shown, and those without one."""

    standing: list[tuple[float, LogLine]]
    apart: list[LogLine]


def placed(lines: Sequence[LogLine]) -> Placed:
    """Return where *lines*, in the order of their files, stand in time.

    One without a time stands after the line before it in its file, or
    before the file's first. Of a file without any time nothing is known.
    """
    places: dict[str, float] = {}
    for line in lines:
        if line.at is not None:
            places.setdefault(line.source, line.at)
    standing, apart = [], []
    for line in lines:
        if line.at is not None:
            places[line.source] = line.at
        place = places.get(line.source)
        if place is None:
            apart.append(line)
        else:
            standing.append((place, line))
    return Placed(standing, apart)


def no_time_text(count: int) -> str:
    """Return what is not known of so many lines, and so not told."""
    lines = "this line" if count == 1 else f"these {counted(count, 'line')}"
    return (
        f"No time is known of {lines}: neither order across files nor gaps "
        "are told."
    )
