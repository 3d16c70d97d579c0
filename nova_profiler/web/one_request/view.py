# SPDX-License-Identifier: Apache-2.0
"""Which part of a request its page shows, from the URL."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nova_profiler.reading.requests.one_request.flame_boxes import ALL, TIMES
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.requests.one_request.waterfall import Span
from nova_profiler.record import RequestRecord

PARAMETERS = (
    *("from_ms", "to_ms", "frame", "find", "calls", "call", "libraries"),
    "time",
)
_LONGEST = 100


def view_of(parameters: Mapping[str, str], record: RequestRecord) -> View:
    """Return the view of a URL; what cannot be is the whole request."""
    time = parameters.get("time", ALL)
    return View(
        _span(parameters, record),
        _place(parameters.get("frame")) or 0,
        parameters.get("find", "")[:_LONGEST],
        parameters.get("calls") == "all",
        _place(parameters.get("call")),
        parameters.get("libraries") == "all",
        time if time in TIMES else ALL,
    )


def _span(parameters: Mapping[str, str], record: RequestRecord) -> Span | None:
    start = _number(parameters.get("from_ms"))
    end = _number(parameters.get("to_ms"))
    if start is None or end is None or start > end:
        return None
    if end < 0 or start > record.duration_ms:
        return None
    return Span(start, end)


def _place(text: str | None) -> int | None:
    """Return a place in a list; None for what is none."""
    number = _number(text)
    return None if number is None or number < 0 else int(number)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e15 else None
