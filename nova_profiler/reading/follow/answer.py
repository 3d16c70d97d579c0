# SPDX-License-Identifier: Apache-2.0
"""The client's request within a story, and what went on after its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.logs.entries import AccessEntry

Spans = Sequence[tuple[float, float]]


class Share(NamedTuple):
    """How long a holder held a part of the time."""

    holder: str
    ms: float
    share: float


class Answer(NamedTuple):
    """Who held the time until the client's answer, and the time after it.

    ``after_ms`` is the time from the answer to the last line.
    """

    until_ms: float
    until: list[Share]
    after_ms: float
    after: list[Share]


def client_entry(
    lines: Sequence[LogLine], request_id: str
) -> AccessEntry | None:
    """Return how the client's request ended: the outermost one.

    Of the requests with this id, or else this global id, the longest: a
    caller waits for what it calls.
    """
    entries = [line for line in lines if line.entry is not None]
    for field in ("request_id", "global_request_id"):
        own = [
            line.entry
            for line in entries
            if line.entry is not None and getattr(line, field) == request_id
        ]
        if own:
            return max(own, key=lambda entry: entry.ms)
    return None


def answer_of(
    spans: dict[str, Spans], answered_s: float, whole_s: float
) -> Answer:
    """Return the parts before and after *answered_s*, since the first row.

    *spans* are the times of each holder, *whole_s* is the end of all.
    """
    answered_s = min(max(answered_s, 0.0), whole_s)
    return Answer(
        answered_s * 1000,
        _shares(spans, 0.0, answered_s),
        (whole_s - answered_s) * 1000,
        _shares(spans, answered_s, whole_s),
    )


def _shares(spans: dict[str, Spans], begin: float, end: float) -> list[Share]:
    """Return each holder's part of the time from *begin* to *end*."""
    whole = end - begin
    found = []
    for holder, own in spans.items():
        held = sum(
            max(0.0, min(stop, end) - max(start, begin)) for start, stop in own
        )
        # Rounding leaves less than a microsecond.
        if held > 1e-6 and whole > 0:
            found.append(Share(holder, held * 1000, held / whole))
    return sorted(found, key=lambda one: -one.ms)
