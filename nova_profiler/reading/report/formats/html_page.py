# SPDX-License-Identifier: Apache-2.0
"""A report as a page of HTML, and where the marks of its plots stand."""

from __future__ import annotations

from math import log10
from typing import Any, NamedTuple

from nova_profiler.reading.advice.page import ADVICE_HEADING, sentence_of
from nova_profiler.reading.report.durations import (
    duration_texts,
    step_texts,
)
from nova_profiler.reading.report.headline import (
    front_facts,
    left_out_heading,
    lost_sentence,
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
from nova_profiler.reading.screen.terminal import ms_text, share_text

_SPREAD_HEIGHT = 120
_LEAST_MS = 0.1
_MOST_LABELS = 7
# A page has more room than a terminal.
_MOST_ADVICE = 20
_MOST_TICKS = 5

_FIGURES = ("mean", "p50", "p90", "p99", "max")


def html_of(summary: dict[str, Any]) -> str:
    """Return the page. Raises NovaProfilerError without Jinja2."""
    advice = summary["advice"]
    tables = [_rows(summary), _slow_calls(summary), _fastest(summary)]
    steps = steps_of(summary)
    return rendered_still(
        "report.html",
        summary=summary,
        title=_title(summary),
        figures=_figures(summary),
        advice_heading=ADVICE_HEADING,
        advice=[sentence_of(row) for row in advice[:_MOST_ADVICE]],
        advice_more=max(0, len(advice) - _MOST_ADVICE),
        lost=lost_sentence(summary),
        left_out=left_out_heading(summary),
        fronts=[front_facts(front) for front in summary["fronts"]],
        steps=steps,
        each=max(1, -(-len(steps) // _MOST_LABELS)),
        spread_height=_SPREAD_HEIGHT,
        slow_s=f"{summary['slow_ms'] / 1000:g}",
        tables=[table for table in tables if table.first],
        not_counted=_not_counted(summary),
    )


class Step(NamedTuple):
    """One bar of the spread; places are shares of the picture."""

    left: float
    width: float
    height: float
    label: str
    calls: int
    is_slow: bool


class Axis:
    """Milliseconds on a logarithmic axis, as shares of its width."""

    def __init__(self, least_ms: float, most_ms: float) -> None:
        self._low = log10(max(_LEAST_MS, least_ms))
        self._high = max(self._low + 1, log10(max(_LEAST_MS, most_ms)))

    def place(self, ms: float) -> float:
        """Return the place of *ms*."""
        place = (log10(max(_LEAST_MS, ms)) - self._low) / (
            self._high - self._low
        )
        return min(1.0, max(0.0, place))

    def ticks(self) -> list[Tick]:
        """Return marks at round times, as many as there is room for."""
        marked = self._marked(1, 2, 5)
        if len(marked) > _MOST_TICKS:
            marked = self._marked(1)
        every = -(-len(marked) // _MOST_TICKS)
        marked = marked[:: max(1, every)]
        return [
            Tick(self.place(ms), text)
            for ms, text in zip(marked, duration_texts(marked), strict=True)
        ]

    def _marked(self, *first: int) -> list[float]:
        times = [one * 10.0**n for n in range(-1, 9) for one in first]
        return [ms for ms in times if self._low <= log10(ms) <= self._high]


def axis_of(summary: dict[str, Any]) -> Axis:
    """Return the axis on which all rows of *summary* have room."""
    rows = summary["rows"] or [summary["total"]]
    return Axis(
        min(row["p50_ms"] for row in rows) / 1.5,
        max(row["max_ms"] for row in rows),
    )


def marks_of(row: dict[str, Any], axis: Axis, slow_ms: float) -> list[Mark]:
    """Return a row's percentiles: the thinner, the fewer calls."""
    at = {name: axis.place(row[f"{name}_ms"]) for name in _FIGURES}
    return [
        *(Mark(LINE, tick.left, kind="grid") for tick in axis.ticks()),
        Mark(LINE, axis.place(slow_ms), kind="slowline"),
        *(
            Mark(BAR, at["p50"], at[name] - at["p50"], "part", height)
            for name, height in (("max", 1.5), ("p99", 5.0), ("p90", 10.0))
        ),
        Mark(DOT, at["p50"], kind="mark"),
    ]


def steps_of(summary: dict[str, Any]) -> list[Step]:
    """Return the bars of the spread; the highest is as high as it can be."""
    spread = summary["spread"]
    if not spread:
        return []
    most = max(step["calls"] for step in spread)
    width = 1 / len(spread)
    labels = [text.partition(" ")[2] for text in step_texts(spread)]
    return [
        Step(
            at * width,
            width,
            step["calls"] / most,
            labels[at],
            step["calls"],
            step["from_ms"] >= summary["slow_ms"],
        )
        for at, step in enumerate(spread)
    ]


def _title(summary: dict[str, Any]) -> str:
    share = share_text(summary["total"]["slow_share"])
    return f"REST calls: {share} took {summary['slow_ms'] / 1000:g} s or more"


def _figures(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what stands in large: heading, figure and class."""
    total = summary["total"]
    slow_s = f"{summary['slow_ms'] / 1000:g}"
    found = [
        ("calls", str(total["calls"]), ""),
        (
            f"took {slow_s} s or more ({total['slow_calls']})",
            share_text(total["slow_share"]),
            "slow" if total["slow_calls"] else "",
        ),
        *(
            (f"{name} ms", ms_text(total[f"{name}_ms"]), "")
            for name in _FIGURES
        ),
    ]
    db_api = total.get("db_api")
    if db_api and db_api["share"] is not None:
        each = f"{db_api['calls_per_request']:.1f}"
        share = share_text(db_api["share"])
        found.append((f"DB API, {each} calls a request", share, ""))
    return found


def _rows(summary: dict[str, Any]) -> Table:
    by = summary["by"]
    axis = axis_of(summary)
    slow_s = f"{summary['slow_ms'] / 1000:g}"
    return table_of(
        f"By {by}",
        "rows",
        [
            Head(by, is_name=True),
            Head("calls", is_number=True),
            Head(f"\u2265 {slow_s} s %", is_number=True),
            *(Head(f"{name} ms", is_number=True) for name in _FIGURES),
            Head("DB API %", is_number=True),
            Head("p50 to max", ticks=axis.ticks()),
        ],
        [
            (
                _name(row, by),
                str(row["calls"]),
                Cell(
                    _percent(row["slow_share"]),
                    "slow" if row["slow_calls"] else "",
                ),
                *(ms_text(row[f"{name}_ms"]) for name in _FIGURES),
                _percent(row.get("db_api", {}).get("share")),
                Cell(marks=marks_of(row, axis, summary["slow_ms"])),
            )
            for row in summary["rows"]
        ],
        left_out=summary["rows_more"],
        note="Dot: half of the calls took no longer. Thick bar: to p90, "
        f"thinner: to p99, hair: to the longest. Dashed: {slow_s} s.",
    )


def _slow_calls(summary: dict[str, Any]) -> Table:
    slow_s = f"{summary['slow_ms'] / 1000:g}"
    return table_of(
        f"Slow calls: users with one of {slow_s} s or more",
        "slow",
        [
            Head("user", is_name=True),
            Head("route", is_name=True),
            *(
                Head(text, is_number=True)
                for text in ("calls", "slow", "mean ms", "p99 ms", "max ms")
            ),
        ],
        [
            (
                row["user"],
                _name(row, "route"),
                str(row["calls"]),
                Cell(str(row["slow_calls"]), "slow"),
                *(ms_text(row[f"{one}_ms"]) for one in ("mean", "p99", "max")),
            )
            for row in summary["slow_calls"]
        ],
        left_out=summary["slow_calls_more"],
    )


def _fastest(summary: dict[str, Any]) -> Table:
    return table_of(
        "Fastest routes",
        "fastest",
        [
            Head("route", is_name=True),
            Head("min ms", is_number=True),
            Head("mean ms", is_number=True),
        ],
        [
            (
                _name(row, "route"),
                ms_text(row["min_ms"], 3),
                ms_text(row["mean_ms"], 3),
            )
            for row in summary["fastest"]
        ],
    )


def _not_counted(summary: dict[str, Any]) -> Table:
    rows = [
        (row["kind"], row["example"], str(row["count"]))
        for row in summary["unread"]
    ]
    for key, kind in (
        ("excluded", "call left out by its route"),
        ("out_of_time", "call at another time"),
    ):
        if summary[key]:
            rows.append((kind, "", str(summary[key])))
    return table_of(
        "Not counted",
        "not-counted",
        [
            Head("what", is_name=True),
            Head("for example", is_name=True),
            Head("times", is_number=True),
        ],
        [
            (what, Cell(example, "soft" if example else ""), times)
            for what, example, times in rows
        ],
    )


def _name(row: dict[str, Any], by: str) -> str:
    name = str(row[by])
    return f"{row['method']} {name}" if by == "route" else name


def _percent(share: float | None) -> str:
    """Return a share without its unit, which is in the heading."""
    return "" if share is None else f"{100 * share:.1f}"
