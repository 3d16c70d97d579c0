# SPDX-License-Identifier: Apache-2.0
"""What lines without a request are, as far as a look at their bytes shows."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import TypeAlias

from nova_profiler.reading.logs.unread import Unread

OTHER = "log line without a request"
OF_TRACEBACK = "line of a traceback"
OF_ERROR = "log line of an error"
OF_WARNING = "log line of a warning"
GOES_ON = "line continuing the one above it"

# What such a line holds, and what it is. The first that fits names it: a
# traceback is logged at level ERROR.
Names: TypeAlias = "tuple[tuple[bytes, str], ...]"

NAMES: Names = (
    (b"Traceback (most recent call last)", OF_TRACEBACK),
    (b'  File "', OF_TRACEBACK),
    (b" TRACE ", OF_TRACEBACK),
    (b" CRITICAL ", OF_ERROR),
    (b" ERROR ", OF_ERROR),
    (b" WARNING ", OF_WARNING),
)
_BLANKS = (b" ", b"\t")
# What most of a log is made of.
_COMMON = (string.ascii_lowercase + string.digits + " -._,").encode()
# Lines of a log are longer, on average.
_SHORT = 16
_BLANK_LINES = re.compile(rb"(?:\A|\n)\s*\n")
# What a blank line may begin with.
_SPACES = frozenset(b" \t\r\x0b\x0c")


def without_blank_lines(block: bytes) -> bytes:
    """Return *block* without its blank lines, if it has very many.

    A few kilobytes of an archive may hold a billion of them, each of which
    would take its time.
    """
    if block.count(b"\n") * _SHORT < len(block):
        return block
    return _BLANK_LINES.sub(b"\n", block)


class Searched:
    """A block in which many words are looked for.

    Most words are in none of its lines, and that is seen quicker in what is
    left of it without common letters.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._rare = rare_in(block)

    def has(self, word: bytes, rare: bytes) -> bool:
        """Return whether *word*, of which *rare* is ``rare_in``, is there."""
        return rare in self._rare and word in self._block


def rare_in(text: bytes) -> bytes:
    """Return *text* without its common letters."""
    return text.translate(None, _COMMON)


def name_of(line: bytes, names: Names = NAMES) -> str:
    """Return what *line*, which is not empty, is; one of *names*."""
    for mark, name in names:
        if mark in line:
            return name
    return GOES_ON if line[:1] in _BLANKS else OTHER


def add_others(lines: Sequence[bytes], names: Names, unread: Unread) -> None:
    """Note *lines* of one block in *unread*, none of which has a request.

    *names* are those that the block has.
    """
    if not lines:
        return
    if not names and _SPACES.isdisjoint([line[0] for line in lines]):
        # The lines of most blocks are alike: a call for each takes as long
        # as all that is done to find out.
        unread.add(OTHER, lines[0], len(lines))
        return
    for line in lines:
        if not line.isspace():
            unread.add(name_of(line, names), line)
