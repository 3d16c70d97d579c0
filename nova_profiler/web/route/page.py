# SPDX-License-Identifier: Apache-2.0
"""The page of one route in HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_profiler.groups import DB_API
from nova_profiler.reading.advice.page import ADVICE_HEADING, sentence_of
from nova_profiler.reading.requests.distribution import ticks_of
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.page_colors import class_of
from nova_profiler.reading.screen.terminal import counted, time_text
from nova_profiler.web.choice import Choice
from nova_profiler.web.compare.sides import CompareView, Side
from nova_profiler.web.index import Progress
from nova_profiler.web.overview.figures import label_of
from nova_profiler.web.overview.heat_map import axis_times
from nova_profiler.web.route.figures import RouteFigures
from nova_profiler.web.route.stacks import flames_of
from nova_profiler.web.rows import Row
from nova_profiler.web.scripts import start_of
from nova_profiler.web.together.picture import Mark, ms_or_s, picture_of

_MOST_ROWS = 40


class _Part(NamedTuple):
    """A part of a stacked bar: shares of the width, and its words."""

    kind: str
    left: float
    width: float
    words: str


def page_of(figures: RouteFigures, progress: Progress, home: str) -> str:
    """Return the page; *home* is the overview's address.

    Raises NovaProfilerError without Jinja2.
    """
    view = figures.view
    rows = _rows(figures)
    side = Side(view.choice)
    return rendered_still(
        "routes/route.html",
        start_of(home),
        view=figures,
        progress=progress,
        home=home,
        compare=f"{home}compare{CompareView(side, side).link()}",
        none_of=Choice._field_defaults,
        picture=picture_of(
            figures.distribution,
            figures.slow_ms,
            lambda step: (
                home
                + view.choice.link(
                    min_ms=step.low_ms, max_ms=step.high_ms, sort="ms"
                )
            ),
        ),
        spans=_spans(figures),
        advice_heading=ADVICE_HEADING,
        advice=[sentence_of(row) for row in figures.calls["advice"]],
        pair=figures.pair,
        differing_calls=[
            one
            for one in (figures.pair.calls if figures.pair else [])
            if one.typical != one.slowest
        ],
        stacked=_stacked(figures, home),
        parts=rows["parts"],
        zero=rows["zero"],
        per_request=max(1, figures.opened.requests),
        db_api=DB_API.bucket.name,
        most_rows=_MOST_ROWS,
        flames=flames_of(figures.opened, view),
        hidden=_hidden(figures),
        stripes=_stripes,
        longest=figures.slowest[0].duration_ms,
        time_of=_time_of,
        class_of=class_of,
        short=ms_or_s,
    )


def _rows(figures: RouteFigures) -> dict[str, Any]:
    """Return each part with the places of its difference's bar."""
    parts = figures.pair.parts if figures.pair else []
    changes = {part.name: part.more_ms for part in parts}
    in_pair = {part.name: part for part in parts}
    means = {part.name: part for part in figures.parts}
    low = min([0.0, *changes.values()])
    whole = max(1e-9, max([0.0, *changes.values()]) - low)
    rows = []
    for name in {**in_pair, **means}:
        mean, pair = means.get(name), in_pair.get(name)
        change = changes.get(name, 0.0)
        rows.append(
            {
                "name": name,
                "label": label_of(name),
                "ms": mean.ms if mean else 0.0,
                "share": mean.share if mean else 0.0,
                "typical_ms": pair.typical_ms if pair else 0.0,
                "slowest_ms": pair.slowest_ms if pair else 0.0,
                "left": (min(0.0, change) - low) / whole,
                "width": abs(change) / whole,
            }
        )
    return {"parts": rows, "zero": -low / whole}


def _stacked(figures: RouteFigures, home: str) -> list[dict[str, Any]]:
    """Return a bar of parts each: the mean, the typical, the slowest."""
    bars = [("mean", "", {part.name: part.ms for part in figures.parts}, 0.0)]
    pair = figures.pair
    if pair is not None:
        bars += [
            (
                title,
                f"{home}requests/{row.key}",
                {part.name: getattr(part, field) for part in pair.parts},
                row.duration_ms,
            )
            for title, row, field in (
                ("typical", pair.typical, "typical_ms"),
                ("slowest", pair.slowest, "slowest_ms"),
            )
        ]
    widest = max(max(sum(parts.values()), ms) for _, _, parts, ms in bars)
    # Of all bars alike, so that a colour stands in the same order.
    order = [part.name for part in figures.parts]
    return [
        {
            "title": title,
            "link": link,
            "ms": ms or sum(parts.values()),
            "parts": _parts_of_bar(parts, order, widest),
        }
        for title, link, parts, ms in bars
    ]


def _parts_of_bar(
    parts: dict[str, float], order: Sequence[str], widest: float
) -> list[_Part]:
    found = []
    left = 0.0
    for name in {**dict.fromkeys(order), **parts}:
        width = max(0.0, parts.get(name, 0.0)) / max(1e-9, widest)
        if width:
            words = f"{label_of(name)} {parts[name]:.1f} ms"
            found.append(_Part(class_of(name), left, width, words))
        left += width
    return found


def _spans(figures: RouteFigures) -> dict[str, Any] | None:
    """Return the spans of time as places in a picture."""
    found = figures.over_time
    if found is None:
        return None
    low = max(0.01, min(span.p50_ms for span in found.spans)) * 0.8
    high = max(0.02, *(span.p99_ms for span in found.spans)) * 1.25
    most = max(span.requests for span in found.spans)

    def place(ms: float) -> float:
        at = math.log(max(low, ms) / low) / math.log(high / low)
        return min(1.0, at)

    return {
        "width": _width_text(found.width_ms),
        "ticks": [Mark(place(ms), ms_or_s(ms)) for ms in ticks_of(low, high)],
        "times": axis_times(found.start_ms, found.width_ms, found.columns),
        "drawn": [
            {
                "left": (span.number + 0.08) / found.columns,
                "width": 0.84 / found.columns,
                "p50": place(span.p50_ms),
                "p99": place(span.p99_ms),
                "requests": span.requests / most,
                "failed": span.failed / most,
                "words": (
                    f"{time_text(span.since)[:19]}: "
                    f"{counted(span.requests, 'request')}, "
                    f"p50 {ms_or_s(span.p50_ms)}, p99 {ms_or_s(span.p99_ms)}, "
                    f"{span.failed} failed"
                ),
                "link": figures.view.chosen(
                    since=span.since, until=span.until
                ),
            }
            for span in found.spans
        ],
    }


def _width_text(width_ms: int) -> str:
    for unit, ms in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if width_ms >= ms:
            return f"{width_ms / ms:g} {unit}"
    return f"{width_ms / 1000:g} s"


def _hidden(figures: RouteFigures) -> list[tuple[str, str]]:
    """Return what the search for a function keeps of the address."""
    view = figures.view
    fields = [*view.choice.filters.items(), ("dumps", view.order)]
    if view.frame:
        fields.append(("frame", str(view.frame)))
    if view.callers:
        fields.append(("callers", view.callers))
    return fields


def _stripes(row: Row, whole_ms: float) -> list[tuple[str, float, float, str]]:
    """Return the parts of a request's bar: class, left, width, words."""
    left = 0.0
    found = []
    for name, ms in row.parts:
        width = ms / max(whole_ms, 1e-9)
        found.append(
            (class_of(name), left, width, f"{label_of(name)} {ms:.1f} ms")
        )
        left += width
    return found


def _time_of(row: Row) -> str:
    return time_text(row.started_at) or row.key
