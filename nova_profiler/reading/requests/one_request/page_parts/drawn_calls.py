# SPDX-License-Identifier: Apache-2.0
"""The waterfall as SVG, whose boxes have all that is known of a call.

Made without a template, which would take most of the time of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from nova_profiler.reading.requests.one_request.page_parts.call_words import (
    CallWords,
)
from nova_profiler.reading.requests.one_request.page_parts.critical import (
    OWN_LANE,
    Stretch,
)
from nova_profiler.reading.requests.one_request.page_parts.marks import pc
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.requests.one_request.waterfall import (
    Box,
    LaneBoxes,
    Span,
    Waterfall,
)
from nova_profiler.reading.screen.page_colors import class_of

ROW = 18
# Below the boxes of a lane, for the critical path.
_STRIP = 6
# What all boxes of a picture have of statements; the longest calls have
# theirs whole, the others the name.
_MOST_TEXT = 100_000
# As shares of the width: so wide that it can be seen, and read.
_LEAST, _WITH_NAME = 0.0012, 0.04


class DrawnLane(NamedTuple):
    """The picture of one lane, and what it is called."""

    name: str
    svg: str


def drawn_lanes(
    waterfall: Waterfall,
    span: Span,
    critical: Sequence[Stretch],
    words: CallWords,
    places: dict[int, int],
    view: View | None,
) -> list[DrawnLane]:
    """Return the pictures of all lanes.

    *places* are those of calls in the timeline, by their id(). Boxes lead to
    their own time in *view*, or without one to the row of the call.
    """
    boxes = [box for lane in waterfall.lanes for box in lane.boxes]
    whole = _with_statements(boxes, words)
    # For a script that zooms by dragging.
    area = (
        ""
        if view is None
        else f' data-area="span" data-start="{span.start_ms:.3f}" '
        f'data-end="{span.end_ms:.3f}"'
    )
    drawn = []
    for lane in waterfall.lanes:
        content = [
            _drawn_box(box, words, id(box) in whole, places, view)
            for box in lane.boxes
        ]
        bottom = ROW * lane.levels + 2
        content += [
            _drawn_stretch(one, span, bottom)
            for one in critical
            if one.lane == lane.number
        ]
        name = lane_name(lane)
        height = bottom + (_STRIP if critical else 0)
        drawn.append(
            DrawnLane(
                name,
                f'<svg class="bar lane" width="100%" height="{height}" '
                f'role="group" aria-label="Calls of {name} over time"{area}>'
                f"{''.join(content)}</svg>",
            )
        )
    return drawn


def lane_name(lane: LaneBoxes) -> str:
    """Return what a lane is called."""
    if lane.number == OWN_LANE:
        return "the request's own thread"
    return f"lane {lane.number}"


def _with_statements(boxes: Sequence[Box], words: CallWords) -> set[int]:
    """Return the id() of the boxes that have room for their statement."""
    left = _MOST_TEXT
    found = set()
    for box in sorted(boxes, key=lambda box: -box.call.ms):
        left -= len(words.statement_of(box.call))
        if left < 0:
            break
        found.add(id(box))
    return found


def _drawn_box(
    box: Box,
    words: CallWords,
    is_whole: bool,
    places: dict[int, int],
    view: View | None,
) -> str:
    place = places.get(id(box.call))
    if view is None:
        link = f"#c{place}"
    elif box.calls > 1:
        link = view.link(span=box.span, call=None) + "#waterfall"
    else:
        link = view.link(span=box.span, call=place) + "#waterfall"
    text = _text_of(box, words, is_whole)
    at = (
        f'x="{pc(box.left)}" y="{ROW * box.level + 1}" '
        f'width="{pc(max(_LEAST, box.width))}" height="{ROW - 1}"'
    )
    color = class_of(box.bucket)
    title = f"<title>{escape(text)}</title>"
    opened = f'<a href="{escape(link)}">'
    if box.width <= _WITH_NAME:
        return f'{opened}<rect {at} class="{color}">{title}</rect></a>'
    name = escape(words.name_of(box.call).partition(" ")[2] or box.call.group)
    return (
        f'{opened}<svg {at}>{title}<rect width="100%" height="100%" '
        f'class="{color}"/><text class="on" x="3" y="13">{name}</text>'
        f"</svg></a>"
    )


def _text_of(box: Box, words: CallWords, is_whole: bool) -> str:
    lines = words.lines_of(box.call)
    if box.calls > 1:
        lines = [
            f"{box.calls} calls, {box.ms:.3f} ms, from "
            f"{box.span.start_ms:.3f} to {box.span.end_ms:.3f} ms",
            "the longest of them:",
            *lines,
        ]
    if is_whole:
        lines.append(words.statement_of(box.call))
    return "\n".join(filter(None, lines))


def _drawn_stretch(one: Stretch, span: Span, top: int) -> str:
    left = max(0.0, (one.start_ms - span.start_ms) / span.ms)
    right = min(1.0, (one.end_ms - span.start_ms) / span.ms)
    if right <= left:
        return ""
    ms = one.end_ms - one.start_ms
    return (
        f'<rect class="critical" x="{pc(left)}" y="{top}" '
        f'width="{pc(max(_LEAST, right - left))}" height="4">'
        f"<title>critical path: {ms:.3f} ms from {one.start_ms:.3f} ms"
        f"</title></rect>"
    )
