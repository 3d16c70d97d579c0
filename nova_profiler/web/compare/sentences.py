# SPDX-License-Identifier: Apache-2.0
"""What a comparison says, in words. Needs the extra ``history``."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.page import (
    count_line,
    interval_text,
    lines_about_all,
    percent_text,
    sure_text,
)
from nova_profiler.reading.runs.compare.verdicts import (
    FASTER,
    SLOWER,
    RouteChange,
)
from nova_profiler.web.compare.changes import UNSURE, Verdict


class RouteVerdict(NamedTuple):
    """A row of the table of routes; empty texts are not known."""

    route: str
    change: RouteChange
    percent: str
    interval: str
    sure: str


def verdict_of(whole: Comparison | None, routes: Comparison) -> Verdict:
    """Return what changed: of one route its change, else the routes' counts.

    Requests of several routes are no sample of one thing: another mix of
    them would look like a change.
    """
    if not routes.changes:
        return Verdict(UNSURE, "no request on either side has been read")
    return _of_routes(routes) if whole is None else _of_one(whole.changes[0])


def verdicts_of_routes(found: Comparison) -> list[RouteVerdict]:
    """Return the rows of the table, changed routes first."""
    return [
        RouteVerdict(
            f"{change.method} {change.route}",
            change,
            percent_text(change.change),
            _interval_of(change),
            sure_text(change),
        )
        for change in found.changes
    ]


def notes_of_routes(found: Comparison) -> list[str]:
    """Return what is to be known of all routes together."""
    return lines_about_all(found)


def _of_one(change: RouteChange) -> Verdict:
    a, b = change.a, change.b
    if change.p is None:
        return Verdict(
            UNSURE,
            f"too few requests to compare: A has {a.calls} that did not "
            f"fail, B {b.calls}; {FEW_CALLS} on each side are needed",
        )
    if change.verdict not in (SLOWER, FASTER):
        detectable = percent_text(change.detectable)
        return Verdict(
            UNSURE,
            f"no change that is sure ({percent_text(change.change)}, "
            f"{_interval_of(change)}); so many requests would show one of "
            f"{detectable}",
        )
    amount = f"{100 * abs(change.change or 0.0):.1f} %"
    return Verdict(
        change.verdict,
        f"B is {change.verdict} by {amount} ({_interval_of(change)}), "
        f"sure to {sure_text(change)}",
    )


def _of_routes(routes: Comparison) -> Verdict:
    counts = Counter(change.verdict for change in routes.changes)
    kind = UNSURE
    if counts[SLOWER] > counts[FASTER]:
        kind = SLOWER
    elif counts[FASTER]:
        kind = FASTER
    return Verdict(kind, count_line(routes))


def _interval_of(change: RouteChange) -> str:
    text = interval_text(change.low, change.high)
    return f"{text} %" if text else ""
