# SPDX-License-Identifier: Apache-2.0
"""Whole blocks of nova's own request lines at once.

The lines of ``nova.osapi_compute.wsgi.server`` and ``requestlog`` are read
by one regular expression a block; every other line is handed on as it is.
"""

from __future__ import annotations

import re
from typing import TypeAlias

# Stamp, logger, user and project, method and path, status, seconds; of any
# other line the line itself.
QuickRow: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

# What must be right and takes long to match, and what takes its place where
# all lines of a block are checked at once.
_STAMP = (
    rb"\d{4}-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d\.\d\d\d",
    rb"....-[01].-[0-3]. [0-2].:[0-5].:[0-5].\....",
)
_WORD = (rb"[^ \]\n]+", rb"[^ ]+")
_STAMP_LENGTH = 23
_STAMP_MARKS = b"-- ::."


def _line(stamp: bytes, word: bytes) -> bytes:
    return (
        rb"(" + stamp + rb") "
        rb"(?:\d+ )?INFO (nova\." + word + rb") "
        rb"\[(?:(?:(?:None|req-.{36}) (?=req-\S+ [^ \]]+ [^ \]]+ ))?"
        rb"req-.{36} (?!req-)(" + word + rb" " + word + rb")[^\]\n]*|-)\] "
        rb'[^ "\n]+ "([A-Z]{3,7} /[^?"#% \n\\]*)(?:\?[^" \n]*)?'
        rb'(?: HTTP/1\.[01])?" status: (\d\d\d) len: (?:\d+|None) '
        rb"(?:microversion: \S+ )?time: (\d{1,5}\.\d{1,9})\r?$"
        rb"|^(.+)$"
    )


# A collector may have put the name of the file in front.
_NAMED = rb'^(?:(?![12]\d\d\d-)[^\s"]{1,300} )?'
_CENTURIES = (b"19", b"20")
# By whether lines begin with a name: what is strict, and what is quick.
_LINES = {
    is_named: [
        re.compile((_NAMED if is_named else b"^") + _line(*how), re.MULTILINE)
        for how in zip(_STAMP, _WORD, strict=True)
    ]
    for is_named in (False, True)
}
_UUID = re.compile(rb"/[0-9a-f]{8}-[0-9a-f-]{27}(?=[/\n])")


def quick_rows(block: bytes) -> list[QuickRow]:
    """Return a row for each line of *block* that is not empty.

    Of a line in some other form only the last column is filled.
    """
    strict, quick = _LINES[block[:2] not in _CENTURIES]
    rows: list[QuickRow] = quick.findall(block)
    return rows if _are_strict(rows, block) else strict.findall(block)


def requests_of(rows: list[QuickRow]) -> list[bytes]:
    """Return the method and path of each row, UUIDs as ``{id}``.

    So the same few come again and again.
    """
    # Each ends with a line's end, also the only one of them.
    text = b"\n".join([row[3] for row in rows] + [b""])
    return _UUID.sub(b"/{id}", text).split(b"\n")[:-1]


def _are_strict(rows: list[QuickRow], block: bytes) -> bool:
    """Tell whether the strict expression would have given the same."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    # A row may have swallowed the end of a line, and the next one.
    if len(rows) != lines and len(rows) != lines - block.count(b"\n\n"):
        return False
    stamps = b"".join([row[0] for row in rows])
    marks = _STAMP_MARKS * (len(stamps) // _STAMP_LENGTH)
    if stamps.translate(None, b"0123456789") != marks:
        return False
    return b"]" not in b"".join([row[1] + row[2] for row in rows])
