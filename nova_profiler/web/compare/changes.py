# SPDX-License-Identifier: Apache-2.0
"""Parts of the time and DB API functions, the one that changed most first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from nova_profiler.groups import LABELS
from nova_profiler.reading.code.diff import FEWEST_REQUESTS
from nova_profiler.web.together.adding_up import Opened
from nova_profiler.web.together.spread import Spread

# As in the differences of functions: many are compared at once.
_CLEAR = 3.0

SLOWER, FASTER, UNSURE = "slower", "faster", "unsure"


class Verdict(NamedTuple):
    """What changed, in a sentence; ``kind`` is SLOWER, FASTER or UNSURE."""

    kind: str
    text: str


class Change(NamedTuple):
    """A figure in a mean request of both sides, in milliseconds.

    ``error_ms`` is the standard error of the change. ``a_calls`` and
    ``b_calls`` are of a mean request, None where calls are not counted.
    """

    name: str
    label: str
    a_ms: float
    b_ms: float
    error_ms: float
    is_clear: bool
    a_calls: float | None = None
    b_calls: float | None = None

    @property
    def change_ms(self) -> float:
        """Return by how much longer side b takes."""
        return self.b_ms - self.a_ms

    @property
    def verdict(self) -> str:
        """Return SLOWER, FASTER or UNSURE."""
        return verdict_of(self.change_ms, self.is_clear)

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        calls = {}
        if self.a_calls is not None and self.b_calls is not None:
            calls = {
                "a_calls": round(self.a_calls, 3),
                "b_calls": round(self.b_calls, 3),
            }
        return {
            "name": self.name,
            "label": self.label,
            "a_ms": round(self.a_ms, 3),
            "b_ms": round(self.b_ms, 3),
            "change_ms": round(self.change_ms, 3),
            "error_ms": round(self.error_ms, 3),
            "verdict": self.verdict,
            **calls,
        }


def verdict_of(change: float, is_clear: bool) -> str:
    """Return SLOWER, FASTER or UNSURE."""
    if not is_clear:
        return UNSURE
    return SLOWER if change > 0 else FASTER


def changes_of_parts(a: Opened, b: Opened) -> list[Change]:
    """Return the parts of the time of both."""
    return _ranked(
        _change(name, LABELS.get(name, name), a, b, *_spreads(name, a, b))
        for name in {**a.parts, **b.parts}
    )


def changes_of_calls(a: Opened, b: Opened) -> list[Change]:
    """Return the DB API functions of both."""
    found = []
    for name in {**a.calls.functions, **b.calls.functions}:
        mine, theirs = (one.calls.functions.get(name) for one in (a, b))
        spreads = [Spread(), Spread()]
        for spread, row in zip(spreads, (mine, theirs), strict=True):
            for ms in row.per_request_ms if row else ():
                spread.add(ms)
        change = _change(name, name, a, b, *spreads)
        found.append(
            change._replace(
                a_calls=mine.calls / max(1, a.requests) if mine else 0.0,
                b_calls=theirs.calls / max(1, b.requests) if theirs else 0.0,
            )
        )
    return _ranked(found)


def _spreads(name: str, a: Opened, b: Opened) -> tuple[Spread, Spread]:
    return a.parts.get(name, Spread()), b.parts.get(name, Spread())


def _change(
    name: str, label: str, a: Opened, b: Opened, in_a: Spread, in_b: Spread
) -> Change:
    a_ms, b_ms = in_a.mean(a.requests), in_b.mean(b.requests)
    error = math.hypot(in_a.error(a.requests), in_b.error(b.requests))
    enough = min(a.requests, b.requests) >= FEWEST_REQUESTS
    is_clear = enough and abs(b_ms - a_ms) > _CLEAR * error
    return Change(name, label, a_ms, b_ms, error, is_clear)


def _ranked(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda one: -abs(one.change_ms))
