# SPDX-License-Identifier: Apache-2.0
"""The story of one request for a bug report or a merge request."""

from __future__ import annotations

from nova_profiler.access_logs.stamps import iso_of
from nova_profiler.reports.follow_story import Story
from nova_profiler.reports.follow_summary import short_text
from nova_profiler.reports.terminal import ms_text, printable, share_text


def markdown_of(story: Story) -> str:
    """Return the story: who held the time, then every line as a block."""
    parts = [f"## {_code(story.request.request_id)}", ""]
    if story.entry is not None:
        entry = story.entry
        parts += [
            f"{_code(f'{entry.method} {entry.route}')} {entry.status}, "
            f"{ms_text(entry.ms)} ms",
            "",
        ]
    parts += [
        "| service | held ms | share | lines |",
        "|---|---:|---:|---:|",
    ]
    parts += [
        f"| {_cell(one.holder)} | {ms_text(one.ms)} "
        f"| {share_text(one.share)} | {one.lines or ''} |"
        for one in story.held
    ]
    largest = story.largest_gap
    if largest is not None:
        after = short_text(story.rows[largest.row])
        parts += [
            "",
            f"Largest gap: {ms_text(largest.ms)} ms, {_cell(largest.holder)}, "
            f"after {_code(after)}",
        ]
    parts += [
        f"\nClocks: {_cell(skew.service)} seems {ms_text(skew.ms)} ms or "
        f"more behind {_cell(skew.other)}: {skew.why}"
        for skew in story.skews
    ]
    fence = "```"
    return "\n".join([*parts, "", f"{fence}text", *_lines(story), fence])


def _lines(story: Story) -> list[str]:
    lines = []
    for number, row in enumerate(story.rows):
        stamp = iso_of(row.at)[:23].replace("T", " ")
        level = f"{row.level} " if row.level not in ("", "INFO") else ""
        lines.append(_plain(f"{stamp} {row.service} {level}{row.text}"))
        for line in row.lines:
            lines += [_plain(f"    {text}") for text in line.more]
        gap = story.shown_gap(number)
        if gap is not None:
            lines.append(f"    {ms_text(gap.ms)} ms {_plain(gap.holder)}")
    return lines


def _plain(text: str) -> str:
    """Return a line for a code block, which it cannot end."""
    return printable(text).replace("```", "'''")


def _code(text: str) -> str:
    return f"`{printable(text).replace('`', chr(39))}`"


def _cell(text: str) -> str:
    return printable(text).replace("|", "/").replace("`", "'")
