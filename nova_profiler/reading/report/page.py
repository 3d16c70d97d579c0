# SPDX-License-Identifier: Apache-2.0
"""A report on a terminal: a few lines about the whole, then tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.groups import COLORS, LABELS
from nova_profiler.reading.advice.page import print_advice, source_of_logs
from nova_profiler.reading.report.headline import front_facts, sentences_of
from nova_profiler.reading.report.summary import nothing_counted
from nova_profiler.reading.report.tables import (
    print_fastest,
    print_not_counted,
    print_rows,
    print_slow_calls,
    print_spread,
    share_style,
)
from nova_profiler.reading.screen.terminal import (
    FAINT,
    HEADING,
    counted,
    has_width,
    ms_text,
    page_width,
    safe,
    share_text,
    time_text,
)

_SMALL_SHARE = 0.005


def print_report(
    console: Console, summary: dict[str, Any], logs: Sequence[str] = ()
) -> None:
    """Print *summary*: what is slow, on which routes, for which users.

    *logs* are those that the command named.
    """
    nothing = nothing_counted(summary)
    if nothing is not None:
        console.print(nothing)
        return
    _print_total(console, summary)
    print_advice(console, summary["advice"], source_of_logs(logs))
    print_spread(console, summary)
    print_rows(console, summary)
    print_slow_calls(console, summary)
    print_fastest(console, summary)
    print_not_counted(console, summary)


def _print_total(console: Console, summary: dict[str, Any]) -> None:
    total = summary["total"]
    slow_s = summary["slow_ms"] / 1000
    share = total["slow_share"]
    slow = Text.assemble(
        (
            f"{share_text(share)} took {slow_s:g} s or more",
            share_style(share),
        ),
        f" ({total['slow_calls']})",
    )
    figures = [
        Text(f"{name} {ms_text(total[f'{name}_ms'])}")
        for name in ("mean", "p50", "p90", "p99")
    ]
    longest = Text(f"max {ms_text(total['max_ms'])} ms")
    calls = Text(counted(total["calls"], "call"), HEADING)
    _print_sentences(console, summary)
    _print_facts(console, [calls, slow, *figures, longest])
    _print_facts(console, _source_facts(summary), "; ", FAINT)
    _print_facts(console, _db_api_facts(total), ", ")
    _print_facts(console, _breakdown_facts(total))
    for front in summary["fronts"]:
        facts = [safe(fact) for fact in front_facts(front)]
        _print_facts(console, facts, "; ")
    console.print()


def _print_sentences(console: Console, summary: dict[str, Any]) -> None:
    """Print in two sentences what is slow, and for whom."""
    room = page_width(console) if has_width(console) else None
    for sentence, style in sentences_of(summary):
        console.print(
            safe(sentence, style), width=room, soft_wrap=room is None
        )
    console.print()


def _print_facts(
    console: Console,
    facts: Sequence[Text],
    separator: str = "   ",
    style: str = "",
) -> None:
    """Print *facts* in lines; lines are broken between two of them."""
    room = page_width(console) if has_width(console) else None
    line = Text()
    for fact in facts:
        needed = line.cell_len + len(separator) + fact.cell_len
        if line and room is not None and needed > room:
            line.append(separator.rstrip(), style)
            console.print(line, width=room)
            line = Text("  ")
        elif line:
            line.append(separator, style)
        line.append_text(fact)
    if line:
        console.print(line, width=room, soft_wrap=room is None)


def _source_facts(summary: dict[str, Any]) -> list[Text]:
    """Return what was read, and the time that it covers."""
    # A comma in a name would look like the end of one.
    forms = ", ".join(
        f"{n} {name.replace(', JSON', ' in JSON')}"
        for name, n in summary["forms"].items()
    )
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
    return [safe(one, FAINT) for one in words]


def _db_api_facts(total: dict[str, Any]) -> list[Text]:
    """Return the DB API's part, of the requests whose lines have it."""
    db_api = total.get("db_api")
    if not db_api:
        return []
    share = share_text(db_api["share"])
    calls = Text(f"{db_api['calls_per_request']:.1f} calls a request")
    if db_api["requests"] != total["calls"]:
        calls.append(f" (of {db_api['requests']} calls that log it)", FAINT)
    if share:
        return [Text(f"DB API {share}"), calls]
    return [Text("DB API ").append_text(calls)]


def _breakdown_facts(total: dict[str, Any]) -> list[Text]:
    """Return where the time went: parts that add up to the whole."""
    breakdown = total.get("breakdown_ms", {})
    whole = sum(breakdown.values())
    facts: list[Text] = []
    for bucket, ms in breakdown.items():
        if whole > 0 and ms / whole >= _SMALL_SHARE:
            fact = Text("" if facts else "spent in: ")
            label = LABELS.get(bucket, bucket)
            style = COLORS.get(bucket, "")
            fact.append(safe(f"{label} {share_text(ms / whole)}", style))
            facts.append(fact)
    return facts
