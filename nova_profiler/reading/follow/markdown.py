# SPDX-License-Identifier: Apache-2.0
"""The story of one request for a bug report or a merge request."""

from __future__ import annotations

from nova_profiler.reading.follow.doubtful_times import (
    NO_TIME,
    no_time_text,
)
from nova_profiler.reading.follow.rows import Row
from nova_profiler.reading.follow.story import Story
from nova_profiler.reading.follow.summary import answer_texts, short_text
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.over_services.markdown import picture_lines
from nova_profiler.reading.screen.markdown_cells import (
    code_block,
    code_span,
    quoted,
    table_of,
)
from nova_profiler.reading.screen.terminal import ms_text, share_text


def markdown_of(story: Story) -> str:
    """Return the story: the table of services, then every line as code."""
    parts = [f"## {code_span(story.request.request_id)}", ""]
    if story.entry is not None:
        entry = story.entry
        parts += [
            f"{code_span(f'{entry.method} {entry.route}')} {entry.status}, "
            f"{ms_text(entry.ms)} ms",
            "",
        ]
    parts += [
        line
        for text in answer_texts(story)
        for line in (quoted(text.plain), "")
    ]
    if story.rows:
        parts.append(_held(story))
    largest = story.largest_gap
    if largest is not None:
        after = short_text(story.rows[largest.row])
        parts += [
            "",
            f"Largest gap: {ms_text(largest.ms)} ms, "
            f"{quoted(largest.holder)}, after {code_span(after)}",
        ]
    parts += [
        f"\nClocks: {quoted(skew.service)} seems {ms_text(skew.ms)} ms or "
        f"more behind {quoted(skew.other)}: {skew.why}"
        for skew in story.skews
    ]
    if story.picture is not None:
        parts += ["", *picture_lines(story.picture)]
    return "\n".join([*parts, "", code_block(_lines(story))])


def _held(story: Story) -> str:
    rows = [
        (one.holder, ms_text(one.ms), share_text(one.share), one.lines or "")
        for one in story.held
    ]
    return table_of(["service", "held ms", "share", "lines"], rows, 1)


def _lines(story: Story) -> list[str]:
    lines = []
    for number, row in enumerate(story.rows):
        stamp = iso_of(row.at)[:23].replace("T", " ")
        lines += _row(row, stamp if row.has_time else NO_TIME)
        gap = story.shown_gap(number)
        if gap is not None:
            lines.append(f"    {ms_text(gap.ms)} ms {gap.holder}")
    if story.apart:
        lines.append(no_time_text(len(story.apart)))
    for row in story.apart:
        lines += _row(row, NO_TIME)
    return lines


def _row(row: Row, stamp: str) -> list[str]:
    level = f"{row.level} " if row.level not in ("", "INFO") else ""
    more = [f"    {text}" for line in row.lines for text in line.more]
    first = f"{stamp} {row.service} {level}{row.text}"
    return [first, *more]
