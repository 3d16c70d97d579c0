# SPDX-License-Identifier: Apache-2.0
"""Whatever stands before a line, in it and at its end: no call is lost."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import form_lines as forms
import pytest

from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.unread import Unread, is_in_part

YEARS = Years(1.8e9)
FILE = "/var/log/nova/nova-api.log"
COLOURS = (
    "\x1b[01;36m", "\x1b[00m", "\x1b[0m", "#033[01;36m", "^[[00;32m",
    "[01;36m", "[00m", "\x1b[K",
)  # fmt: skip
ENDS = ("", "\r", " ", "\t\r", "\x1b[00m", "\x1b[0m\r")
# A colour in front of a word, as devstack puts it; not within a time.
_WORD = re.compile(r"(?<=[ \[])(?=[A-Za-z\"]|req-)")


def coloured(line: str, chance: random.Random) -> str:
    """Return *line* with a colour in front of some of its words."""
    if line.startswith("{"):
        return line
    places = [found.start() for found in _WORD.finditer(line)]
    for place in sorted(chance.sample(places, min(3, len(places))))[::-1]:
        line = line[:place] + chance.choice(COLOURS) + line[place:]
    return line


def tried(count: int) -> Iterator[tuple[tuple, str, bool]]:
    """Yield what a line is, the line, and whether it was cut."""
    chance = random.Random(count)
    lines = list(forms.ALL.items())
    before = [*forms.IN_FRONT, *forms.VIEWERS]
    for _ in range(count):
        line, expected = chance.choice(lines)
        text = line
        if chance.random() < 0.5:
            text = coloured(text, chance)
        # A JSON object begins its line or follows a prefix with a colon.
        if not line.startswith("{"):
            text = chance.choice(before) + text
        is_cut = chance.random() < 0.25
        if is_cut:
            text = text[: chance.randrange(1, len(text))]
        yield expected, text + chance.choice(ENDS), is_cut


def faults(count: int) -> list[str]:
    """Return the lines whose call was lost without a word, or is wrong."""
    found = []
    for expected, text, is_cut in tried(count):
        unread = Unread()
        entry = entry_of_line(text.encode(), YEARS, FILE, unread)
        noted = any(not is_in_part(row.kind) for row in unread)
        if entry is None:
            # Blank lines are nothing; a whole line is never left out.
            if not is_cut or (text.strip() and not noted):
                found.append(text)
            continue
        method, route, status, ms = expected[2:6]
        same = (entry.method, entry.route, entry.status) == (
            method,
            route,
            status,
        )
        # Of a number that was cut the begin is left.
        is_right = abs(entry.ms - ms) < 0.001 or (is_cut and entry.ms < ms)
        if not same or not is_right or noted:
            found.append(text)
    return found


def test_of_some_lines_none_is_lost():
    """Any form, prefix, colours, line ends and cuts."""
    assert faults(2_000) == []


@pytest.mark.slow
def test_of_100_000_lines_none_is_lost():
    """The same, often."""
    assert faults(100_000) == []
