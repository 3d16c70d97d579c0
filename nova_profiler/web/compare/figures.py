# SPDX-License-Identifier: Apache-2.0
"""The figures of the page that compares two sides, also ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nova_profiler.reading.code.diff import OWN
from nova_profiler.reading.code.diff import figures_of as functions_figures
from nova_profiler.reading.requests.distribution import (
    Distribution,
    distribution_of,
    edges_of,
)
from nova_profiler.web.compare.changes import (
    Change,
    changes_of_calls,
    changes_of_parts,
)
from nova_profiler.web.compare.sides import CompareView, Side
from nova_profiler.web.overview.figures import totals_of
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.table import Table
from nova_profiler.web.together.adding_up import Opened
from nova_profiler.web.together.opening import Opener
from nova_profiler.web.together.stacks import Stacks

if TYPE_CHECKING:
    from nova_profiler.reading.runs.compare.comparison import Comparison

MOST_ROUTES = 50
MOST_FUNCTIONS = 30
NEEDS_EXTRA = (
    "how sure a change is needs more: pip install 'nova-profiler[history]'"
)


class SideFigures(NamedTuple):
    """One side: its requests' figures, and what its opened dumps have."""

    side: Side
    total: dict[str, Any]
    distribution: Distribution | None
    opened: Opened

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        spread = self.distribution
        return {
            "choice": self.side.parameters,
            "total": self.total,
            "distribution": None if spread is None else spread.fields(),
            "opened": self.opened.fields(),
        }


class CompareFigures(NamedTuple):
    """Both sides and what changed between them.

    ``whole`` compares them as one route each, None where a side has several;
    ``routes`` route by route, None where what that needs is not installed.
    ``parts`` and ``calls`` are None until dumps of both sides are opened;
    ``stacks`` are both sides' of one engine.
    """

    view: CompareView
    slow_ms: float
    a: SideFigures
    b: SideFigures
    whole: Comparison | None
    routes: Comparison | None
    parts: list[Change] | None
    calls: list[Change] | None
    stacks: tuple[Stacks, Stacks] | None

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        stacks = None
        if self.stacks is not None:
            a, b = self.stacks
            stacks = functions_figures(
                a.functions, b.functions, OWN, MOST_FUNCTIONS
            )
        return {
            "a": self.a.fields(),
            "b": self.b.fields(),
            "whole": _comparison_fields(self.whole),
            "routes": _comparison_fields(self.routes),
            "note": NEEDS_EXTRA if self.routes is None else None,
            "parts": _fields_of(self.parts),
            "db_api": _fields_of(self.calls),
            "stacks": stacks,
        }


def compare_figures(
    rows: Iterable[Row], view: CompareView, opener: Opener, slow_ms: float
) -> CompareFigures:
    """Return the figures of both sides of *rows*, which are newest first."""
    in_a, in_b = view.a.of(rows), view.b.of(rows)
    durations = np.concatenate(
        [own.column("duration_ms") for own in (in_a, in_b)]
    )
    edges = None
    if len(durations):
        edges = edges_of(float(durations.min()), float(durations.max()))
    a, b = (
        SideFigures(
            side,
            totals_of(own, slow_ms),
            distribution_of(own.column("duration_ms").tolist(), edges),
            # Failed requests did not do the work, and are not timed either.
            opener.of(own.chosen(~own.column("is_failed")), view.order),
        )
        for side, own in ((view.a, in_a), (view.b, in_b))
    )
    return CompareFigures(
        view,
        slow_ms,
        a,
        b,
        *_compared(in_a, in_b),
        *_changes(a.opened, b.opened),
        _stacks_of_both(a.opened, b.opened),
    )


def _changes(
    a: Opened, b: Opened
) -> tuple[list[Change] | None, list[Change] | None]:
    """Return what changed in parts and in calls.

    None of a side without an opened dump: a mean over no request is not 0.
    """
    if not a.requests or not b.requests:
        return None, None
    return changes_of_parts(a, b), changes_of_calls(a, b)


def _compared(
    a: Table, b: Table
) -> tuple[Comparison | None, Comparison | None]:
    """Return both sides compared as one route each, and route by route."""
    try:
        # Only here: numpy and scipy are of another extra.
        from nova_profiler.reading.runs.compare.comparison import (
            Limits,
            compared,
        )
        from nova_profiler.web.compare.times import TimesOfSides
    except ImportError:
        return None, None
    names, limits = ("A", "B"), Limits()
    times = TimesOfSides(a, b, as_one=False)
    routes = compared(names, times, limits)
    if not times.is_of_one:
        return None, routes
    return compared(names, TimesOfSides(a, b, as_one=True), limits), routes


def _stacks_of_both(a: Opened, b: Opened) -> tuple[Stacks, Stacks] | None:
    """Return the stacks of the engine that saw most requests of both."""
    both = [name for name in a.engines if name in b.engines]
    if not both:
        return None
    name = max(
        both,
        key=lambda one: min(a.engines[one].requests, b.engines[one].requests),
    )
    return a.engines[name], b.engines[name]


def _fields_of(changes: list[Change] | None) -> list[dict[str, Any]] | None:
    if changes is None:
        return None
    return [change.fields() for change in changes]


def _comparison_fields(found: Comparison | None) -> dict[str, Any] | None:
    """Return *found* as ``compare --json`` has it; JSON has no infinity."""
    if found is None:
        return None
    from nova_profiler.reading.runs.compare.comparison import figures_of

    return {
        name: value
        for name, value in _finite(figures_of(found)).items()
        if name in ("all_routes", "routes", "nothing_compared")
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
