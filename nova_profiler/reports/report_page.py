# SPDX-License-Identifier: Apache-2.0
"""A report on a terminal: the whole in a line, then tables with bars."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nova_profiler.reports.report_figures import BY
from nova_profiler.reports.report_summary import nothing_counted
from nova_profiler.reports.request_figures import LABELS
from nova_profiler.reports.terminal import (
    BAD,
    FAINT,
    HEADING,
    STYLES,
    WARNING,
    bar,
    ms_text,
    page_width,
    plain_table,
    safe,
    share_text,
    time_text,
)
from nova_profiler.reports.whole_parts import has_width, print_part

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BAR_WIDTH = 12
_SPREAD_WIDTH = 40
_WIDE = 100
_LONGEST_EXAMPLE = 70
_LONGEST_PIPED = 200
# The share of slow calls that catches the eye.
_MANY_SLOW = 0.05


def print_report(console: Console, summary: dict[str, Any]) -> None:
    """Print *summary* for a person: what is slow, where and for whom."""
    nothing = nothing_counted(summary)
    if nothing is not None:
        console.print(nothing)
        return
    _print_total(console, summary)
    _print_spread(console, summary)
    _print_rows(console, summary)
    _print_slow_calls(console, summary)
    _print_fastest(console, summary)
    _print_left_out(console, summary)


def _print_total(console: Console, summary: dict[str, Any]) -> None:
    total = summary["total"]
    slow_s = summary["slow_ms"] / 1000
    share = total["slow_share"]
    console.print(
        Text.assemble(
            (f"{total['calls']} calls", HEADING),
            "   ",
            (
                f"{share_text(share)} took {slow_s:g} s or more",
                _share_style(share),
            ),
            f" ({total['slow_calls']})   mean {ms_text(total['mean_ms'])}"
            f"   p50 {ms_text(total['p50_ms'])}"
            f"   p90 {ms_text(total['p90_ms'])}"
            f"   p99 {ms_text(total['p99_ms'])}"
            f"   max {ms_text(total['max_ms'])} ms",
        ),
        soft_wrap=True,
    )
    forms = ", ".join(f"{n} {name}" for name, n in summary["forms"].items())
    plural = "" if summary["logs"] == 1 else "s"
    words = [f"{summary['logs']} log{plural}: {forms}"]
    if summary["from"] is not None:
        words.append(
            f"{time_text(summary['from'])} to {time_text(summary['to'])} UTC"
        )
    if summary["percentile_error"]:
        words.append(
            f"percentiles within {100 * summary['percentile_error']:g} %"
        )
    console.print(safe("; ".join(words), FAINT), soft_wrap=True)
    for inside in (_db_api_text(total), _breakdown_text(total)):
        if inside:
            console.print(inside, soft_wrap=True)
    console.print()


def _db_api_text(total: dict[str, Any]) -> Text:
    """Return the DB API's part, of requests whose lines tell it."""
    text = Text()
    db_api = total.get("db_api")
    if db_api:
        share = share_text(db_api["share"])
        text.append(f"DB API {share}, " if share else "DB API ")
        text.append(f"{db_api['calls_per_request']:.1f} calls a request")
        if db_api["requests"] != total["calls"]:
            text.append(f" (of {db_api['requests']} calls that tell)", FAINT)
    return text


def _breakdown_text(total: dict[str, Any]) -> Text:
    """Return where the time went: parts that add up to the whole."""
    text = Text()
    breakdown = total.get("breakdown_ms", {})
    whole = sum(breakdown.values())
    for bucket, ms in breakdown.items():
        if whole > 0 and ms / whole >= 0.005:
            text.append("   " if text else "spent in: ")
            label = LABELS.get(bucket, bucket)
            style = STYLES.get(bucket, "")
            text.append(safe(f"{label} {share_text(ms / whole)}", style))
    return text


def _print_spread(console: Console, summary: dict[str, Any]) -> None:
    steps = summary["spread"]
    if len(steps) < 2:
        return
    most = max(step["calls"] for step in steps)
    table = plain_table()
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("calls", justify="right", no_wrap=True)
    for step in steps:
        is_slow = step["from_ms"] >= summary["slow_ms"]
        style = BAD if is_slow else "green"
        table.add_row(
            _step_text(step),
            bar(console, step["calls"] / most, _SPREAD_WIDTH, style),
            str(step["calls"]),
        )
    print_part(console, table)
    console.print()


def _step_text(step: dict[str, Any]) -> str:
    if step["below_ms"] is None:
        return f"from {_round_ms(step['from_ms'])}"
    return f"below {_round_ms(step['below_ms'])}"


def _round_ms(ms: float) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def _print_rows(console: Console, summary: dict[str, Any]) -> None:
    rows = summary["rows"]
    if not rows:
        return
    by = summary["by"]
    table = plain_table()
    if by == "route":
        table.add_column("method", no_wrap=True)
    table.add_column(by, overflow="fold")
    has_db_api = any("db_api" in row for row in rows)
    _add_figure_columns(console, table, summary, has_db_api)
    for row in rows:
        cells = [safe(row["method"])] if by == "route" else []
        table.add_row(
            *cells,
            safe(_short_id(row[by])),
            *_figure_cells(console, row, summary, has_db_api),
        )
    print_part(console, table, page_width(console))
    if summary["rows_more"]:
        console.print(f"{summary['rows_more']} more; see --limit", style=FAINT)
    if by == "route":
        others = ", ".join(name for name in BY if name != by)
        console.print(f"also --by {others}", style=FAINT)
    console.print()


def _add_figure_columns(
    console: Console,
    table: Table,
    summary: dict[str, Any],
    has_db_api: bool = False,
) -> None:
    headings = ["calls", f">={summary['slow_ms'] / 1000:g} s"]
    headings += ["mean", "p50", "p90", "p99", "max ms"]
    if page_width(console) < _WIDE:
        headings.remove("p90")
    if has_db_api:
        headings.append("DB")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    if page_width(console) >= _WIDE:
        table.add_column("of all time", no_wrap=True)


def _figure_cells(
    console: Console,
    row: dict[str, Any],
    summary: dict[str, Any],
    has_db_api: bool = False,
) -> list[Text | str]:
    is_wide = page_width(console) >= _WIDE
    share = row["slow_share"]
    cells: list[Text | str] = [
        str(row["calls"]),
        Text(share_text(share) if share else "", _share_style(share)),
        Text(ms_text(row["mean_ms"]), HEADING),
        ms_text(row["p50_ms"]),
        *([ms_text(row["p90_ms"])] if is_wide else []),
        ms_text(row["p99_ms"]),
        ms_text(row["max_ms"]),
    ]
    if has_db_api:
        cells.append(share_text(row.get("db_api", {}).get("share")))
    if is_wide:
        whole = summary["total"]["total_ms"]
        of_all = row["total_ms"] / whole if whole > 0 else 0.0
        cells.append(bar(console, of_all, _BAR_WIDTH, "blue"))
    return cells


def _print_slow_calls(console: Console, summary: dict[str, Any]) -> None:
    rows = summary["slow_calls"]
    if not rows:
        return
    slow_s = summary["slow_ms"] / 1000
    console.print(
        f"Slow calls: who had one of {slow_s:g} s or more", style=HEADING
    )
    is_wide = page_width(console) >= _WIDE
    table = plain_table()
    table.add_column("mean ms", justify="right", no_wrap=True)
    if is_wide:
        table.add_column("", no_wrap=True)
    table.add_column("user", overflow="fold", min_width=8)
    table.add_column("method", no_wrap=True)
    table.add_column("route", overflow="fold", min_width=12)
    for heading in ("calls", "slow", *(["p99"] if is_wide else []), "max ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    longest = max(row["mean_ms"] for row in rows)
    for row in rows:
        share = row["mean_ms"] / longest if longest > 0 else 0.0
        picture = bar(console, share, _BAR_WIDTH, WARNING)
        table.add_row(
            Text(ms_text(row["mean_ms"]), HEADING),
            *([picture] if is_wide else []),
            safe(_short_id(row["user"])),
            safe(row["method"]),
            safe(row["route"]),
            str(row["calls"]),
            str(row["slow_calls"]),
            *([ms_text(row["p99_ms"])] if is_wide else []),
            ms_text(row["max_ms"]),
        )
    print_part(console, table, page_width(console))
    if summary["slow_calls_more"]:
        console.print(
            f"{summary['slow_calls_more']} more; see --limit", style=FAINT
        )
    console.print()


def _print_fastest(console: Console, summary: dict[str, Any]) -> None:
    if not summary["fastest"]:
        return
    console.print("Fastest routes", style=HEADING)
    table = plain_table()
    for heading in ("min ms", "mean ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    table.add_column("route", overflow="fold")
    for row in summary["fastest"]:
        table.add_row(
            ms_text(row["min_ms"], 3),
            ms_text(row["mean_ms"], 3),
            safe(row["method"]),
            safe(row["route"]),
        )
    print_part(console, table, page_width(console))
    console.print()


def _print_left_out(console: Console, summary: dict[str, Any]) -> None:
    rows = [
        (row["count"], row["kind"], row["example"])
        for row in summary["unread"]
    ]
    if summary["excluded"]:
        rows.append((summary["excluded"], "call left out by its route", ""))
    if summary["out_of_time"]:
        rows.append((summary["out_of_time"], "call at another time", ""))
    if not rows:
        return
    console.print("Not counted", style=HEADING)
    table = plain_table()
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("", no_wrap=True, overflow="ellipsis")
    table.show_header = False
    most = _LONGEST_EXAMPLE if has_width(console) else _LONGEST_PIPED
    for count, kind, example in rows:
        shown = safe(_shortened(example, most), FAINT)
        table.add_row(f"{count} x", safe(kind), shown)
    print_part(console, table, page_width(console))


def _shortened(example: str, most: int) -> str:
    """Return at most so much of a line, with the time that it tells."""
    if len(example) <= most:
        return example
    at = example.rfind(" time:")
    end = example[at:][: most // 2] if at > 0 else ""
    return f"{example[: most - len(end) - 3]}...{end}"


def _short_id(text: object) -> str:
    """Return the beginning of an id, which tells it from others."""
    whole = str(text)
    return f"{whole[:8]}..." if _ID.fullmatch(whole) else whole


def _share_style(share: float) -> str:
    if share >= _MANY_SLOW:
        return BAD
    return WARNING if share else ""
