# SPDX-License-Identifier: Apache-2.0
"""How long many calls took: exact for few, a histogram for very many."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from typing import Any

# Each step is 2 % wide: a percentile is at most 1 % off.
_GROWTH = 1.02
_PER_LOG = 1 / log(_GROWTH)
# Keeps the numbers of steps above zero, where int() rounds down.
_OFFSET = 2_000
_LEAST_MS = 1e-9
_NS = 1_000_000
_MS_PER_S = 1000

QUANTILE_ERROR = 0.01


class Batch:
    """Some durations, with figures that all rows they go to share."""

    __slots__ = (
        "_steps",
        "longest_ms",
        "shortest_ms",
        "slow",
        "total_ns",
        "values",
    )

    def __init__(self, values: Sequence[float], slow_ms: float) -> None:
        self.values = values
        # Whole numbers add up to the same in any order.
        self.total_ns = sum([int(ms * _NS + 0.5) for ms in values])
        self.shortest_ms = min(values)
        self.longest_ms = max(values)
        self.slow = (
            sum(1 for ms in values if ms >= slow_ms)
            if self.longest_ms >= slow_ms
            else 0
        )
        self._steps: list[int] | None = None

    def steps(self) -> list[int]:
        """Return each duration's step of the histogram."""
        if self._steps is None:
            self._steps = _steps_of(self.values)
        return self._steps


class Durations:
    """Count, sum, least and most of all; percentiles.

    Percentiles are exact until ``collapse``, and within ``QUANTILE_ERROR``
    from then on. All other figures stay exact.
    """

    __slots__ = (
        "_steps",
        "_values",
        "count",
        "longest_ms",
        "shortest_ms",
        "slow",
        "total_ns",
    )

    def __init__(self, is_exact: bool = True) -> None:
        self.count = 0
        self.slow = 0
        self.total_ns = 0
        self.shortest_ms = float("inf")
        self.longest_ms = 0.0
        self._values: array[float] = array("d")
        self._steps: Counter[int] | None = None if is_exact else Counter()

    def add(self, batch: Batch) -> None:
        """Add the durations of *batch*."""
        self.count += len(batch.values)
        self.slow += batch.slow
        self.total_ns += batch.total_ns
        self.shortest_ms = min(self.shortest_ms, batch.shortest_ms)
        self.longest_ms = max(self.longest_ms, batch.longest_ms)
        if self._steps is None:
            self._values.extend(batch.values)
        else:
            self._steps.update(batch.steps())

    def merge(self, other: Durations) -> None:
        """Add what *other* holds."""
        self.count += other.count
        self.slow += other.slow
        self.total_ns += other.total_ns
        self.shortest_ms = min(self.shortest_ms, other.shortest_ms)
        self.longest_ms = max(self.longest_ms, other.longest_ms)
        if other._steps is not None:
            self.collapse()
        if self._steps is None:
            self._values.extend(other._values)
        elif other._steps is None:
            self._steps.update(_steps_of(other._values))
        else:
            self._steps.update(other._steps)

    def collapse(self) -> None:
        """Replace the durations by the counts of a histogram."""
        if self._steps is None:
            self._steps = Counter(_steps_of(self._values))
            self._values = array("d")

    @property
    def is_exact(self) -> bool:
        """Return whether percentiles are exact."""
        return self._steps is None

    @property
    def mean_ms(self) -> float:
        """Return the mean."""
        return self.total_ms / self.count if self.count else 0.0

    @property
    def total_ms(self) -> float:
        """Return the sum."""
        return self.total_ns / _NS

    @property
    def slow_share(self) -> float:
        """Return the part that was slow."""
        return self.slow / self.count if self.count else 0.0

    def percentiles_ms(self, *percents: float) -> list[float]:
        """Return the percentiles, each by nearest rank."""
        if not self.count:
            return [0.0 for _ in percents]
        ranks = [
            max(1, int(-(-self.count * percent // 100)))
            for percent in percents
        ]
        if self._steps is None:
            in_order = sorted(self._values)
            return [in_order[rank - 1] for rank in ranks]
        return [self._about(rank) for rank in ranks]

    def spread(self) -> Iterator[tuple[float, int]]:
        """Yield durations and the count of each, in order."""
        if self._steps is None:
            yield from sorted(Counter(self._values).items())
        else:
            for step in sorted(self._steps):
                yield self._middle_of(step), self._steps[step]

    def _about(self, rank: int) -> float:
        for ms, count in self.spread():
            rank -= count
            if rank <= 0:
                return ms
        return self.longest_ms

    def _middle_of(self, step: int) -> float:
        middle: float = _GROWTH ** (step - _OFFSET + 0.5)
        return min(max(middle, self.shortest_ms), self.longest_ms)


def duration_texts(durations_ms: Sequence[float]) -> list[str]:
    """Return *durations_ms* as texts of one unit, which suits the largest."""
    if max(durations_ms, default=0.0) >= _MS_PER_S:
        return [f"{_plain(ms / _MS_PER_S)} s" for ms in durations_ms]
    return [f"{_plain(ms)} ms" for ms in durations_ms]


def step_texts(steps: Sequence[dict[str, Any]]) -> list[str]:
    """Return what each of the spread's *steps* holds, in one unit."""
    bounds = [step["below_ms"] or step["from_ms"] for step in steps]
    return [
        f"from {text}" if step["below_ms"] is None else f"below {text}"
        for step, text in zip(steps, duration_texts(bounds), strict=True)
    ]


def _plain(number: float) -> str:
    """Return *number* without an exponent, and without zeros at its end."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _steps_of(values: Sequence[float]) -> list[int]:
    return [int(log(ms or _LEAST_MS) * _PER_LOG + _OFFSET) for ms in values]
