# SPDX-License-Identifier: Apache-2.0
"""Logs in a packing that is no text of lines: exports, CSV, UTF-16.

Each record becomes one line of JSON, or the lines of a form, so that all
readers of lines read it. A new packing is a function and a row of
``_PACKINGS``.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nova_profiler.reading.logs.files import (
    osprofiler_traces,
    rally_results,
)
from nova_profiler.reading.logs.files.compression import Reader
from nova_profiler.reading.logs.files.json_records import (
    ARRAY,
    DAMAGED,
    MOST_RECORD,
    SHOWN,
    damaged,
    in_any_array,
    outermost,
    records_of,
)

# The packing is found in so much of a file's text.
PACKING_BYTES = 4096

_READ_BYTES = 64 * 1024

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32_LE = codecs.BOM_UTF32_LE
# Records within one object, as search engines and Loki answer.
_WRAPPED = re.compile(
    rb"\s*\{\s*\"(?:took|_scroll_id|pit_id|hits|responses|timed_out"
    rb"|status\"\s*:\s*\"success\"\s*,\s*\"data|results|events)\""
)
# Splunk's answer to a search; an export has a ``result`` in each line.
_SEARCH_RESULTS = re.compile(
    rb"\s*\{\s*\"preview\"[^{}]{0,2000}\"results\"\s*:\s*\["
)
# An array of objects, or an object over several lines.
_SPREAD = re.compile(rb"\s*(?:\[\s*(?:\{|\Z)|\{\s*\r?\n)")
_COLUMN = re.compile(r"[\w@.\- /:]{1,80}")
# A column that has the line, or the time of one that was taken apart.
_LINE_COLUMNS = frozenset(
    "message _raw line log msg payload event.original log_line "
    "api_response_time_num http_request_time request_time".split()
)


def packing_of(head: bytes) -> str | None:
    """Return how the text that begins with *head* is packed, None if not."""
    if head.startswith(_UTF16) and not head.startswith(_UTF32_LE):
        return "utf-16"
    head = head.removeprefix(codecs.BOM_UTF8)
    if rally_results.is_rally(head):
        return "rally"
    if osprofiler_traces.is_trace(head):
        return "osprofiler"
    if _WRAPPED.match(head) or _SEARCH_RESULTS.match(head):
        return "wrapped"
    if _SPREAD.match(head):
        return "spread"
    return "csv" if _heading_of(head) else None


def unpacked(reader: Reader, packing: str | None) -> Reader:
    """Return what reads the lines of *reader*, packed as *packing*."""
    if packing is None:
        return reader
    return _Unpacked(_PACKINGS[packing](_chunks_of(reader)))


class _Unpacked:
    """Reads lines that are made as they are asked for."""

    def __init__(self, made: Iterator[bytes]) -> None:
        self._made = made
        self._rest = b""

    def read1(self, size: int = -1, /) -> bytes:
        parts = [self._rest]
        held = len(self._rest)
        most = size if size > 0 else _READ_BYTES
        while held < most:
            more = next(self._made, None)
            if more is None:
                break
            parts.append(more)
            held += len(more)
        whole = b"".join(parts)
        self._rest = whole[most:]
        return whole[:most]


def _chunks_of(reader: Reader) -> Iterator[bytes]:
    while chunk := reader.read1(_READ_BYTES):
        yield chunk


def _of_utf16(chunks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


class _Heading(NamedTuple):
    """The columns that a CSV's first line names, and what is between."""

    columns: list[str]
    mark: str


def _heading_of(head: bytes) -> _Heading | None:
    """Return the heading of a CSV that begins with *head*, None if none."""
    first = head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    for mark in (",", ";", "\t"):
        if mark not in first:
            continue
        try:
            (names,) = csv.reader([first], delimiter=mark)
        except (csv.Error, ValueError):
            continue
        columns = [one.strip() for one in names]
        if any(one.lower() in _LINE_COLUMNS for one in columns) and all(
            map(_COLUMN.fullmatch, columns)
        ):
            return _Heading(columns, mark)
    return None


def _of_csv(chunks: Iterable[bytes]) -> Iterator[bytes]:
    lines = _texts_of(chunks)
    heading = _heading_of(next(lines, "").removeprefix("\ufeff").encode())
    if heading is None:
        # The file has changed since its head was read.
        return
    rows = csv.reader(lines, delimiter=heading.mark)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            yield json.dumps({"damaged row": str(exc)}).encode() + b"\n"
            continue
        if row is None:
            return
        if row:
            # A row that was cut has fewer values.
            found = zip(heading.columns, row, strict=False)
            fields = {_key_of(name): text for name, text in found}
            yield json.dumps(fields).encode() + b"\n"


def _key_of(column: str) -> str:
    """Return a column's name as records have it: ``Message`` is a heading."""
    lower = column.lower()
    return lower if lower in ("message", "line", "log") else column


def _texts_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of *chunks* with their ends; a long one is cut."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace") + "\n"
        if len(rest) > MOST_RECORD:
            rest = rest[:SHOWN]
    if rest:
        yield rest.decode("utf-8", "replace")


def _of_wrapped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for record in records_of(chunks, in_any_array):
        yield from _lines_of(record)


def _of_spread(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for record in records_of(chunks, outermost):
        yield from _lines_of(record)


def _of_rally(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for record in records_of(chunks, _iterations):
        yield from _made(rally_results.lines_of, record)


def _of_osprofiler(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for record in records_of(chunks, outermost):
        yield from _made(osprofiler_traces.lines_of, record)


def _made(
    lines_of: Callable[[bytes], Iterable[bytes]], record: bytes
) -> Iterator[bytes]:
    """Yield the lines that *lines_of* makes, or a damaged record."""
    if record.startswith(DAMAGED):
        yield record
        return
    try:
        yield from lines_of(record)
    except (ValueError, RecursionError):
        yield damaged(record)


def _lines_of(record: bytes) -> Iterator[bytes]:
    """Yield *record* as one line; one of Loki has a line for each value."""
    if b'"values"' in record and b'"stream"' in record:
        try:
            found = json.loads(record)
            labels, values = found["stream"], found["values"]
            for value in values:
                at, line = value[:2]
                fields = {"labels": labels, "line": line, "timestamp": at}
                yield json.dumps(fields).encode() + b"\n"
        except (ValueError, KeyError, TypeError, RecursionError):
            yield damaged(record)
        return
    if record.startswith(DAMAGED):
        yield record
    else:
        yield record.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _iterations(opened: list[int]) -> bool:
    return (
        len(opened) in rally_results.OPEN_ARRAYS
        and opened[-1] == ARRAY
        # Of both forms that have arrays so deep: an object, or an array.
        and (len(opened) == max(rally_results.OPEN_ARRAYS))
        == (opened[0] != ARRAY)
    )


_PACKINGS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "utf-16": _of_utf16,
    "csv": _of_csv,
    "wrapped": _of_wrapped,
    "spread": _of_spread,
    "rally": _of_rally,
    "osprofiler": _of_osprofiler,
}
