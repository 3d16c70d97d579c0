# SPDX-License-Identifier: Apache-2.0
"""Dumps as a table: one request a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.dump_store import DumpEntry
from nova_profiler.profiles import ENGINES
from nova_profiler.profiles.loading import beside
from nova_profiler.reading.record_words import title_of, user_of
from nova_profiler.reading.requests.one_request.figures import (
    db_api_share,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    WARNING,
    ms_text,
    plain_table,
    safe,
)
from nova_profiler.record import ABORTED, FAILED, KILLED, RequestRecord

# The route matters more than the user, which has the rest of the width.
_WIDTH_WITHOUT_BOTH = 63
_SHORTEST_USER, _LONGEST_USER = 10, 32
_LONGEST_ID = 8
_LENGTH_OF_YEAR = len("2026-")


def print_dumps(
    console: Console, rows: Sequence[tuple[DumpEntry, RequestRecord]]
) -> None:
    """Print a line for each of *rows*, in their order."""
    days = {record.started_at[:10] for _, record in rows}
    # A day that all have goes into the heading, which keeps lines short.
    same_day = len(days) == 1
    shown_from = 11 if same_day else _start_of_shown_day(days)
    longest = max(len(title_of(record)) for _, record in rows)
    engines = [stacks_of(*row) for row in rows]
    room = console.width - _WIDTH_WITHOUT_BOTH - longest
    if not shown_from:
        room -= _LENGTH_OF_YEAR
    if any(engines):
        room -= 2 + max(map(len, engines))
    room = max(_SHORTEST_USER, min(_LONGEST_USER, room))
    table = plain_table()
    heading = f"{min(days)} UTC" if same_day else "UTC"
    table.add_column(safe(heading), no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("status", justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    table.add_column("route", overflow="fold")
    table.add_column("user", no_wrap=True)
    table.add_column("db_api", justify="right", no_wrap=True)
    if any(engines):
        table.add_column("stacks", no_wrap=True)
    table.add_column("request", no_wrap=True)
    for (entry, record), engine in zip(rows, engines, strict=True):
        user = safe(user_of(record))
        user.truncate(room, overflow="ellipsis")
        table.add_row(
            safe(record.started_at[shown_from:23].replace("T", " ")),
            Text(ms_text(record.duration_ms), style="bold"),
            _status(record),
            safe(record.method),
            _route(record),
            user,
            _percent(db_api_share(record)),
            *([safe(engine)] if any(engines) else []),
            safe(_id_of(entry, record), FAINT),
        )
    console.print(table)


def figures_of(entry: DumpEntry, record: RequestRecord) -> dict[str, Any]:
    """Return a dump's line as JSON-ready values."""
    share = db_api_share(record)
    return {
        "file": str(entry.path),
        "request_id": record.request_id,
        "started_at": record.started_at,
        "duration_ms": round(record.duration_ms, 3),
        "method": record.method,
        "route": record.route,
        "action": record.action,
        "status": record.status,
        "outcome": record.outcome,
        "user_name": record.user_name,
        "project_name": record.project_name,
        "user_id": record.user_id,
        "project_id": record.project_id,
        "db_api_share": None if share is None else round(share, 4),
        "stacks": stacks_of(entry, record) or None,
    }


def stacks_of(entry: DumpEntry, record: RequestRecord) -> str:
    """Return the engine whose stacks lie beside a dump, empty if none."""
    path = beside(entry.path)
    if path is None:
        return ""
    engine = (record.profile or {}).get("engine")
    if engine in ENGINES:
        return str(engine)
    # The dump names no engine: the file is from elsewhere.
    return path.suffix


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _start_of_shown_day(days: set[str]) -> int:
    """Return where in ``started_at`` the shown day starts.

    With its year, unless that is this year's for each of *days*.
    """
    year = f"{datetime.now(timezone.utc):%Y-}"
    return _LENGTH_OF_YEAR if all(d.startswith(year) for d in days) else 0


def _route(record: RequestRecord) -> Text:
    text = safe(record.route)
    if record.action:
        text.append(safe(title_of(record)[len(record.route) :], "bold"))
    return text


def _status(record: RequestRecord) -> Text:
    if record.outcome == ABORTED:
        return Text("aborted", style=WARNING)
    if record.outcome == KILLED:
        return Text("killed", style=BAD)
    text = str(record.status or "none")
    if record.outcome == FAILED:
        return Text(text, style=BAD)
    return Text(text, style=WARNING if record.status >= 400 else "")


def _id_of(entry: DumpEntry, record: RequestRecord) -> str:
    """Return an argument for `show`: the start of the id, or the stem."""
    if record.request_id is None:
        return entry.stem
    return record.request_id.removeprefix("req-")[:_LONGEST_ID]
