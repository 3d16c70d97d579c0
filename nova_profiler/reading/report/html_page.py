# SPDX-License-Identifier: Apache-2.0
"""A report as a page of HTML, and where the marks of its plots stand."""

from __future__ import annotations

from math import log10
from typing import Any, NamedTuple

from nova_profiler.reading.report.durations import duration_text
from nova_profiler.reading.screen.html_pages import rendered

WIDTH = 640
_SPREAD_HEIGHT = 120
_LEAST_MS = 0.1


def html_of(summary: dict[str, Any]) -> str:
    """Return the page. Raises NovaProfilerError without Jinja2."""
    axis = axis_of(summary)
    return rendered(
        "report.html",
        summary=summary,
        width=WIDTH,
        ticks=axis.ticks(),
        spans=spans_of(summary, axis),
        slow_x=axis.x(summary["slow_ms"]),
        steps=steps_of(summary, _SPREAD_HEIGHT),
        spread_height=_SPREAD_HEIGHT,
    )


class Tick(NamedTuple):
    """A line across a plot, and its label."""

    x: float
    label: str


class Span(NamedTuple):
    """One row of a plot: its percentiles as places on the axis."""

    label: str
    calls: int
    p50: float
    p90: float
    p99: float
    longest: float
    title: str


class Step(NamedTuple):
    """One bar of the spread."""

    x: float
    height: float
    label: str
    calls: int
    is_slow: bool


class Axis:
    """Milliseconds on a logarithmic axis of ``WIDTH``."""

    def __init__(self, least_ms: float, most_ms: float) -> None:
        self._low = log10(max(_LEAST_MS, least_ms))
        self._high = max(self._low + 1, log10(max(_LEAST_MS, most_ms)))

    def x(self, ms: float) -> float:
        """Return the place of *ms*."""
        place = (log10(max(_LEAST_MS, ms)) - self._low) / (
            self._high - self._low
        )
        return round(WIDTH * min(1.0, max(0.0, place)), 1)

    def ticks(self) -> list[Tick]:
        """Return a mark for each power of ten."""
        marks = []
        for decade in range(-1, 9):
            ms = 10.0**decade
            if self._low <= decade <= self._high:
                marks.append(Tick(self.x(ms), duration_text(ms)))
        return marks


def axis_of(summary: dict[str, Any]) -> Axis:
    """Return the axis on which all rows of *summary* have room."""
    rows = summary["rows"] or [summary["total"]]
    return Axis(
        min(row["p50_ms"] for row in rows) / 1.5,
        max(row["max_ms"] for row in rows),
    )


def spans_of(summary: dict[str, Any], axis: Axis) -> list[Span]:
    """Return a row of the plot for each row of the table."""
    by = summary["by"]
    spans = []
    for row in summary["rows"]:
        name = str(row[by])
        label = f"{row['method']} {name}" if by == "route" else name
        title = ", ".join(
            f"{part} {row[f'{part}_ms']:.1f} ms"
            for part in ("p50", "p90", "p99", "max")
        )
        spans.append(
            Span(
                label,
                row["calls"],
                axis.x(row["p50_ms"]),
                axis.x(row["p90_ms"]),
                axis.x(row["p99_ms"]),
                axis.x(row["max_ms"]),
                title,
            )
        )
    return spans


def steps_of(summary: dict[str, Any], height: float) -> list[Step]:
    """Return the bars of the spread; the highest has *height*."""
    spread = summary["spread"]
    if not spread:
        return []
    most = max(step["calls"] for step in spread)
    width = WIDTH / len(spread)
    return [
        Step(
            round(at * width, 1),
            round(height * step["calls"] / most, 1),
            duration_text(step["below_ms"] or step["from_ms"]),
            step["calls"],
            step["from_ms"] >= summary["slow_ms"],
        )
        for at, step in enumerate(spread)
    ]
