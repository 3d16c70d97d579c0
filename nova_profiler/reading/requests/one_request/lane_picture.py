# SPDX-License-Identifier: Apache-2.0
"""A picture of when each lane of a request was busy."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nova_profiler.groups import LOG_LINE_GROUPS
from nova_profiler.reading.record_calls import SHORTEST_MS
from nova_profiler.reading.requests.one_request.figures import (
    Lane,
    is_parallel,
    lanes_of,
)
from nova_profiler.reading.screen.terminal import (
    FAINT,
    heights,
    ms_text,
    safe,
    speaks_unicode,
)
from nova_profiler.record import RequestRecord

_MOST_LANES = 8
_BESIDE_PICTURE = 26
# The part of the request from which on a call is a block that one sees.
_LONG = 0.05
_MOST_NAMED = 3


def lane_picture(
    console: Console, record: RequestRecord, width: int
) -> list[RenderableType]:
    """Return a line for each lane over the time of the request, and sums.

    The height of a cell is the part of its time in which a call ran.
    """
    lanes = [lane for lane in lanes_of(record) if lane.spans]
    if not lanes or record.duration_ms < SHORTEST_MS:
        return []
    cells = max(20, width - _BESIDE_PICTURE)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    edge = "▕" if speaks_unicode(console) else "|"
    for lane in _busiest(lanes):
        shares = busy_shares(lane, record.duration_ms, cells)
        picture = heights(console, shares, "cyan")
        picture.append(edge, style=FAINT)
        grid.add_row(
            _name_of(lane.number),
            picture,
            f"{ms_text(lane.busy_ms)} ms",
        )
    parts: list[RenderableType] = [
        grid,
        _axis(record.duration_ms, cells),
        Text("ms: when any call ran in the lane, each moment once"),
        *_longest_calls(record),
    ]
    if len(lanes) > _MOST_LANES:
        parts.append(
            Text(
                f"the {_MOST_LANES} busiest of {len(lanes)} lanes",
                style=FAINT,
            )
        )
    for group in LOG_LINE_GROUPS:
        totals = record.groups.get(group.name)
        if totals is not None and is_parallel(totals):
            parts.append(
                Text(
                    f"{group.name}: {ms_text(totals.ms)} ms added up over all "
                    f"lanes, {ms_text(totals.wall_ms)} ms of the clock"
                )
            )
    return parts


def busy_shares(lane: Lane, duration_ms: float, cells: int) -> list[float]:
    """Return, for each cell, the part of its time that *lane* was busy."""
    cell_ms = duration_ms / cells
    shares = [0.0] * cells
    for start, end in lane.spans:
        first = min(cells - 1, int(start / cell_ms))
        last = min(cells - 1, int(end / cell_ms))
        for cell in range(first, last + 1):
            inside = min(end, (cell + 1) * cell_ms) - max(
                start, cell * cell_ms
            )
            shares[cell] += max(0.0, inside) / cell_ms
    return shares


def _longest_calls(record: RequestRecord) -> list[Text]:
    """Return which calls the longest blocks are, and when they began."""
    innermost = {call.parent for call in record.timeline or ()}
    calls = [
        call
        for call in record.timeline or ()
        if call.ms >= _LONG * record.duration_ms
        # A block is named by what ran, not by what called that.
        and (call.id is None or call.id not in innermost)
    ]
    longest = sorted(calls, key=lambda call: -call.ms)[:_MOST_NAMED]
    return [
        safe(
            f"{_name_of(call.lane)}: {call.group} {call.name}, "
            f"{ms_text(call.ms)} ms from {ms_text(call.start_ms)} ms on"
        )
        for call in sorted(longest, key=lambda call: call.start_ms)
    ]


def _name_of(lane: int) -> str:
    return "request" if lane == 0 else f"lane {lane}"


def _busiest(lanes: list[Lane]) -> list[Lane]:
    busiest = sorted(lanes, key=lambda lane: -lane.busy_ms)[:_MOST_LANES]
    return sorted(busiest, key=lambda lane: lane.number)


def _axis(duration_ms: float, cells: int) -> Text:
    end = f"{ms_text(duration_ms)} ms"
    return Text(" " * 8 + "0" + end.rjust(cells - 1), style=FAINT)
