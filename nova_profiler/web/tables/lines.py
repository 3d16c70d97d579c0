# SPDX-License-Identifier: Apache-2.0
"""What is known of a request that has no dump: its lines, its record."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nova_profiler.dump_store import record_of_json
from nova_profiler.reading.logs.files.blocks import blocks_of
from nova_profiler.reading.logs.files.sources import Source as LogFile
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.record import RecordError, RequestRecord
from nova_profiler.web.rows import Row

MOST_LINES = 200
LONGEST_LINE = 2000
# A page waits no longer for logs to be searched.
_MOST_S = 3.0


class Line(NamedTuple):
    """A line of a log, and the name of its file."""

    file: str
    text: str


class Lines(NamedTuple):
    """The lines with a request's id, and its record if one of them has it.

    ``is_whole`` is whether all logs were searched.
    """

    lines: list[Line]
    record: RequestRecord | None
    is_whole: bool


def lines_of(
    row: Row,
    files: Iterable[LogFile],
    clock: Callable[[], float] = time.monotonic,
) -> Lines:
    """Return the lines of *files* with the id of *row*; without one none."""
    lines: list[Line] = []
    record = None
    wanted = row.request_id.encode("ascii", "replace")
    if not wanted:
        return Lines(lines, record, True)
    until = clock() + _MOST_S
    for file in files:
        for block in blocks_of(file, Unread()):
            for line in _lines_in(block, wanted):
                record = record or _record_in(line, row)
                text = line[:LONGEST_LINE].decode("utf-8", "replace")
                lines.append(Line(file.name, text))
                if len(lines) >= MOST_LINES:
                    return Lines(lines, record, False)
            if clock() > until:
                return Lines(lines, record, False)
    return Lines(lines, record, True)


def follow_command(request_id: str, logs: Iterable[str]) -> str:
    """Return the command that follows a request through *logs*."""
    return shlex.join(["nova-profiler", "follow", request_id, *logs])


def _lines_in(block: bytes, wanted: bytes) -> Iterator[bytes]:
    at = block.find(wanted)
    while at >= 0:
        start = block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at)
        end = len(block) if end < 0 else end
        yield block[start:end]
        at = block.find(wanted, end)


def _record_in(line: bytes, row: Row) -> RequestRecord | None:
    """Return the record that *line* is, if it is that of *row*."""
    if not line.startswith(b"{"):
        return None
    try:
        record = record_of_json(line)
    except RecordError:
        return None
    is_it = record.request_id == row.request_id and round(
        record.duration_ms, 3
    ) == round(row.duration_ms, 3)
    return record if is_it else None
