# SPDX-License-Identifier: Apache-2.0
"""One request over all services: its rows, gaps, and their holders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from nova_profiler.reading.follow.answer import (
    Answer,
    Share,
    answer_of,
    client_entry,
)
from nova_profiler.reading.follow.doubtful_times import Skew, placed, skews_of
from nova_profiler.reading.follow.gaps import ARROW, Gap, gaps_of
from nova_profiler.reading.follow.lines_once import sorted_lines
from nova_profiler.reading.follow.own_lines import at_their_ends
from nova_profiler.reading.follow.records.lines import with_records
from nova_profiler.reading.follow.records.spans import (
    Stay,
    held_by_records,
    outside,
    stays_of,
)
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
from nova_profiler.reading.over_services.figures import (
    figures_of as picture_figures,
)
from nova_profiler.reading.over_services.picture import Picture

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

    ``apart`` are the rows without a place in time, ``left_over`` those that
    only have the id. ``gaps`` are by the number of the row after which they
    are shown.
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
    # What came before the client's answer and after it, None if no line has
    # the answer.
    answer: Answer | None = None
    left_over: Sequence[LogLine] = ()
    # Of the records among what was searched, None without any.
    picture: Picture | None = None

    def shown_gap(self, number: int) -> Gap | None:
        """Return the gap after a row, None if it is short or absent."""
        gap = self.gaps.get(number)
        return gap if gap and gap.ms >= self.gap_ms else None

    @property
    def largest_gap(self) -> Gap | None:
        """Return the largest gap, None if all are empty."""
        largest = max(self.gaps.values(), key=lambda gap: gap.ms, default=None)
        return largest if largest and largest.ms > 0 else None


def story_of(
    request: FollowedRequest,
    gap_ms: float | None = None,
    picture: Picture | None = None,
) -> Story:
    """Return the story of *request*, to be shown with gaps of *gap_ms*.

    Where there is a *picture* of its records, they show what held the time.
    """
    found = request.lines
    if picture is not None:
        found = with_records(found, picture)
    lines, left_over = sorted_lines(found)
    lines = at_their_ends(lines)
    times = [line.at for line in lines if line.at is not None]
    length_ms = (max(times) - min(times)) * 1000 if times else 0.0
    if gap_ms is None:
        gap_ms = max(_SHORTEST_GAP_MS, GAP_SHARE * length_ms)
    standing, apart_lines = placed(lines)
    rows = rows_of(standing, gap_ms / 1000)
    apart = [row_of(line, 0.0) for line in apart_lines]
    stays = []
    if picture is not None and rows:
        stays = stays_of(picture, rows[0].at, rows[-1].until)
    gaps = held_by_records(gaps_of(rows), rows, stays)
    ms = (rows[-1].until - rows[0].at) * 1000 if rows else 0.0
    held = _held(rows, apart, gaps, ms, stays)
    entry = client_entry(lines, request.request_id)
    return Story(
        request._replace(lines=lines),
        rows,
        apart,
        {gap.following - 1: gap for gap in gaps},
        held,
        skews_of([row for row in rows if row.has_time]),
        ms,
        gap_ms,
        entry,
        _answer_of(held, rows, entry),
        left_over,
        picture,
    )


def _answer_of(
    held: Sequence[Held], rows: Sequence[Row], entry: AccessEntry | None
) -> Answer | None:
    if entry is None or entry.at is None or not rows:
        return None
    return answer_of(
        {one.holder: one.spans for one in held},
        entry.at - rows[0].at,
        rows[-1].until - rows[0].at,
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
        "answer": _answer_figures(story.answer),
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
        "records": (
            None if story.picture is None else picture_figures(story.picture)
        ),
        "clock_skews": [skew._asdict() for skew in story.skews],
        "left_over": [
            line._replace(entry=None, half=None)._asdict()
            for line in story.left_over
        ],
        "rows": [_row_figures(*one) for one in _each_row(story)],
        "searched": {
            "files": request.searched_files,
            "bytes": request.searched_bytes,
            "lines_found": len(request.lines),
            "lines_left_out": request.lines_left_out,
        },
    }


def _answer_figures(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "until_ms": round(answer.until_ms, 3),
        "until": [_share_figures(one) for one in answer.until],
        "after_ms": round(answer.after_ms, 3),
        "after": [_share_figures(one) for one in answer.after],
    }


def _share_figures(one: Share) -> dict[str, Any]:
    return {
        "holder": one.holder,
        "ms": round(one.ms, 3),
        "share": round(one.share, 6),
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
            line._replace(entry=None, half=None)._asdict()
            for line in row.lines
            if row.kind != BEGIN
        ],
        "gap_after": (
            None
            if gap is None
            else {"ms": round(gap.ms, 3), "holder": gap.holder}
        ),
    }


def _held(
    rows: Sequence[Row],
    apart: Sequence[Row],
    gaps: Sequence[Gap],
    ms: float,
    stays: Sequence[Stay],
) -> list[Held]:
    spans: dict[str, list[tuple[float, float]]] = {}
    handovers = {_held_by(gap) for gap in gaps if gap.is_handover}
    for row in rows:
        if not row.has_time:
            continue
        spans.setdefault(row.service, [])
        # Between the lines of one row its service was at work.
        for start, end in outside(row.at, row.until, stays):
            _add(spans, row.service, start, end, rows[0].at)
    for gap in gaps:
        own = rows[gap.row].until, rows[gap.following].at
        for start, end in outside(*own, stays):
            _add(spans, _held_by(gap), start, end, rows[0].at)
    for stay in stays:
        _add(spans, stay.holder, stay.start, stay.end, rows[0].at)
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
