# SPDX-License-Identifier: Apache-2.0
"""The slowest statements of a request, and what sent them."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.call_tree import Senders
from nova_profiler.reading.requests.one_request.view import View
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    ms_text,
    plain_table,
    safe,
)
from nova_profiler.record import RequestRecord, StatementTotals

_MOST_STATEMENTS = 5
_LONGEST_ENGINE = 24
# What the columns beside the statement take.
_FIGURES = 46


def slowest_parts(record: RequestRecord, view: View) -> list[RenderableType]:
    """Return the statements with the most time."""
    rows = figures.slowest_statements(record)
    if not rows:
        return []
    table = plain_table()
    for heading in ("total ms", "times", "max ms", "fetching", "rows"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("statement", overflow="fold", ratio=1)
    senders = Senders(record)
    shown, rest = view.shown(rows, _MOST_STATEMENTS)
    for row, fetch_ms in shown:
        table.add_row(
            ms_text(row.ms + fetch_ms),
            str(row.count),
            ms_text(row.max_ms, 2),
            ms_text(fetch_ms, 2),
            "-" if row.rows is None else str(row.rows),
            _statement_text(row, view).append_text(senders.of(row)),
        )
    parts: list[RenderableType] = [table]
    if rest:
        rest_ms = sum(row.ms + fetch_ms for row, fetch_ms in rest)
        parts.append(more(len(rest), rest_ms))
    return parts


def more(count: int, ms: float) -> Text:
    """Return the line for *count* rows that are not shown."""
    return Text(f"and {count} more, {ms_text(ms)} ms", style=FAINT)


def _statement_text(row: StatementTotals, view: View) -> Text:
    engine = safe(row.engine, FAINT)
    if view.width is not None and not view.full:
        engine.truncate(_LONGEST_ENGINE, overflow="ellipsis")
    # On two lines, with the engine at the end.
    beside = _FIGURES + (len(engine) + 12) // 2
    text = _text_of(row, view, beside, 2)
    if row.errors:
        text.append(f"  {row.errors} failed", style=BAD)
    return text.append("  ").append_text(engine)


def _text_of(
    row: StatementTotals, view: View, used: int, lines: int = 1
) -> Text:
    text = str(row.statement) if view.full else figures.condensed(row)
    return view.text(text, used, lines)
