# SPDX-License-Identifier: Apache-2.0
"""The calls of a request on its page: picture, table, one of them whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_profiler.reading.requests.one_request.page_parts.call_words import (
    CallWords,
)
from nova_profiler.reading.requests.one_request.page_parts.critical import (
    critical_stretches,
)
from nova_profiler.reading.requests.one_request.page_parts.drawn_calls import (
    drawn_lanes,
)
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.requests.one_request.waterfall import (
    Span,
    bucket_of,
    calls_in,
    levels_of,
    waterfall_of,
    whole_span,
)
from nova_profiler.record import RequestRecord, TimelineEntry

# Rows of the table: at first, and at most. The record has all.
_FEW, _MOST = 100, 1_000
_MOST_AROUND = 12
# Deeper calls stand as deep.
_DEEPEST = 6


def calls_part(record: RequestRecord, view: View | None) -> dict[str, Any]:
    """Return the waterfall of the time in *view*, and the calls as rows."""
    whole = whole_span(record)
    span = whole if view is None or view.span is None else view.span
    words = CallWords(record)
    places = {id(one): n for n, one in enumerate(record.timeline or ())}
    calls = calls_in(record, span)
    waterfall = waterfall_of(calls, span)
    critical = critical_stretches(record)
    all_calls = view is None or view.all_calls
    shown = _longest(calls, _MOST if all_calls else _FEW)
    return {
        "span": span,
        "is_part": span != whole,
        "lanes": drawn_lanes(waterfall, span, critical, words, places, view),
        "critical": bool(critical),
        "left_out": waterfall.left_out,
        "rows": _rows(shown, words, whole, places, view),
        "calls": len(calls),
        "is_short": not all_calls and len(calls) > len(shown),
        "picked": _picked(record, view, words, places),
    }


def _longest(calls: Sequence[TimelineEntry], most: int) -> list[TimelineEntry]:
    """Return the *most* longest of *calls*, in their order."""
    if len(calls) <= most:
        return list(calls)
    longest = sorted(calls, key=lambda call: -call.ms)[:most]
    kept = {id(call) for call in longest}
    return [call for call in calls if id(call) in kept]


def _rows(
    calls: Sequence[TimelineEntry],
    words: CallWords,
    whole: Span,
    places: dict[int, int],
    view: View | None,
) -> list[dict[str, Any]]:
    levels: dict[int, int] = {}
    by_lane: dict[int, list[TimelineEntry]] = {}
    for call in calls:
        by_lane.setdefault(int(call.lane), []).append(call)
    for of_lane in by_lane.values():
        for call, level in zip(of_lane, levels_of(of_lane), strict=True):
            levels[id(call)] = level
    return [
        {
            "call": call,
            "place": places[id(call)],
            "name": words.name_of(call),
            "level": min(levels[id(call)], _DEEPEST),
            "bucket": bucket_of(call.group),
            "left": max(0.0, min(1.0, call.start_ms / whole.ms)),
            "width": max(0.0, min(1.0, call.ms / whole.ms)),
            "link": _row_link(call, words, places, view),
        }
        for call in calls
    ]


def _row_link(
    call: TimelineEntry,
    words: CallWords,
    places: dict[int, int],
    view: View | None,
) -> str:
    """Return where a row leads: to its call, or in a file to its statement.

    Empty where there is nothing more to know.
    """
    if view is not None:
        return _link_of(call, places, view) + "#waterfall"
    if words.statement_of(call):
        return f"#s{call.statement}"
    return ""


def _picked(
    record: RequestRecord,
    view: View | None,
    words: CallWords,
    places: dict[int, int],
) -> dict[str, Any] | None:
    """Return all that is known of the call that *view* picks."""
    timeline = record.timeline or []
    if view is None or view.call is None or view.call >= len(timeline):
        return None
    call = timeline[view.call]
    return {
        "name": words.name_of(call),
        "bucket": bucket_of(call.group),
        "facts": words.facts_of(call),
        "statement": words.statement_of(call),
        "request_id": call.request_id or "",
        "around": [
            (words.name_of(one), _link_of(one, places, view))
            for one in words.around(call)[-_MOST_AROUND:]
        ],
    }


def _link_of(call: TimelineEntry, places: dict[int, int], view: View) -> str:
    span = Span(call.start_ms, call.start_ms + call.ms)
    return view.link(span=span, call=places[id(call)])
