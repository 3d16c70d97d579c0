# SPDX-License-Identifier: Apache-2.0
"""The colours of groups.py as a browser has them."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.groups import COLORS

# For a bucket that only a newer release knows, as on the terminal.
OTHER = "green"


class Shades(NamedTuple):
    """One colour on a light and on a dark page."""

    light: str
    dark: str


# By the names that rich knows. Each has a contrast of 4.5 with the background
# of still.css, which is also the colour of a text on it.
PALETTE = {
    "cyan": Shades("#0b7f93", "#37b6cc"),
    "yellow": Shades("#8a6400", "#d9a927"),
    "magenta": Shades("#a5439e", "#d67bcf"),
    "red": Shades("#c0392b", "#ff7b6b"),
    "blue": Shades("#2b3f9e", "#7f7ff0"),
    "green": Shades("#4b7f1f", "#9ccc65"),
    "bright_blue": Shades("#2f6fde", "#6ea0ff"),
    "bright_magenta": Shades("#c2379a", "#f08ad6"),
    "bright_green": Shades("#267d38", "#5fd068"),
    "bright_yellow": Shades("#b35c00", "#ffb454"),
    # The terminal's own for text, which no theme hides.
    "default": Shades("#30363f", "#e6e9ee"),
}


def class_of(bucket: str) -> str:
    """Return the class of what is drawn in a bucket's colour."""
    return f"c-{COLORS.get(bucket, OTHER)}"


def rules() -> str:
    """Return the style rules of all classes, for both schemes."""
    light = "".join(_rule(name, one.light) for name, one in PALETTE.items())
    dark = "".join(_rule(name, one.dark) for name, one in PALETTE.items())
    return f"{light}@media (prefers-color-scheme: dark) {{{dark}}}"


def _rule(name: str, shade: str) -> str:
    return f".c-{name} {{fill: {shade}; color: {shade};}}\n"
