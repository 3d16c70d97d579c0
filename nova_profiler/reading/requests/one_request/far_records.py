# SPDX-License-Identifier: Apache-2.0
"""The requests of a request to other services, with their ids."""

from __future__ import annotations

from rich.console import RenderableType

from nova_profiler.reading.requests.one_request.view import View
from nova_profiler.reading.screen.terminal import (
    FAINT,
    ms_text,
    plain_table,
    safe,
)
from nova_profiler.record import RequestRecord

_MOST_ROWS = 10


def far_records(record: RequestRecord, view: View) -> list[RenderableType]:
    """Return a table of the slowest requests to other services with an id.

    The id is the other side's: it finds the log lines and the record there.
    """
    rows = sorted(
        (one for one in record.timeline or () if one.request_id),
        key=lambda one: -one.ms,
    )
    if not rows:
        return []
    table = plain_table()
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("request", overflow="fold", ratio=1)
    table.add_column("id", no_wrap=True)
    shown, rest = view.shown(rows, _MOST_ROWS)
    for row in shown:
        table.add_row(
            ms_text(row.ms), safe(row.name), safe(row.request_id or "")
        )
    parts: list[RenderableType] = [table]
    if rest:
        parts.append(safe(f"and {len(rest)} more", FAINT))
    parts.append(safe("`show` has them if those have records", FAINT))
    return parts
