# SPDX-License-Identifier: Apache-2.0
"""Compares two sets of profiles: the time of each function in a request.

A function is known by its file and name: between two releases its line
moves. The mean over the requests of a set counts 0 for a request that does
not call the function, or in which no sample hit it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from nova_profiler.profiles.functions import Function, short_file
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.summaries import SAMPLES, Row
from nova_profiler.reading.code.certainty import seconds
from nova_profiler.reading.code.hot_path import function_figures
from nova_profiler.reading.screen.terminal import counted

OWN = "tottime"
TOTAL = "cumtime"

# With fewer, most differences are chance.
FEWEST_REQUESTS = 5
FEWEST_SAMPLES = 100
# A difference is clear from this number of standard errors on: more than the
# usual two, since many functions are compared at once.
_CLEAR = 3.0
# The time of a sample is an estimate: if it differs by a larger factor
# between the sets, all times may.
_ALIKE = 2.0

Key = tuple[str, str]


class Sums:
    """A function over the requests of one set."""

    __slots__ = ("chance", "function", "number", "squares", "total_s")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.number = 0
        self.total_s = 0.0
        self.squares = 0.0
        # The sum of the squares of the samples' times.
        self.chance = 0.0

    def add(self, number: int, time_s: float, sample_s: float) -> None:
        """Add the function's part of one request."""
        self.number += number
        self.total_s += time_s
        self.squares += time_s * time_s
        self.chance += time_s * sample_s


class ProfileSet:
    """The profiles of one engine on one side."""

    def __init__(self, engine: str, kind: str) -> None:
        self.engine = engine
        self.kind = kind
        self.requests = 0
        # How many of these have no sample.
        self.without_samples = 0
        self.number = 0
        self._sampled_s = 0.0
        self.functions: dict[Key, Sums] = {}

    def add(self, profile: Profile, by: str) -> None:
        """Add one request's profile."""
        self.requests += profile.profiles
        self.number += profile.number
        self._sampled_s += profile.sample_s * profile.number
        for key, (row, time_s) in _by_name(profile.rows(), by).items():
            sums = self.functions.get(key)
            if sums is None:
                sums = self.functions[key] = Sums(row.function)
            sums.add(row.number, time_s, profile.sample_s)

    def add_without_samples(self, requests: int) -> None:
        """Add requests whose functions all took less than a sample."""
        self.requests += requests
        self.without_samples += requests

    @property
    def sample_s(self) -> float:
        """Return the mean time of a sample, 0 of counted calls."""
        return self._sampled_s / self.number if self.number else 0.0

    def mean_s(self, key: Key) -> float:
        """Return the function's seconds in a mean request."""
        sums = self.functions.get(key)
        return sums.total_s / self.requests if sums else 0.0

    def number_of(self, key: Key) -> float:
        """Return the function's calls or samples in a mean request."""
        sums = self.functions.get(key)
        return sums.number / self.requests if sums else 0.0

    def error_s(self, key: Key) -> float:
        """Return the standard error of the mean.

        Requests differ, and the samples of each are a draw. One more sample
        is assumed: a function without any may still have run.
        """
        if self.requests < 2:
            return 0.0
        sums = self.functions.get(key)
        chance = self.sample_s * self.sample_s
        spread = 0.0
        if sums is not None:
            mean = sums.total_s / self.requests
            spread = max(0.0, sums.squares / self.requests - mean * mean)
            chance += sums.chance
        return math.sqrt(
            spread / (self.requests - 1)
            + chance / (self.requests * self.requests)
        )

    @property
    def is_little(self) -> bool:
        """Return whether requests or samples are too few to compare."""
        return self.requests < FEWEST_REQUESTS or (
            self.kind == SAMPLES and self.number < FEWEST_SAMPLES
        )


class Change(NamedTuple):
    """A function in both sets; seconds and numbers are of a request."""

    function: Function
    before_s: float
    after_s: float
    before_number: float
    after_number: float
    error_s: float
    is_clear: bool

    @property
    def change_s(self) -> float:
        """Return by how much longer the function takes."""
        return self.after_s - self.before_s


def changes_of(before: ProfileSet, after: ProfileSet) -> list[Change]:
    """Return every function, the one that changed most first."""
    can_tell = not (before.is_little or after.is_little) and _are_alike(
        before, after
    )
    changes = []
    for key in {**before.functions, **after.functions}:
        error_s = math.hypot(before.error_s(key), after.error_s(key))
        change_s = after.mean_s(key) - before.mean_s(key)
        sums = after.functions.get(key) or before.functions[key]
        changes.append(
            Change(
                sums.function,
                before.mean_s(key),
                after.mean_s(key),
                before.number_of(key),
                after.number_of(key),
                error_s,
                can_tell and abs(change_s) > _CLEAR * error_s,
            )
        )
    return sorted(changes, key=lambda one: -abs(one.change_s))


def notes_of(before: ProfileSet, after: ProfileSet) -> list[str]:
    """Return what a reader must know to take the differences rightly."""
    return [*_notes_of_little(before, after), *_notes_of_unlike(before, after)]


def _are_alike(before: ProfileSet, after: ProfileSet) -> bool:
    """Return whether a sample stands for about the same on both sides."""
    less_s, more_s = sorted((before.sample_s, after.sample_s))
    return more_s <= _ALIKE * less_s


def _notes_of_unlike(before: ProfileSet, after: ProfileSet) -> list[str]:
    if _are_alike(before, after):
        return []
    return [
        f"a sample stands for {seconds(before.sample_s)} in A and "
        f"{seconds(after.sample_s)} in B: no difference is sure; "
        f"profiler_interval_ms sets it"
    ]


def _notes_of_little(before: ProfileSet, after: ProfileSet) -> list[str]:
    few = [
        f"{name} has {counted(one.requests, 'request')}"
        + (
            f" and {counted(one.number, 'sample')}"
            if one.kind == SAMPLES
            else ""
        )
        for name, one in (("A", before), ("B", after))
        if one.is_little
    ]
    if not few:
        return []
    need = f"{FEWEST_REQUESTS} requests"
    if before.kind == SAMPLES:
        need += f" or {FEWEST_SAMPLES} samples"
    return [
        f"little data: {' and '.join(few)}; with less than {need} on either "
        f"side no difference is sure"
    ]


def figures_of(
    before: ProfileSet, after: ProfileSet, by: str, limit: int
) -> dict[str, Any]:
    """Return the differences as JSON-ready values."""
    kind = before.kind
    changes = changes_of(before, after)
    return {
        "engine": before.engine,
        "by": by,
        "a": _size_of(before),
        "b": _size_of(after),
        "functions": [
            {
                **function_figures(one.function),
                "a_ms": round(1000 * one.before_s, 4),
                "b_ms": round(1000 * one.after_s, 4),
                "change_ms": round(1000 * one.change_s, 4),
                "error_ms": round(1000 * one.error_s, 4),
                f"a_{kind}": round(one.before_number, 3),
                f"b_{kind}": round(one.after_number, 3),
                "clear": one.is_clear,
            }
            for one in changes[:limit]
        ],
        "more": len(changes[limit:]),
        "notes": notes_of(before, after),
    }


def _size_of(one: ProfileSet) -> dict[str, Any]:
    size: dict[str, Any] = {"requests": one.requests, one.kind: one.number}
    if one.kind == SAMPLES:
        size["requests_without_samples"] = one.without_samples
        size["sample_s"] = round(one.sample_s, 6)
    return size


def _by_name(rows: Iterable[Row], by: str) -> dict[Key, tuple[Row, float]]:
    """Return rows by file and name.

    Own times of functions with one name in a file add up. Their total times
    may contain each other, so that the largest stands for all.
    """
    found: dict[Key, tuple[Row, float]] = {}
    for row in rows:
        time_s = row.self_s if by == OWN else row.total_s
        key = (short_file(row.function.file), row.function.name)
        known = found.get(key)
        if known is not None and by == OWN:
            row = row._replace(number=row.number + known[0].number)
            time_s += known[1]
        elif known is not None and known[1] >= time_s:
            continue
        found[key] = row, time_s
    return found
