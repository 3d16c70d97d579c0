# SPDX-License-Identifier: Apache-2.0
"""Advice in sentences, the largest saving first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from nova_profiler.reading.screen.sections import print_section
from nova_profiler.reading.screen.terminal import FAINT, page_width, safe

ADVICE_HEADING = "What would save most"
MOST_SHOWN = 3


def print_advice(console: Console, advice: Sequence[dict[str, Any]]) -> None:
    """Print the first few rows of *advice*; nothing where there is none."""
    if not advice:
        return
    print_section(
        console, ADVICE_HEADING, advice_parts(advice), page_width(console)
    )
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


def sentence_of(row: dict[str, Any]) -> str:
    """Return the sentence, after its route where it has one."""
    route = row.get("route")
    return f"{route}: {row['text']}" if route else str(row["text"])
