# SPDX-License-Identifier: Apache-2.0
"""The page that compares two sides in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_profiler.groups import DB_API
from nova_profiler.reading.code import diff
from nova_profiler.reading.code.certainty import cut_note
from nova_profiler.reading.requests.distribution import Step
from nova_profiler.reading.runs import FEW_CALLS
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.page_colors import class_of
from nova_profiler.web.compare.changes import (
    UNSURE,
    Change,
    Verdict,
    verdict_of,
)
from nova_profiler.web.compare.figures import (
    MOST_FUNCTIONS,
    MOST_ROUTES,
    NEEDS_EXTRA,
    CompareFigures,
    SideFigures,
)
from nova_profiler.web.compare.flame import difference_flame_of
from nova_profiler.web.compare.sides import DIRECTORY, FIELDS, A, B, name_of
from nova_profiler.web.index import Progress
from nova_profiler.web.scripts import start_of
from nova_profiler.web.together.picture import ms_or_s, picture_of

_MOST_ROWS = 40
# Fields of the form; the others of the address are kept as they are.
_ASKED = ("route", "since", "until", "user")
_HINTS = {
    "route": "GET /v2.1/servers",
    "since": "2026-11-21T10:35",
    "until": "2026-11-21T12:00",
}


def page_of(
    figures: CompareFigures,
    progress: Progress,
    directories: Sequence[str],
    home: str,
) -> str:
    """Return the page; *home* is the overview's address.

    Raises NovaProfilerError without Jinja2.
    """
    view, calls = figures.view, figures.calls or []
    return rendered_still(
        "routes/compare.html",
        start_of(home),
        view=figures,
        progress=progress,
        home=home,
        sides=[
            _side(name, side, figures, directories, home)
            for name, side in (("A", figures.a), ("B", figures.b))
        ],
        form=_form(figures),
        kept=_kept(figures),
        directories=list(enumerate(directories)),
        **_verdicts(figures),
        few=FEW_CALLS,
        unopened=_unopened(figures),
        parts=_rows(figures.parts or []),
        calls=_rows(calls[:_MOST_ROWS]),
        more_calls=max(0, len(calls) - _MOST_ROWS),
        db_api=DB_API.bucket.name,
        stacks=_stacks(figures),
        class_of=class_of,
        short=ms_or_s,
        link_of_route=view.of_route,
    )


def _verdicts(figures: CompareFigures) -> dict[str, Any]:
    """Return what changed in a sentence, and route by route."""
    if figures.routes is None:
        return {"verdict": Verdict(UNSURE, NEEDS_EXTRA), "routes": []}
    # Only here: it needs another extra.
    from nova_profiler.web.compare import sentences

    routes: list[Any] = []
    if figures.whole is None:
        routes = sentences.verdicts_of_routes(figures.routes)
    return {
        "verdict": sentences.verdict_of(figures.whole, figures.routes),
        "routes": routes[:MOST_ROUTES],
        "more_routes": max(0, len(routes) - MOST_ROUTES),
        "route_notes": sentences.notes_of_routes(figures.routes),
    }


def _unopened(figures: CompareFigures) -> str:
    """Return why there are no parts and no calls; empty where there are."""
    sides = (("A", figures.a.opened), ("B", figures.b.opened))
    lacking = [(name, one) for name, one in sides if not one.requests]
    if not lacking:
        return ""
    names = " or ".join(name for name, _ in lacking)
    yet = "" if all(one.is_done for _, one in lacking) else " yet"
    return (
        f"no parts and no calls to compare: no dump of {names} has been "
        f"opened{yet}"
    )


def _side(
    name: str,
    side: SideFigures,
    figures: CompareFigures,
    directories: Sequence[str],
    home: str,
) -> dict[str, Any]:
    choice = side.side.choice

    def link(step: Step) -> str:
        chosen = choice.link(
            min_ms=step.low_ms, max_ms=step.high_ms, sort="ms"
        )
        return f"{home}{chosen}"

    spread = side.distribution
    return {
        "name": name,
        "words": name_of(side.side, directories),
        "total": side.total,
        "p90_ms": spread.percentiles_ms[90] if spread else 0.0,
        "picture": picture_of(spread, figures.slow_ms, link)
        if spread
        else None,
        "opened": side.opened,
        "link": f"{home}{choice.link()}",
    }


def _form(figures: CompareFigures) -> list[tuple[str, list[dict[str, str]]]]:
    """Return the fields of each side."""
    both = (("A", A, figures.view.a), ("B", B, figures.view.b))
    return [
        (
            title,
            [
                {
                    "name": name,
                    "field": prefix + name,
                    "value": side.parameters.get(name, ""),
                    "hint": _HINTS.get(name, ""),
                }
                for name in (DIRECTORY, *_ASKED)
            ],
        )
        for title, prefix, side in both
    ]


def _kept(figures: CompareFigures) -> list[tuple[str, str]]:
    """Return what else of the address the form keeps."""
    others = (*FIELDS, "min_ms", "max_ms")
    found = [
        (prefix + name, side.parameters[name])
        for prefix, side in ((A, figures.view.a), (B, figures.view.b))
        for name in others
        if name in side.parameters and name not in (DIRECTORY, *_ASKED)
    ]
    return [*found, ("dumps", figures.view.order)]


def _rows(changes: Sequence[Change]) -> dict[str, Any]:
    """Return changes with the places of their bars, and that of zero."""
    low = min([0.0, *(one.change_ms for one in changes)])
    high = max([0.0, *(one.change_ms for one in changes)])
    whole = max(1e-9, high - low)
    return {
        "zero": -low / whole,
        "rows": [
            {
                "change": one,
                "left": (min(0.0, one.change_ms) - low) / whole,
                "width": abs(one.change_ms) / whole,
            }
            for one in changes
        ],
    }


def _stacks(figures: CompareFigures) -> dict[str, Any] | None:
    if figures.stacks is None:
        return None
    a, b = figures.stacks
    changes = diff.changes_of(a.functions, b.functions)
    shown: dict[str, Any] = {
        "engine": a.engine,
        "a": a,
        "b": b,
        "functions": changes[:MOST_FUNCTIONS],
        "all_functions": len(changes),
        "sure": sum(one.is_clear for one in changes),
        "notes": [
            *diff.notes_of(a.functions, b.functions),
            # Once, of whichever side it is.
            *filter(None, [cut_note(a.whole) or cut_note(b.whole)]),
        ],
        "verdict": verdict_of,
        "flame": None,
    }
    if a.tree is not None and b.tree is not None:
        flame = difference_flame_of(
            a.tree,
            a.requests,
            b.tree,
            b.requests,
            figures.view.frame,
            whole=bool(figures.view.callers),
        )
        if flame.boxes:
            shown["flame"] = flame
            shown["levels"] = max(box.level for box in flame.boxes) + 1
    return shown
