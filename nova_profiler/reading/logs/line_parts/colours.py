# SPDX-License-Identifier: Apache-2.0
"""The colours of a terminal in a line, and how collectors spell them."""

from __future__ import annotations

import re

# ESC as itself, as rsyslog writes it, as `cat -v` and as programs show it.
_ESCAPES = ("\x1b", "#033", "^[", "\\x1b", "\\033", "\\e")
_ESCAPE = "|".join(map(re.escape, _ESCAPES))
# devstack's colours, also without the ESC, which may be lost on the way.
# JSON's way to write ESC is left alone until the message is unwrapped.
_COLOURS = re.compile(
    rf"(?:{_ESCAPE})\[[0-9;]{{0,30}}[A-Za-z]"
    r"|(?<!\\u001[bB])\[0?[01]?(?:;3\d)m"
    r"|(?<!\\u001[bB])\[0?[01]m"
)
# All of the above have one of these, or one of _BEGUN: most lines have none.
_MARKS = ("\x1b", ";3", "#033[", "^[[")
# What many lines have, and what colours have of it.
_BEGUN = (
    ("[0", ("[00", "[01m", "[0m")),
    ("\\", ("\\x1b[", "\\033[", "\\e[")),
)
# What may stand directly before an id, where a colour is not removed yet.
BEFORE_ID = rb"(?:(?<![0-9A-Za-z])|(?<=;\d\dm)|(?<=\[\d\dm)|(?<=\[\dm))"


def without_colours(line: str) -> str:
    """Return *line* without the colours of a terminal."""
    for mark in _MARKS:
        if mark in line:
            return _COLOURS.sub("", line)
    for begin, marks in _BEGUN:
        if begin in line and any(mark in line for mark in marks):
            return _COLOURS.sub("", line)
    return line
