# SPDX-License-Identifier: Apache-2.0
"""A comparison as Markdown, for the summary page of a CI job."""

from __future__ import annotations

from nova_profiler.reading.runs.compare.comparison import Comparison
from nova_profiler.reading.runs.compare.page import (
    FIRST_NUMBER,
    HEADINGS,
    cells_of,
    count_line,
    heading_of,
    lines_about_all,
)
from nova_profiler.reading.screen.terminal import printable

# What Markdown or the HTML in it could take for its own.
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|#"})


def markdown_of(found: Comparison, limit: int) -> str:
    """Return at most *limit* routes as a table, with what failed."""
    lines = [f"### {_safe(heading_of(found))}", ""]
    lines += [f"- {_safe(line)}" for line in lines_about_all(found)]
    lines += [f"- {_safe(count_line(found))}"]
    lines += [f"- **failed**: {_safe(failure)}" for failure in found.failures]
    rule = [
        "---:" if index >= FIRST_NUMBER else "---"
        for index in range(len(HEADINGS))
    ]
    lines += ["", _row(HEADINGS), _row(rule)]
    lines += [
        _row([_safe(cell) for cell in cells_of(change)])
        for change in found.changes[:limit]
    ]
    if found.changes[limit:]:
        lines += ["", f"{len(found.changes) - limit} more"]
    return "\n".join(lines)


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    return printable(text).translate(_SPECIAL)
