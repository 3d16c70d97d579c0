# SPDX-License-Identifier: Apache-2.0
"""Dumps as a table: one request a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.dump_store import DumpEntry
from nova_profiler.profiles import WRITERS
from nova_profiler.profiles.loading import beside
from nova_profiler.reading.record_words import (
    full_title_of,
    status_of,
    user_of,
)
from nova_profiler.reading.requests.one_request.figures import (
    db_api_share,
)
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
    ms_text,
    printable,
    safe,
)
from nova_profiler.record import ABORTED, FAILED, KILLED, RequestRecord

# A user's name is cut first, then columns are left out, then a route folds.
_SHORTEST_ROUTE = 20
_SHORTEST_USER = 10
_LONGEST_ID = 8
_LENGTH_OF_YEAR = len("2026-")


def print_dumps(
    console: Console, rows: Sequence[tuple[DumpEntry, RequestRecord]]
) -> None:
    """Print a line for each of *rows*, in their order."""
    columns = _columns(rows)
    print_left_out(console, print_fitted(console, columns))


def _columns(
    rows: Sequence[tuple[DumpEntry, RequestRecord]],
) -> list[Column]:
    records = [record for _, record in rows]
    days = {record.started_at[:10] for record in records}
    # A day that all have goes into the heading, which keeps lines short.
    same_day = len(days) == 1
    day_from = _start_of_shown_day(days)
    shown_from = 11 if same_day else day_from
    engines = [safe(stacks_of(*row)) for row in rows]
    columns = [
        Column(
            f"{printable(min(days)[day_from:])} UTC" if same_day else "UTC",
            [
                safe(one.started_at[shown_from:23].replace("T", " "))
                for one in records
            ],
        ),
        Column(
            "ms",
            [Text(ms_text(one.duration_ms), HEADING) for one in records],
            right=True,
        ),
        Column("status", [_status(one) for one in records], right=True),
        Column(
            "route",
            [_route(one) for one in records],
            gives=3,
            least=_SHORTEST_ROUTE,
            folds=True,
        ),
        Column(
            "user",
            [safe(user_of(one)) for one in records],
            ease=_SHORTEST_USER,
            gives=2,
        ),
        Column(
            "db_api",
            [Text(_percent(db_api_share(one))) for one in records],
            right=True,
            gives=1,
        ),
    ]
    if any(engines):
        columns.append(Column("stacks", engines))
    ids = [safe(_id_of(*row), FAINT) for row in rows]
    columns.append(Column("request", ids))
    return columns


def figures_of(entry: DumpEntry, record: RequestRecord) -> dict[str, Any]:
    """Return a dump's line as JSON-ready values."""
    share = db_api_share(record)
    return {
        "file": str(entry.path),
        "kind": record.kind,
        "record_id": record.record_id,
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
    if engine in WRITERS:
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
    """Return method, route and action."""
    title = full_title_of(record)
    if not record.action:
        return safe(title)
    text = safe(title[: -len(record.action)])
    text.append(safe(record.action, HEADING))
    return text


def _status(record: RequestRecord) -> Text:
    if record.outcome == ABORTED:
        return Text("aborted", style=WARNING)
    if record.outcome == KILLED:
        return Text("killed", style=BAD)
    text = status_of(record)
    if record.outcome == FAILED:
        return Text(text, style=BAD)
    return Text(text, style=WARNING if record.status >= 400 else "")


def _id_of(entry: DumpEntry, record: RequestRecord) -> str:
    """Return an argument for `show`: the start of the id, or the stem."""
    if record.request_id is None:
        return entry.stem
    return record.request_id.removeprefix("req-")[:_LONGEST_ID]
