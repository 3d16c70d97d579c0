# SPDX-License-Identifier: Apache-2.0
"""A report as plain text, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from nova_profiler.reading.advice.page import (
    ADVICE_HEADING,
    MOST_SHOWN,
    sentence_of,
)
from nova_profiler.reading.report.headline import (
    front_facts,
    left_out_heading,
    lost_sentence,
)
from nova_profiler.reading.report.summary import nothing_counted
from nova_profiler.reading.screen.markdown_cells import (
    code_span,
    quoted,
    table_of,
)
from nova_profiler.reading.screen.terminal import counted, printable

# What begins a formula, in full width as well, at the begin of a cell.
_FORMULA = re.compile(r"(^|[ ;,|:])(?=[=+@\-\uff1d\uff0b\uff0d\uff20])")

COLUMNS = (
    "calls",
    "slow_calls",
    "slow_share",
    "total_ms",
    "min_ms",
    "mean_ms",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "max_ms",
)
_DB_API = ("db_api_calls_per_request", "db_api_ms", "db_api_share")


def text_of(summary: dict[str, Any]) -> str:
    """Return the sections of the first such report, in seconds.

    The share of slow calls, the mean, the fastest routes as minimum and
    mean, and the slow calls as ``mean user METHOD route``, the slowest last.
    Where there are any, lost calls and fronts follow, these in milliseconds.
    """
    nothing = nothing_counted(summary)
    if nothing is not None:
        return nothing + "\n"
    total = summary["total"]
    slow_s = summary["slow_ms"] / 1000
    lines = [
        f"REST calls: {total['calls']}",
        f"share of calls of {slow_s:g} s or more: "
        f"{100 * total['slow_share']:.1f} % ({total['slow_calls']})",
        f"mean: {_seconds(total['mean_ms'])} s",
        "",
        "fastest calls (min, mean):",
        *(
            f"{row['method']} {printable(row['route'])} "
            f"{_seconds(row['min_ms'])}, {_seconds(row['mean_ms'])}"
            for row in summary["fastest"]
        ),
        "",
        "slow calls by mean:",
        *(
            f"{_seconds(row['mean_ms'])} {printable(row['user'])} "
            f"{row['method']} {printable(row['route'])}"
            for row in reversed(summary["slow_calls"])
        ),
        *_text_of_the_rest(summary),
    ]
    return "\n".join(lines) + "\n"


def _text_of_the_rest(summary: dict[str, Any]) -> list[str]:
    """Return calls without a line and waits of fronts, where there are any."""
    lost = lost_sentence(summary)
    lines = ["", lost] if lost else []
    for front in summary["fronts"]:
        first, *facts = map(printable, front_facts(front))
        lines += ["", f"{first}:", *facts]
    return lines


def csv_of(summary: dict[str, Any]) -> str:
    """Return the rows of the table as CSV, one heading line."""
    names = _names_of(summary)
    columns = [*names, *COLUMNS, *(_DB_API if _has_db_api(summary) else ())]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    for row in summary["rows"]:
        flat = _flat(row)
        writer.writerow(
            [
                *(_no_formula(str(row[name])) for name in names),
                *(flat.get(column, "") for column in columns[len(names) :]),
            ]
        )
    return written.getvalue()


def markdown_of(summary: dict[str, Any]) -> str:
    """Return the report as Markdown tables."""
    nothing = nothing_counted(summary)
    if nothing is not None:
        return f"**{nothing}**\n"
    total = summary["total"]
    names = _names_of(summary)
    parts = [
        f"**{counted(total['calls'], 'call')}**, "
        f"{100 * total['slow_share']:.1f} % took "
        f"{summary['slow_ms'] / 1000:g} s or more; "
        f"mean {total['mean_ms']:.1f} ms, "
        f"p50 {total['p50_ms']:.1f}, p90 {total['p90_ms']:.1f}, "
        f"p99 {total['p99_ms']:.1f}, max {total['max_ms']:.1f} ms",
        *_markdown_waits(summary),
        *_markdown_advice(summary["advice"]),
        _markdown_table(names, summary["rows"]),
        "Slow calls by mean:",
        _markdown_table(["user", "method", "route"], summary["slow_calls"]),
        "Fastest routes:",
        _markdown_table(
            ["method", "route"],
            summary["fastest"],
            ("calls", "min_ms", "mean_ms"),
        ),
    ]
    left_out = [
        f"* {row['count']} x {quoted(row['kind'])}: "
        f"{code_span(row['example'])}"
        for row in summary["unread"]
    ]
    if left_out:
        parts += [f"{left_out_heading(summary)}:", "\n".join(left_out)]
    return "\n\n".join(parts) + "\n"


def _markdown_waits(summary: dict[str, Any]) -> list[str]:
    """Return calls without a line and waits of fronts as paragraphs."""
    lost = lost_sentence(summary)
    parts = [f"**{lost}**"] if lost else []
    for front in summary["fronts"]:
        first, *facts = map(quoted, front_facts(front))
        parts.append("\n".join([f"{first}:", "", *(f"* {f}" for f in facts)]))
    return parts


def _markdown_advice(advice: list[dict[str, Any]]) -> list[str]:
    lines = [f"* {quoted(sentence_of(row))}" for row in advice[:MOST_SHOWN]]
    return [f"{ADVICE_HEADING}:", "\n".join(lines)] if lines else []


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.6f}"


def _names_of(summary: dict[str, Any]) -> list[str]:
    by = summary["by"]
    return ["method", "route"] if by == "route" else [by]


def _has_db_api(summary: dict[str, Any]) -> bool:
    return any("db_api" in row for row in summary["rows"])


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    db_api = row.get("db_api") or {}
    return {**row, **{f"db_api_{name}": v for name, v in db_api.items()}}


def _no_formula(text: str) -> str:
    """Return *text* so that a spreadsheet takes it for text.

    Also the part behind a semicolon or another separator: which one a
    spreadsheet takes depends on where it runs.
    """
    text = printable(text)
    return text if text == "-" else _FORMULA.sub(r"\1'", text)


def _markdown_table(
    names: list[str],
    rows: Iterable[dict[str, Any]],
    columns: tuple[str, ...] = (
        "calls",
        "slow_share",
        "mean_ms",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "max_ms",
    ),
) -> str:
    headings = [*names, *(one.replace("_ms", " ms") for one in columns)]
    cells = [
        [
            *(row[name] for name in names),
            *(_number(column, row[column]) for column in columns),
        ]
        for row in rows
    ]
    return table_of(headings, cells, len(names))


def _number(column: str, value: float) -> str:
    if column == "slow_share":
        return f"{100 * value:.1f} %"
    return f"{value:.1f}" if column.endswith("_ms") else str(value)
