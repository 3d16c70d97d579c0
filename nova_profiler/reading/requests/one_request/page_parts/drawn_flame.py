# SPDX-License-Identifier: Apache-2.0
"""The flame of a request's stacks as SVG."""

from __future__ import annotations

from html import escape

from nova_profiler.reading.requests.one_request.flame_boxes import (
    Flame,
    FlameBox,
)
from nova_profiler.reading.requests.one_request.page_parts.drawn_calls import (
    ROW,
)
from nova_profiler.reading.requests.one_request.page_parts.marks import pc
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.screen.terminal import printable

_LEAST, _WITH_NAME = 0.0012, 0.03
_LONGEST = 200
# Of a box whose time is partly waiting, in pixels.
_STRIP = 3


def drawn_flame(flame: Flame, view: View | None) -> str:
    """Return the picture; boxes lead into their function with a *view*."""
    levels = max((box.level for box in flame.boxes), default=0) + 1
    searches = view is not None and bool(view.find.strip())
    content = "".join(
        _drawn(box, flame, view, searches) for box in flame.boxes
    )
    return (
        f'<svg class="bar flame" width="100%" height="{ROW * levels + 2}" '
        f'role="group" aria-label="Stacks: callers above, as wide as their '
        f'time">{content}</svg>'
    )


def _drawn(
    box: FlameBox, flame: Flame, view: View | None, searches: bool
) -> str:
    kind, ink = box.kind, "on"
    if box.is_found:
        kind = "found"
    elif searches:
        # What was found stands out.
        kind, ink = f"{kind} dim", "ink"
    elif box.is_caller:
        kind, ink = "caller", "ink"
    at = (
        f'x="{pc(box.left)}" y="{ROW * box.level + 1}" '
        f'width="{pc(max(_LEAST, box.width))}" height="{ROW - 1}"'
    )
    title = f"<title>{escape(_text_of(box, flame))}</title>"
    if box.width <= _WITH_NAME:
        drawn = f'<rect {at} class="{kind}">{title}</rect>'
    else:
        name = escape(printable(box.label, _LONGEST))
        drawn = (
            f'<svg {at}>{title}<rect width="100%" height="100%" '
            f'class="{kind}"/>{_strip(box)}'
            f'<text class="{ink}" x="3" y="13">{name}</text></svg>'
        )
    if view is None:
        return drawn
    link = escape(view.link(frame=box.number))
    return f'<a href="{link}#stacks">{drawn}</a>'


def _strip(box: FlameBox) -> str:
    """Return the part of a box in which its threads waited."""
    if not 0.005 < box.waiting < 1 or box.is_caller:
        return ""
    return (
        f'<rect class="waits" y="{ROW - 1 - _STRIP}" '
        f'width="{pc(box.waiting)}" height="{_STRIP}"/>'
    )


def _text_of(box: FlameBox, flame: Flame) -> str:
    of_whole = box.seconds / flame.whole_s if flame.whole_s > 0 else 0.0
    text = (
        f"{printable(box.label, _LONGEST)}\n{1000 * box.seconds:.1f} ms, "
        f"{100 * of_whole:.1f} % of all"
    )
    if box.waiting > 0.005:
        text += f"; waiting {100 * box.waiting:.1f} % of it"
    return text
