# SPDX-License-Identifier: Apache-2.0
"""The picture of one request in HTML: nothing runs, and nothing is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nova_profiler.reading.over_services.notes import (
    clock_sentences,
    doubt_sentences,
)
from nova_profiler.reading.over_services.page import styles_of
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.rows import (
    AT_WORK,
    CRITICAL,
    IN_LINE,
    ON_THE_WAY,
    WAITS,
    CallRow,
    Row,
    Span,
    rows_of,
)
from nova_profiler.reading.over_services.waits import waited_of
from nova_profiler.reading.over_services.words import (
    facts_of,
    named,
    seconds_text,
    title_line,
    whole_lines,
)
from nova_profiler.reading.screen.html_pages import rendered_still

_MOST_ROWS = 600
# Of a row, and of the page: each is some hundred bytes of it.
_MOST_BOXES = 400
_MOST_OF_PAGE = 5_000
# How much of a colour a part has.
_OPACITY = {
    ON_THE_WAY: 0.2,
    IN_LINE: 0.35,
    AT_WORK: 0.55,
    WAITS: 0.12,
    CRITICAL: 1.0,
}
_MEANINGS = {
    CRITICAL: "critical path",
    AT_WORK: "other work",
    WAITS: "waits for an answer",
    IN_LINE: "in line for a worker",
    ON_THE_WAY: "on the way",
}


def page_of(picture: Picture, notes: Sequence[str] = ()) -> str:
    """Return the page; raises NovaProfilerError without Jinja2."""
    return rendered_still(
        "picture.html",
        title=title_line(picture),
        picture=parts_of(picture, notes),
    )


def parts_of(
    picture: Picture,
    notes: Sequence[str] = (),
    own: int | None = None,
    links: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Return what a page shows of *picture*: sentences, rows, waits, notes.

    *own* is the place of the record that the page is about, *links* are the
    pages of others.
    """
    styles = styles_of(picture)
    rows = rows_of(picture)
    most = most_boxes(sum(1 + len(row.calls) for row in rows[:_MOST_ROWS]))
    begin, whole = picture.begin, max(1e-9, picture.end - picture.begin)

    def boxes(spans: Sequence[Span]) -> list[dict[str, Any]]:
        longest = sorted(spans, key=lambda span: span[0] - span[1])[:most]
        return _boxes(longest, begin, whole)

    return {
        "lines": whole_lines(picture),
        "facts": facts_of(picture),
        "rows": [
            {
                **_row(picture, row, styles, boxes),
                "is_own": own in row.places,
                "link": (links or {}).get(row.place, ""),
            }
            for row in rows[:_MOST_ROWS]
        ],
        "left_out": max(0, len(rows) - _MOST_ROWS),
        "answered": (picture.moments[picture.root].ended - begin) / whole,
        "end": seconds_text(picture.end),
        "waits": waited_of(picture),
        "seconds": seconds_text,
        "meanings": [
            {
                "opacity": _OPACITY[level],
                "is_critical": level == CRITICAL,
                "text": text,
            }
            for level, text in _MEANINGS.items()
        ],
        "notes": [
            *clock_sentences(picture),
            *doubt_sentences(picture),
            *notes,
        ],
    }


def _boxes(
    spans: Sequence[Span], begin: float, whole: float
) -> list[dict[str, Any]]:
    """Return *spans* as shares of *whole*, the most important ones on top."""
    return [
        {
            "left": (start - begin) / whole,
            "width": max(0.0, end - start) / whole,
            "opacity": _OPACITY[level],
            "is_critical": level == CRITICAL,
            "text": f"{_MEANINGS[level]}, {seconds_text(end - start)} "
            f"from {seconds_text(start)}",
        }
        for start, end, level in sorted(spans, key=lambda span: span[2])
        if end > start
    ]


def most_boxes(rows: int) -> int:
    """Return how many boxes each of *rows* has room for: the longest."""
    return max(1, min(_MOST_BOXES, _MOST_OF_PAGE // max(1, rows)))


def _row(
    picture: Picture, row: Row, styles: dict[str, str], boxes: Any
) -> dict[str, Any]:
    one = picture.served[row.place]
    name = picture.names[row.place]
    count = f"{len(row.places)} x " if len(row.places) > 1 else ""
    return {
        "level": min(row.depth, 6),
        "service": name,
        "color": f"c-{styles[name]}",
        "text": f"{count}{named(one)}",
        "doubt": row.doubt,
        "seconds": seconds_text(row.seconds),
        "boxes": boxes(row.spans),
        "calls": [_call(call, boxes) for call in row.calls],
    }


def _call(call: CallRow, boxes: Any) -> dict[str, Any]:
    count = f"{call.count} x " if call.count > 1 else ""
    return {
        "text": f"{count}{call.text}",
        "seconds": seconds_text(call.seconds),
        "boxes": boxes([(start, end, AT_WORK) for start, end in call.spans]),
    }
