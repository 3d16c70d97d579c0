# SPDX-License-Identifier: Apache-2.0
"""Reads whole blocks of nova's own request lines at once.

One regular expression reads the lines of ``nova.osapi_compute.wsgi.server``
and ``requestlog`` in a block; every other line is passed on as it is.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from nova_profiler.reading.logs.forms.wsgi_server import (
    REQUESTLOG,
    WSGI_SERVER,
)

# Stamp, logger, user and project, method and path, status, seconds; then
# the line itself, if it has another form.
QuickRow: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

# Exact patterns, which take long to match, and quick ones in their place,
# with which all lines of a block are checked at once.
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
        # After the project a blank or the bracket: were it just any text, a
        # bracket that is missing would be looked for from each letter on.
        rb"req-.{36} (?!req-)(" + word + rb" " + word + rb")"
        rb"(?: [^\]\n]*)?|-)\] "
        rb'[^ "\n]+ "([A-Z]{3,7} /[^?"#% \n\\]*)(?:\?[^" \n]*)?'
        rb'(?: HTTP/1\.[01])?" status: (\d\d\d) len: (?:\d+|None) '
        rb"(?:microversion: \S+ )?time: (\d{1,5}\.\d{1,9})\r?$"
        rb"|^(.+)$"
    )


# A collector may put the name of the file in front.
_NAMED = rb'^(?:(?![12]\d\d\d-)[^\s"]{1,300} )?'
_CENTURIES = (b"19", b"20")
# By whether lines begin with a name: the exact pattern and the quick one.
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

    A line of another form fills only the last column.
    """
    strict, quick = _LINES[block[:2] not in _CENTURIES]
    rows: list[QuickRow] = quick.findall(block)
    return rows if _are_strict(rows, block) else strict.findall(block)


def form_of(logger: bytes) -> str:
    """Return the form of a row with this *logger*."""
    return REQUESTLOG if b"requestlog" in logger else WSGI_SERVER


def requests_of(rows: list[QuickRow]) -> list[bytes]:
    """Return the method and path of each row, UUIDs as ``{id}``.

    Few different texts are left, so that requests add up by them.
    """
    # The empty text at the end: each row has its line end, even one alone.
    text = b"\n".join([row[3] for row in rows] + [b""])
    return _UUID.sub(b"/{id}", text).split(b"\n")[:-1]


def _are_strict(rows: list[QuickRow], block: bytes) -> bool:
    """Return whether the strict expression would give the same rows."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    # A quick match may have run over the end of a line.
    if len(rows) != lines and len(rows) != lines - block.count(b"\n\n"):
        return False
    stamps = b"".join([row[0] for row in rows])
    marks = _STAMP_MARKS * (len(stamps) // _STAMP_LENGTH)
    if stamps.translate(None, b"0123456789") != marks:
        return False
    return b"]" not in b"".join([row[1] + row[2] for row in rows])
