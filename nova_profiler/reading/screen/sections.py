# SPDX-License-Identifier: Apache-2.0
"""A page for a terminal in sections, each with a heading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from nova_profiler.reading.screen.terminal import HEADING, print_part, safe

INDENT = 2


def print_section(
    console: Console,
    heading: str,
    parts: Iterable[RenderableType],
    width: int | None,
) -> None:
    """Print *parts* under *heading*, indented; None for *width* is any."""
    console.print(Text(heading, style=HEADING))
    for part in parts:
        indented = Padding(part, (0, 0, 0, INDENT), expand=False)
        print_part(console, indented, width)


def print_sections(
    console: Console,
    sections: Iterable[tuple[str, Sequence[RenderableType]]],
    next_commands: Sequence[str],
    width: int | None,
) -> None:
    """Print headings and their parts; a section without parts is left out.

    *next_commands* are at the end.
    """
    for heading, parts in sections:
        if parts:
            console.print()
            print_section(console, heading, parts, width)
    if next_commands:
        console.print()
        console.print(Text("Next", style=HEADING))
        for command in next_commands:
            # Unbroken on a narrow terminal, too: a person copies it.
            console.print(safe(f"  {command}"), soft_wrap=True)
