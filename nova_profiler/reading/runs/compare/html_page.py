# SPDX-License-Identifier: Apache-2.0
"""A comparison as a page of HTML: what changed in sight, the rest folded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.page import (
    FIRST_NUMBER,
    HEADINGS,
    answer_of,
    cells_of,
    heading_of,
    lines_about_all,
)
from nova_profiler.reading.runs.compare.verdicts import (
    FAILED_B,
    FASTER,
    SLOWER,
    RouteChange,
)
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.html_tables import (
    BAR,
    DOT,
    LINE,
    Cell,
    Head,
    Mark,
    Table,
    Tick,
    table_of,
)

_KINDS = {FAILED_B: "slow", SLOWER: "slow", FASTER: "better"}
_CHANGED = frozenset(_KINDS)
# Units of the columns that have one, which their cells then lack.
_UNITS = {
    **dict.fromkeys(("p50 A", "p50 B", "p99 A", "p99 B"), "ms"),
    **dict.fromkeys(("change", "interval", "sure", "detectable"), "%"),
}
_NAMES = frozenset({"route"})


def html_of(found: Comparison, limit: int) -> str:
    """Return the page with *limit* routes, changed ones first.

    Raises NovaProfilerError without Jinja2.
    """
    return rendered_still(
        "comparison.html",
        title=heading_of(found),
        lines=lines_about_all(found),
        counts=answer_of(found),
        failures=found.failures,
        table=_table(found, limit),
    )


def _table(found: Comparison, limit: int) -> Table:
    changes = found.changes[:limit]
    reach = _reach(changes)
    changed = sum(1 for one in changes if one.verdict in _CHANGED)
    return table_of(
        "Routes",
        "routes",
        [
            *(
                Head(
                    _heading(text),
                    is_number=place >= FIRST_NUMBER,
                    is_name=text in _NAMES,
                )
                for place, text in enumerate(HEADINGS)
            ),
            Head("change", ticks=_ticks(reach)),
        ],
        [_row(one, reach) for one in changes],
        first=max(changed, 5),
        left_out=len(found.changes) - len(changes),
        note="Dot: the change. Bar: what it may be at this confidence. Line "
        "in the middle: none; to the right: slower.",
    )


def _heading(text: str) -> str:
    return f"{text} {_UNITS[text]}" if text in _UNITS else text or "verdict"


def _row(change: RouteChange, reach: float) -> list[str | Cell]:
    verdict, route, *numbers = cells_of(change)
    kind = _KINDS.get(change.verdict, "soft")
    return [
        Cell(verdict, kind),
        route,
        *(number.removesuffix(" %") for number in numbers),
        Cell(marks=_marks(change, reach)),
    ]


def _marks(change: RouteChange, reach: float) -> list[Mark]:
    """Return the change and its interval on an axis of both signs."""
    if change.change is None:
        return []
    kind = "over" if change.verdict == SLOWER else "part"
    marks = [Mark(LINE, 0.5, kind="grid")]
    if change.low is not None and change.high is not None:
        low, high = _place(change.low, reach), _place(change.high, reach)
        marks.append(Mark(BAR, low, high - low, kind, 5.0))
    return [*marks, Mark(DOT, _place(change.change, reach), kind=kind)]


def _place(change: float, reach: float) -> float:
    """Return the place of a change: half as long is as far off as twice."""
    log_ratio = math.log(max(1e-9, 1 + change))
    return min(1.0, max(0.0, 0.5 + log_ratio / (2 * reach)))


def _reach(changes: Sequence[RouteChange]) -> float:
    """Return the largest change of all, as a logarithm; 10 % at least."""
    return max(
        (
            abs(math.log(max(1e-9, 1 + one.change)))
            for one in changes
            if one.change is not None
        ),
        default=0.0,
    ) + math.log(1.1)


def _ticks(reach: float) -> list[Tick]:
    most = math.expm1(reach)
    least = math.expm1(-reach)
    return [
        Tick(0.0, f"{100 * least:+.0f} %"),
        Tick(0.5, "0"),
        Tick(1.0, f"{100 * most:+.0f} %"),
    ]
