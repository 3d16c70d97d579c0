# SPDX-License-Identifier: Apache-2.0
"""The figures of one route's page, also ready for JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from nova_profiler.groups import LABELS
from nova_profiler.reading.code.hot_path import figures_of as stacks_figures
from nova_profiler.reading.requests.calls_by_route import (
    figures_of as calls_figures,
)
from nova_profiler.reading.requests.distribution import (
    Distribution,
    distribution_of,
)
from nova_profiler.web.index import Index
from nova_profiler.web.overview.figures import row_fields, totals_of
from nova_profiler.web.route.over_time import OverTime, over_time_of
from nova_profiler.web.route.pair import Pair, pair_of
from nova_profiler.web.route.view import RouteView
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.table import Table
from nova_profiler.web.together.adding_up import Opened, slowest_first
from nova_profiler.web.together.opening import Opener

MOST_REQUESTS = 20


class PartOfRoute(NamedTuple):
    """A part of a mean request of the opened dumps."""

    name: str
    label: str
    ms: float
    share: float


class RouteFigures(NamedTuple):
    """What the page shows of the requests that *view* chooses.

    ``total`` are counts and percentiles; ``calls`` are those of the DB API,
    as ``nova-profiler calls`` has them; ``slowest`` are requests.
    """

    view: RouteView
    slow_ms: float
    total: dict[str, Any]
    distribution: Distribution
    over_time: OverTime | None
    pair: Pair | None
    opened: Opened
    parts: list[PartOfRoute]
    calls: dict[str, Any]
    slowest: list[Row]

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "choice": self.view.choice.filters,
            "slow_ms": self.slow_ms,
            "total": self.total,
            "distribution": self.distribution.fields(),
            "over_time": [
                span._asdict()
                for span in (self.over_time.spans if self.over_time else [])
            ],
            "slowest_beside_typical": self.pair and self.pair.fields(),
            "opened": self.opened.fields(),
            "parts": [
                {**part._asdict(), "ms": round(part.ms, 3)}
                for part in self.parts
            ],
            "advice": self.calls["advice"],
            "db_api": {
                name: self.calls[name]
                for name in ("requests", "share", "totals", "functions")
            },
            "stacks": [
                stacks_figures(one.whole)
                for one in self.opened.engines.values()
            ],
            "slowest": [row_fields(row) for row in self.slowest],
        }


def route_figures(
    index: Index,
    rows: Table,
    view: RouteView,
    opener: Opener,
    slow_ms: float,
) -> RouteFigures | None:
    """Return the figures of *rows*, which are newest first; None of none."""
    distribution = distribution_of(rows.column("duration_ms").tolist())
    if distribution is None:
        return None
    opened = opener.of(rows, view.order)
    return RouteFigures(
        view,
        slow_ms,
        totals_of(rows, slow_ms),
        distribution,
        over_time_of(rows),
        pair_of(index, rows),
        opened,
        _parts(opened),
        calls_figures(opened.calls),
        slowest_first(rows)[:MOST_REQUESTS],
    )


def _parts(opened: Opened) -> list[PartOfRoute]:
    """Return the parts of a mean request, the largest first."""
    requests = opened.requests
    whole = opened.calls.duration_ms / max(1, requests)
    parts = [
        PartOfRoute(
            name,
            LABELS.get(name, name),
            spread.mean(requests),
            spread.mean(requests) / whole if whole > 0 else 0.0,
        )
        for name, spread in opened.parts.items()
    ]
    return sorted(parts, key=lambda part: -part.ms)
