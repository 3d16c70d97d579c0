# SPDX-License-Identifier: Apache-2.0
"""The tables of a report on a terminal, fitted to its width."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.report.durations import step_texts
from nova_profiler.reading.report.figures import BY
from nova_profiler.reading.report.headline import left_out_heading
from nova_profiler.reading.screen.fitted_table import (
    Column,
    print_fitted,
    print_left_out,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    WARNING,
    bar,
    has_width,
    ms_text,
    safe,
    share_text,
)

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BAR_WIDTH = 12
_SPREAD_WIDTH = 40
_SHORTEST_SPREAD = 8
# A route is whole before all but the mean; it has its least where even that
# leaves too little. Other names are longer, and known by their begin.
_ROUTE = 44
_NAME = 28
_SHORTEST_ROUTE = 12
_METHOD = 8
_USER = 16
# The length of an id that is cut.
_SHORTEST_USER = 11
_KIND = 40
_SHORTEST_KIND = 16
_SHORTEST_EXAMPLE = 20
_LONGEST_EXAMPLE = 70
_LONGEST_PIPED = 200
# From this share of slow calls on it is red.
_MANY_SLOW = 0.05

Rows = Sequence[dict[str, Any]]


def print_spread(console: Console, summary: dict[str, Any]) -> None:
    """Print how many calls took how long."""
    steps = summary["spread"]
    if len(steps) < 2:
        return
    most = max(step["calls"] for step in steps)
    styles = [
        BAD if step["from_ms"] >= summary["slow_ms"] else "green"
        for step in steps
    ]
    bars = _bars(console, [step["calls"] / most for step in steps], styles)
    columns = [
        _figures("took", step_texts(steps)),
        Column(drawn=bars, ease=_SHORTEST_SPREAD, most=_SPREAD_WIDTH, gives=1),
        _figures("calls", (step["calls"] for step in steps)),
    ]
    print_fitted(console, columns)
    console.print()


def print_rows(console: Console, summary: dict[str, Any]) -> None:
    """Print each route, user or hour with its figures."""
    rows = summary["rows"]
    if not rows:
        return
    by = summary["by"]
    ease = _ROUTE if by == "route" else _NAME
    names = _names(by, rows, ease, _SHORTEST_ROUTE, gives=8)
    columns = [names, *_row_figures(console, summary)]
    if by == "route":
        columns.insert(0, _methods(rows))
    left_out = print_fitted(console, columns)
    if summary["rows_more"]:
        console.print(f"{summary['rows_more']} more; see --limit", style=FAINT)
    if by == "route":
        others = ", ".join(name for name in BY if name != by)
        console.print(f"also --by {others}", style=FAINT)
    print_left_out(console, left_out)
    console.print()


def _row_figures(console: Console, summary: dict[str, Any]) -> list[Column]:
    """Return the columns of figures, with the order in which they go."""
    rows = summary["rows"]
    whole = summary["total"]["total_ms"]
    of_all = [row["total_ms"] / whole if whole > 0 else 0.0 for row in rows]
    columns = [
        _figures("calls", (row["calls"] for row in rows)),
        Column(
            f">={summary['slow_ms'] / 1000:g} s",
            [share_cell(row["slow_share"]) for row in rows],
            right=True,
            gives=6,
        ),
        _milliseconds("mean ms", rows, "mean_ms", style=HEADING),
        _milliseconds("p50 ms", rows, "p50_ms", gives=3),
        _milliseconds("p90 ms", rows, "p90_ms", gives=2),
        _milliseconds("p99 ms", rows, "p99_ms", gives=5),
        _milliseconds("max ms", rows, "max_ms", gives=7),
    ]
    if any("db_api" in row for row in rows):
        shares = (row.get("db_api", {}).get("share") for row in rows)
        columns.append(_figures("DB", map(share_text, shares), gives=4))
    columns.append(
        Column(
            "of all time",
            drawn=_bars(console, of_all, ["blue"] * len(rows)),
            most=_BAR_WIDTH,
            gives=1,
        )
    )
    return columns


def print_slow_calls(console: Console, summary: dict[str, Any]) -> None:
    """Print the users with slow calls, by route."""
    rows = summary["slow_calls"]
    if not rows:
        return
    slow_s = summary["slow_ms"] / 1000
    console.print(
        f"Slow calls: who had one of {slow_s:g} s or more", style=HEADING
    )
    longest = max(row["mean_ms"] for row in rows) or 1.0
    shares = [row["mean_ms"] / longest for row in rows]
    bars = _bars(console, shares, [WARNING] * len(rows))
    columns = [
        _milliseconds("mean ms", rows, "mean_ms", style=HEADING),
        Column(drawn=bars, most=_BAR_WIDTH, gives=1),
        _names("user", rows, _USER, _SHORTEST_USER, gives=3),
        _methods(rows),
        _names("route", rows, _ROUTE, _SHORTEST_ROUTE, gives=7),
        _figures("calls", (row["calls"] for row in rows), gives=4),
        _figures("slow", (row["slow_calls"] for row in rows), gives=5),
        _milliseconds("p99 ms", rows, "p99_ms", gives=2),
        _milliseconds("max ms", rows, "max_ms", gives=6),
    ]
    left_out = print_fitted(console, columns)
    if summary["slow_calls_more"]:
        console.print(
            f"{summary['slow_calls_more']} more; see --limit", style=FAINT
        )
    print_left_out(console, left_out)
    console.print()


def print_fastest(console: Console, summary: dict[str, Any]) -> None:
    """Print the routes with the quickest calls."""
    rows = summary["fastest"]
    if not rows:
        return
    console.print("Fastest routes", style=HEADING)
    columns = [
        _milliseconds("min ms", rows, "min_ms", digits=3),
        _milliseconds("mean ms", rows, "mean_ms", digits=3, gives=1),
        _methods(rows),
        _names("route", rows, _ROUTE, _SHORTEST_ROUTE, gives=2),
    ]
    print_left_out(console, print_fitted(console, columns))
    console.print()


def print_not_counted(console: Console, summary: dict[str, Any]) -> None:
    """Print what the figures leave out, and why."""
    rows = [
        (row["count"], row["kind"], row["example"])
        for row in summary["unread"]
    ]
    if summary["excluded"]:
        rows.append((summary["excluded"], "call left out by its route", ""))
    if summary["out_of_time"]:
        rows.append((summary["out_of_time"], "call at another time", ""))
    if summary["without_time"]:
        rows.append(
            (summary["without_time"], "call whose time is not known", "")
        )
    if not rows:
        return
    console.print(left_out_heading(summary), style=HEADING)

    def examples(width: int) -> list[Text]:
        return [safe(_shortened(text, width), FAINT) for _, _, text in rows]

    columns = [
        _figures("", (f"{count} x" for count, _, _ in rows)),
        Column(
            cells=[safe(kind) for _, kind, _ in rows],
            folds=True,
            ease=_KIND,
            least=_SHORTEST_KIND,
            gives=1,
        ),
        Column(
            drawn=examples,
            ease=_SHORTEST_EXAMPLE,
            most=_LONGEST_EXAMPLE if has_width(console) else _LONGEST_PIPED,
            gives=2,
        ),
    ]
    print_fitted(console, columns)


def share_style(share: float) -> str:
    """Return the style of a share of slow calls."""
    if share >= _MANY_SLOW:
        return BAD
    return WARNING if share else ""


def share_cell(share: float) -> Text:
    """Return a share of slow calls, empty if there are none."""
    return Text(share_text(share) if share else "", share_style(share))


def _figures(heading: str, values: Any, gives: int = 0) -> Column:
    cells = [Text(str(value)) for value in values]
    return Column(heading, cells, right=True, gives=gives)


def _milliseconds(
    heading: str,
    rows: Rows,
    name: str,
    *,
    gives: int = 0,
    digits: int = 1,
    style: str = "",
) -> Column:
    cells = [Text(ms_text(row[name], digits), style) for row in rows]
    return Column(heading, cells, right=True, gives=gives)


def _methods(rows: Rows) -> Column:
    cells = [safe(row["method"]) for row in rows]
    return Column("method", cells, ease=_METHOD)


def _names(
    name: str, rows: Rows, ease: int, least: int, *, gives: int
) -> Column:
    cells = [safe(_short_id(row[name])) for row in rows]
    return Column(name, cells, gives=gives, least=least, ease=ease, folds=True)


def _bars(
    console: Console, shares: Sequence[float], styles: Sequence[str]
) -> Callable[[int], list[Text]]:
    def drawn(width: int) -> list[Text]:
        return [
            bar(console, share, width, style)
            for share, style in zip(shares, styles, strict=True)
        ]

    return drawn


def _shortened(example: str, most: int) -> str:
    """Return at most *most* letters of a line, the time among them."""
    if len(example) <= most:
        return example
    at = example.rfind(" time:")
    end = example[at:][: most // 2] if at > 0 else ""
    return f"{example[: most - len(end) - 3]}...{end}"


def _short_id(text: object) -> str:
    """Return *text*, of an id only the begin, which is enough."""
    whole = str(text)
    return f"{whole[:8]}..." if _ID.fullmatch(whole) else whole
