# SPDX-License-Identifier: Apache-2.0
"""Finds the records in an export of JSON, in pieces of any size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

# A longer record is not one of a log.
MOST_RECORD = 16 * 1024 * 1024
SHOWN = 300
# No JSON goes on like that.
DAMAGED = b'{"damaged record" '

# Tells whether a record begins within the open brackets and braces.
Begins: TypeAlias = Callable[[list[int]], bool]

ARRAY = ord("[")
_OUTSIDE = re.compile(rb"[\"{}\[\]]")
_INSIDE = re.compile(rb"[\"\\]")


def outermost(opened: list[int]) -> bool:
    """Tell so of the outermost objects, of one array or without any."""
    return opened in ([], [ARRAY])


def in_any_array(opened: list[int]) -> bool:
    """Tell so of the outermost objects in an array."""
    return bool(opened) and opened[-1] == ARRAY


def records_of(chunks: Iterable[bytes], begins: Begins) -> Iterator[bytes]:
    """Yield the objects of an export as they end, and a cut one at the end.

    *begins* tells which objects are records.
    """
    scan = _Scan(begins)
    for chunk in chunks:
        yield from scan.records(chunk)
    if scan.held:
        yield damaged(bytes(scan.held[:SHOWN]))


class _Scan:
    """Finds where records begin and end, in pieces of any size."""

    def __init__(self, begins: Begins) -> None:
        self.held = bytearray()
        self._begins = begins
        self._open: list[int] = []
        # How deep the record that is on began, None between records.
        self._depth: int | None = None
        self._is_text = False
        self._is_escaped = False

    def records(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the records that end in *chunk*."""
        place = start = 0
        if self._is_escaped and chunk:
            place, self._is_escaped = 1, False
        while found := (_INSIDE if self._is_text else _OUTSIDE).search(
            chunk, place
        ):
            token, place = found[0], found.end()
            if token == b"\\":
                self._is_escaped = place >= len(chunk)
                place += 1
            elif token == b'"':
                self._is_text = not self._is_text
            elif token in b"{[":
                if (
                    self._depth is None
                    and token == b"{"
                    and self._begins(self._open)
                ):
                    self._depth, start = len(self._open), found.start()
                self._open.append(token[0])
            else:
                if self._open:
                    self._open.pop()
                if self._depth == len(self._open):
                    record = bytes(self.held) + chunk[start:place]
                    self._depth, self.held = None, bytearray()
                    yield record
        if self._depth is not None and len(self.held) < MOST_RECORD:
            self.held += chunk[start:]


def shown_of(line: bytes) -> bytes:
    """Return *line*, of a damaged record the begin as it was found."""
    if not line.startswith(DAMAGED):
        return line
    return line.removeprefix(DAMAGED).rstrip().removesuffix(b"}")


def damaged(record: bytes) -> bytes:
    """Return the begin of *record* so that a reader of JSON counts it."""
    shown = record[:SHOWN].replace(b"\r", b" ").replace(b"\n", b" ")
    return DAMAGED + shown + b"}\n"
