# SPDX-License-Identifier: Apache-2.0
"""Markdown in which names from logs and records stay text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nova_profiler.reading.screen.terminal import printable

# What Markdown, or HTML in it, could take for its own.
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|#"})


def quoted(text: object) -> str:
    """Return *text* for a paragraph or a cell, shown as it stands."""
    return printable(text).translate(_SPECIAL)


def code_span(text: object) -> str:
    """Return *text* as code within a paragraph; not for a cell."""
    return f"`{printable(text).replace('`', chr(39))}`"


def code_block(lines: Iterable[str]) -> str:
    """Return *lines* as a block of code, which none of them can end."""
    shown = [printable(line).replace("```", "'''") for line in lines]
    return "\n".join(["```text", *shown, "```"])


def table_of(
    headings: Sequence[str], rows: Iterable[Sequence[object]], names: int
) -> str:
    """Return a table; its first *names* columns are text, the rest numbers."""
    rule = ["---"] * names + ["---:"] * (len(headings) - names)
    cells = [headings, rule, *([quoted(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
