# SPDX-License-Identifier: Apache-2.0
"""Advice in sentences, the largest saving first."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from nova_profiler.command_name import command_name
from nova_profiler.reading.advice.largest import words_of_command
from nova_profiler.reading.screen.sections import print_section
from nova_profiler.reading.screen.terminal import FAINT, page_width, safe

ADVICE_HEADING = "What would save most"
MOST_SHOWN = 3


class Source(NamedTuple):
    """What the advice was made of, as arguments of a command have it.

    ``program`` is the command's first word, where it is not our own.
    """

    words: str
    from_dumps: bool
    program: str = ""


def source_of_logs(logs: Sequence[str]) -> Source | None:
    """Return *logs* as a source, None for what cannot be read again."""
    if not logs or "-" in logs:
        return None
    return Source(" ".join(map(shlex.quote, logs)), False)


def source_of_dumps(options: Mapping[str, str | None]) -> Source:
    """Return the dumps that *options* lead to, those that were given."""
    words = [
        f"{name} {shlex.quote(value)}"
        for name, value in options.items()
        if value is not None
    ]
    return Source(" ".join(words), True)


def print_advice(
    console: Console,
    advice: Sequence[dict[str, Any]],
    source: Source | None = None,
    route: str = "",
) -> None:
    """Print the first few rows of *advice*; nothing where there is none.

    With a *source* the command that they name is there as it runs. *route* is
    that of rows without one.
    """
    if not advice:
        return
    print_section(
        console, ADVICE_HEADING, advice_parts(advice), page_width(console)
    )
    for row in advice[:MOST_SHOWN]:
        command = "" if source is None else _command_of(row, source, route)
        if command:
            # Unbroken on a narrow terminal, too: a person copies it.
            console.print(safe(f"  {command}"), soft_wrap=True)
    console.print()


def advice_parts(
    advice: Sequence[dict[str, Any]], most: int = MOST_SHOWN
) -> list[Text]:
    """Return *most* rows of *advice*, and how many more there are."""
    parts = [safe(sentence_of(row)) for row in advice[:most]]
    more = len(advice) - most
    if more > 0:
        parts.append(Text(f"and {more} more; see --json", style=FAINT))
    return parts


def _command_of(row: dict[str, Any], source: Source, route: str) -> str:
    words = words_of_command(row.get("part", ""), from_dumps=source.from_dumps)
    if not words:
        return ""
    place = f" {source.words}" if source.words else ""
    # The option takes no action, which headings have behind the route.
    chosen = " ".join(str(row.get("route") or route).split(" ")[:2])
    if " /" in chosen:
        place += f" --route {shlex.quote(chosen)}"
    return f"{source.program or command_name()} {words}{place}"


def sentence_of(row: dict[str, Any]) -> str:
    """Return the sentence, after its route where it has one."""
    route = row.get("route")
    return f"{route}: {row['text']}" if route else str(row["text"])
