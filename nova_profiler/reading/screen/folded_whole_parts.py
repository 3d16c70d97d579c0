# SPDX-License-Identifier: Apache-2.0
"""What a pipe gets whole: who reads it searches for whole names."""

from __future__ import annotations

import os

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.text import Text

# Only a hostile name is longer.
_WIDEST = 400


def has_width(console: Console) -> bool:
    """Tell whether somebody looks at lines of a certain width."""
    return console.is_terminal or bool(os.environ.get("COLUMNS"))


def print_part(
    console: Console, part: RenderableType, width: int | None = None
) -> None:
    """Print *part*, at most *width* wide where there is a width.

    Elsewhere as wide as its longest names, without blanks at the ends.
    """
    if has_width(console):
        console.print(part, width=width)
        return
    options = console.options.update(max_width=_WIDEST)
    needed = Measurement.get(console, options, part).maximum
    for line in console.render_lines(
        part, options.update_width(needed), pad=False
    ):
        text = "".join(segment.text for segment in line)
        console.print(Text(text.rstrip()), soft_wrap=True)
