# SPDX-License-Identifier: Apache-2.0
"""Joins the halves in which a container's runtime writes long lines.

``2017-05-16T00:00:00Z stdout P one half`` and ``... stdout F the other``.
"""

from __future__ import annotations

import re

# A runtime writes the stream into each of its lines: a block that does not
# begin so is not searched for halves.
_STREAMS = (b" stdout ", b" stderr ")
_BEGIN = 512
_MARKS = (b" stdout P", b" stderr P")
_HALF = re.compile(rb"(\S{1,60} (std(?:out|err))) ([PF])(?::\S{0,40})? ?(.*)")


def with_joined_halves(block: bytes) -> bytes:
    """Return the lines of *block*, those in several parts as one line.

    A part without its end stays as it is.
    """
    begin = block[:_BEGIN]
    if not any(one in begin for one in _STREAMS):
        return block
    if not any(mark in block for mark in _MARKS):
        return block
    joined: list[bytes] = []
    # By stream: the place of the line that is not whole yet.
    begun: dict[bytes, int] = {}
    for line in block.split(b"\n"):
        half = _HALF.match(line)
        if half is None:
            joined.append(line)
            continue
        before, stream, kind, text = half.groups()
        place = begun.get(stream)
        if place is not None:
            joined[place] = joined[place].rstrip(b"\r") + text
        elif kind == b"P":
            begun[stream] = len(joined)
            joined.append(before + b" F " + text)
        else:
            joined.append(line)
        if kind == b"F":
            begun.pop(stream, None)
    return b"\n".join(joined)
