# SPDX-License-Identifier: Apache-2.0
"""What is in a profile, read apart from the package that is measured."""

from __future__ import annotations

import json
import marshal
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

# Frames of pyinstrument for time that is not the request's.
_ELSEWHERE = ("[out-of-context]", "[await]")


class Found(NamedTuple):
    """One request's profile: how often each set of functions was seen.

    ``seconds`` is the time with a function anywhere on the stack, by name.
    ``samples`` are (functions, number) of stacks, of
    cProfile each function alone with its calls.
    """

    seconds: dict[str, float]
    samples: list[tuple[frozenset[str], int]]


def of_file(path: Path) -> Found:
    """Return what is in a ``.prof`` or ``.pyisession`` file."""
    content = path.read_bytes()
    if path.suffix == ".prof":
        # This machine has written it a moment ago.
        return of_stats(marshal.loads(content))  # noqa: S302 - as above
    session = json.loads(content)
    return of_records(session["frame_records"], session["min_interval"])


def of_records(records: Iterable[Any], interval_s: float) -> Found:
    """Return what is in the records of a pyinstrument session."""
    seconds: dict[str, float] = defaultdict(float)
    samples = []
    for stack, time_s in records:
        functions = frozenset(_name(frame) for frame in stack)
        if not functions.isdisjoint(_ELSEWHERE):
            continue
        for function in functions:
            seconds[function] += time_s
        samples.append((functions, max(1, round(time_s / interval_s))))
    return Found(dict(seconds), samples)


def of_stats(table: dict[Any, Any]) -> Found:
    """Return what is in a table of cProfile's."""
    seconds: dict[str, float] = defaultdict(float)
    samples = []
    for (_, _, function), row in table.items():
        seconds[function] += row[3]
        samples.append((frozenset((function,)), row[1]))
    return Found(dict(seconds), samples)


def shares(
    profiles: Iterable[Found], parts: Iterable[str], whole: str
) -> dict[str, float]:
    """Return the percentages of *parts* in *whole* over all *profiles*."""
    found = list(profiles)
    whole_s = sum(profile.seconds.get(whole, 0.0) for profile in found)
    return {
        part: 100
        * sum(profile.seconds.get(part, 0.0) for profile in found)
        / whole_s
        for part in parts
        if whole_s
    }


def counted(
    profile: Found, own: int, mark_of: Callable[[str], int | None]
) -> tuple[int, int]:
    """Return how many samples have a mark, and how many a foreign one.

    Every mark but *own* is foreign, that of the profiled request.
    """
    marked = foreign = 0
    for functions, number in profile.samples:
        marks = {mark_of(function) for function in functions} - {None}
        if marks:
            marked += number
            if marks != {own}:
                foreign += number
    return marked, foreign


def _name(frame: str) -> str:
    # Some profilers write the class or the outer function in front.
    return frame.partition("\x00")[0].rpartition(".")[2]
