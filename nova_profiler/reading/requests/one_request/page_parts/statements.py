# SPDX-License-Identifier: Apache-2.0
"""The statements of a request on its page: each once, with its repeats."""

from __future__ import annotations

from typing import Any

from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.call_tree import senders_of
from nova_profiler.record import RequestRecord, TimelineEntry

_MOST = 500
_MOST_SENDERS = 8


def statements_part(record: RequestRecord) -> dict[str, Any]:
    """Return the statements, the one with the most time first.

    Each has the DB API functions that sent it, the most frequent first, and
    the line of the application that made its longest call.
    """
    places = {id(row): n for n, row in enumerate(record.statements or ())}
    senders = senders_of(record)
    makers = _makers(record)
    rows = figures.slowest_statements(record)
    return {
        "rows": [
            {
                "row": row,
                "place": places[id(row)],
                "fetch_ms": fetch_ms,
                "short": figures.condensed(row),
                "senders": senders.get(places[id(row)], [])[:_MOST_SENDERS],
                "made_by": makers.get(places[id(row)], ""),
            }
            for row, fetch_ms in rows[:_MOST]
        ],
        "left_out": max(0, len(rows) - _MOST),
    }


def _makers(record: RequestRecord) -> dict[int, str]:
    """Return by statement the line that made the longest of its calls."""
    longest: dict[int, TimelineEntry] = {}
    for call in record.timeline or ():
        if call.statement is None or call.made_by is None:
            continue
        known = longest.get(int(call.statement))
        if known is None or call.ms > known.ms:
            longest[int(call.statement)] = call
    return {place: str(call.made_by) for place, call in longest.items()}
