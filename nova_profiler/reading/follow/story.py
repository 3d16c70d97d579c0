# SPDX-License-Identifier: Apache-2.0
"""One request over all services: its rows, gaps, and their holders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from nova_profiler.reading.follow.doubtful_times import Skew, placed, skews_of
from nova_profiler.reading.follow.gaps import ARROW, Gap, gaps_of
from nova_profiler.reading.follow.rows import (
    BEGIN,
    DB,
    RPC,
    Row,
    row_of,
    rows_of,
)
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.search import FollowedRequest
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.line_parts.stamps import iso_of

# A gap of at least this share of the whole has a line of its own.
GAP_SHARE = 0.02
_SHORTEST_GAP_MS = 1.0


class Held(NamedTuple):
    """How long a service held the request, or a hand-over took.

    ``spans`` are the times, in seconds since the first row.
    """

    holder: str
    is_handover: bool
    ms: float
    share: float
    lines: int
    db_calls: int
    db_ms: float
    rpc_calls: int
    rpc_ms: float
    spans: tuple[tuple[float, float], ...]


class Story(NamedTuple):
    """What is known of a request, ready to be shown.

    ``apart`` are the rows without a place in time. ``gaps`` are by the
    number of the row after which they are shown.
    """

    request: FollowedRequest
    rows: list[Row]
    apart: list[Row]
    gaps: dict[int, Gap]
    held: list[Held]
    skews: list[Skew]
    ms: float
    gap_ms: float
    # The end of the request itself, None if no line has it.
    entry: AccessEntry | None

    def shown_gap(self, number: int) -> Gap | None:
        """Return the gap after a row, None if it is short or absent."""
        gap = self.gaps.get(number)
        return gap if gap and gap.ms >= self.gap_ms else None

    @property
    def largest_gap(self) -> Gap | None:
        """Return the largest gap, None if all are empty."""
        largest = max(self.gaps.values(), key=lambda gap: gap.ms, default=None)
        return largest if largest and largest.ms > 0 else None


def story_of(request: FollowedRequest, gap_ms: float | None = None) -> Story:
    """Return the story of *request*, to be shown with gaps of *gap_ms*."""
    lines = _with_hosts(request.lines)
    times = [line.at for line in lines if line.at is not None]
    length_ms = (max(times) - min(times)) * 1000 if times else 0.0
    if gap_ms is None:
        gap_ms = max(_SHORTEST_GAP_MS, GAP_SHARE * length_ms)
    standing, apart_lines = placed(lines)
    rows = rows_of(standing, gap_ms / 1000)
    apart = [row_of(line, 0.0) for line in apart_lines]
    gaps = gaps_of(rows)
    ms = (rows[-1].until - rows[0].at) * 1000 if rows else 0.0
    return Story(
        request,
        rows,
        apart,
        {gap.following - 1: gap for gap in gaps},
        _held(rows, apart, gaps, ms),
        skews_of([row for row in rows if row.has_time]),
        ms,
        gap_ms,
        _entry_of(request),
    )


def figures_of(story: Story) -> dict[str, Any]:
    """Return the story as JSON-ready values."""
    request = story.request
    return {
        "request_id": request.request_id,
        "related_ids": list(request.related_ids),
        "ms": round(story.ms, 3) if story.rows else None,
        "started_at": iso_of(story.rows[0].at) if story.rows else None,
        "entry": None if story.entry is None else story.entry._asdict(),
        "held": [
            {
                **one._asdict(),
                "ms": round(one.ms, 3),
                "share": round(one.share, 6),
                "db_ms": round(one.db_ms, 3),
                "rpc_ms": round(one.rpc_ms, 3),
                "spans": len(one.spans),
            }
            for one in story.held
        ],
        "largest_gap": (
            None if story.largest_gap is None else story.largest_gap._asdict()
        ),
        "clock_skews": [skew._asdict() for skew in story.skews],
        "rows": [_row_figures(*one) for one in _each_row(story)],
        "searched": {
            "files": request.searched_files,
            "bytes": request.searched_bytes,
            "lines_found": len(request.lines),
            "lines_left_out": request.lines_left_out,
        },
    }


def _each_row(
    story: Story,
) -> Iterator[tuple[Row, float | None, Gap | None]]:
    """Yield each row, its milliseconds since the first, the gap after it."""
    gaps = {gap.row: gap for gap in story.gaps.values()}
    for number, row in enumerate(story.rows):
        since_ms = (row.at - story.rows[0].at) * 1000
        yield row, since_ms if row.has_time else None, gaps.get(number)
    for row in story.apart:
        yield row, None, None


def _row_figures(
    row: Row, since_ms: float | None, gap: Gap | None
) -> dict[str, Any]:
    return {
        "at": None if since_ms is None else iso_of(row.at),
        "since_ms": None if since_ms is None else round(since_ms, 3),
        "kind": row.kind,
        "service": row.service,
        "text": row.text,
        "calls": row.calls,
        "ms": None if row.ms is None else round(row.ms, 3),
        "lines": [
            line._replace(entry=None)._asdict()
            for line in row.lines
            if row.kind != BEGIN
        ],
        "gap_after": (
            None
            if gap is None
            else {"ms": round(gap.ms, 3), "holder": gap.holder}
        ),
    }


def _with_hosts(lines: Sequence[LogLine]) -> list[LogLine]:
    """Return *lines*, with the host in the name of services on several."""
    hosts: dict[str, set[str]] = {}
    for line in lines:
        if line.host:
            hosts.setdefault(line.service, set()).add(line.host)
    return [
        line._replace(service=f"{line.service}@{line.host}")
        if line.host and len(hosts[line.service]) > 1
        else line
        for line in lines
    ]


def _entry_of(request: FollowedRequest) -> AccessEntry | None:
    """Return how the request itself ended: its longest entry."""
    entries = [
        line.entry
        for line in request.lines
        if line.entry is not None and line.request_id == request.request_id
    ]
    return max(entries, key=lambda entry: entry.ms, default=None)


def _held(
    rows: Sequence[Row], apart: Sequence[Row], gaps: Sequence[Gap], ms: float
) -> list[Held]:
    spans: dict[str, list[tuple[float, float]]] = {}
    handovers = {_held_by(gap) for gap in gaps if gap.is_handover}
    for row in rows:
        if not row.has_time:
            continue
        spans.setdefault(row.service, [])
        # Between the lines of one row its service was at work.
        _add(spans, row.service, row.at, row.until, rows[0].at)
    for gap in gaps:
        start, end = rows[gap.row].until, rows[gap.following].at
        _add(spans, _held_by(gap), start, end, rows[0].at)
    held = [
        _one_held(holder, own, [*rows, *apart], ms, holder in handovers)
        for holder, own in spans.items()
    ]
    return sorted(held, key=lambda one: -one.ms)


def _held_by(gap: Gap) -> str:
    """Return the holder, the same for a hand-over and its way back."""
    if not gap.is_handover:
        return gap.holder
    one, other = sorted(gap.holder.split(ARROW))
    return f"between {one} and {other}"


def _add(
    spans: dict[str, list[tuple[float, float]]],
    holder: str,
    start: float,
    end: float,
    began: float,
) -> None:
    if end > start:
        spans.setdefault(holder, []).append((start - began, end - began))


def _one_held(
    holder: str,
    spans: Iterable[tuple[float, float]],
    rows: Sequence[Row],
    ms: float,
    is_handover: bool,
) -> Held:
    own = [row for row in rows if row.service == holder]
    held_ms = sum(end - start for start, end in spans) * 1000
    return Held(
        holder,
        is_handover,
        held_ms,
        held_ms / ms if ms > 0 else 0.0,
        sum(len(row.lines) for row in own if row.kind != BEGIN),
        sum(row.calls for row in own if row.kind == DB),
        sum(row.ms or 0.0 for row in own if row.kind == DB),
        sum(row.calls for row in own if row.kind == RPC),
        sum(row.ms or 0.0 for row in own if row.kind == RPC),
        tuple(spans),
    )
