# SPDX-License-Identifier: Apache-2.0
"""Logs: lines of each form, files of them, and what follow finds there."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

from fuzz.inputs.log_lines import FORMS, ID, PREFIX, UNITS, repeated
from fuzz.inputs.seeds import contents
from fuzz.readers.contracts import BrokenPromiseError, Reader, command
from nova_profiler.reading.follow.search.line_reader import joins, stands_alone
from nova_profiler.reading.follow.search.messages import (
    db_call_of,
    requests_named_in,
    rpc_step_of,
)
from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.parts import Lines, read_in_parts
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.quick_lines import quick_rows

_YEARS = Years(1.8e9)
_FILE = "nova-api.log"
# Below this a clock shows the machine more than the reader.
_SHORT_S = 0.03

_LINES = tuple(form.encode() for form in FORMS.values())
_RECORDS = contents("requests.json")[0].splitlines()[:2]
_TRACEBACK = "\n".join(
    (
        f"{PREFIX.replace('INFO', 'ERROR')}Unexpected: nova.exception.X",
        "2026-11-21 10:35:01.125 1 ERROR nova.osapi_compute.wsgi.server "
        "Traceback (most recent call last):",
        "2026-11-21 10:35:01.125 1 ERROR nova.osapi_compute.wsgi.server "
        "nova.exception.NovaException: bad",
        f"{PREFIX}Calling method 'select_destinations' in 'scheduler'",
        f"{PREFIX}CALL msg_id: 0123456789abcdef0123456789abcdef exchange "
        "'nova' topic 'scheduler'",
    )
).encode()
_ACTION = {"name": "nova.boot_server", "started_at": 1.5, "finished_at": 2.5}
_RALLY = {
    "info": {"rally_version": "3.4.0"},
    "tasks": [
        {
            "subtasks": [
                {
                    "workloads": [
                        {"data": [{"error": [], "atomic_actions": [_ACTION]}]}
                    ]
                }
            ]
        }
    ],
}
_SERVED = {
    "info": {
        "name": "wsgi",
        "project": "nova",
        "meta.raw_payload.wsgi-start": {
            "info": {"request": {"path": "/v2.1", "method": "GET"}},
            "timestamp": "2026-11-21T10:35:01.123",
        },
        "started": 0,
        "finished": 5,
    },
    "children": [],
}
_EXPORTS = (
    json.dumps(_RALLY, indent=4).encode(),
    json.dumps(
        {"info": {"last_trace_started": 0}, "children": [_SERVED]}, indent=2
    ).encode(),
)
_FILES = (
    b"\n".join((*_LINES, *_RECORDS, _TRACEBACK)) + b"\n",
    *(line + b"\n" for line in (*_LINES, *_RECORDS)),
    _TRACEBACK,
    *_EXPORTS,
)
_PIECES = tuple(unit.encode() for unit in UNITS)


def read_line(data: bytes, folder: Path) -> None:
    """Read each line of *data* in each way that lines are read."""
    for line in data.split(b"\n"):
        entry_of_line(line, _YEARS, _FILE, Unread())
        stands_alone(line)
        joins(line, line[1:])
        text = line.decode("utf-8", "replace")
        db_call_of(text)
        rpc_step_of(text)
        requests_named_in(text)
    quick_rows(data)


def read_file(data: bytes, folder: Path) -> None:
    """Read *data* as a log, which may be compressed."""
    path = folder / _FILE
    path.write_bytes(data)
    unread = Unread()
    sources = sources_of([str(path)], unread)
    for _ in read_in_parts(_count_requests, sources, unread, processes=1):
        pass


def _count_requests(lines: Iterable[Lines], unread: Unread) -> int:
    return sum(
        entry_of_line(line, part.years, part.file, unread) is not None
        for part in lines
        for line in part.block.split(b"\n")
    )


def read_report(data: bytes, folder: Path) -> None:
    """Report *data* in each format, and look for its calls."""
    path = folder / _FILE
    path.write_bytes(data)
    command("report", path)
    for form in ("csv", "json", "html", "markdown"):
        command("report", path, "--format", form)
    command("calls", path)


def read_compare(data: bytes, folder: Path) -> None:
    """Keep *data* as a run, which is compared with the log itself."""
    path, kept = folder / _FILE, ("--history", folder / "history")
    path.write_bytes(data)
    command("history", "add", "odd", path, "--replace", *kept)
    command("compare", "odd", path, "--json", *kept)


def read_follow(data: bytes, folder: Path) -> None:
    """Follow a request through *data*."""
    path = folder / _FILE
    path.write_bytes(data)
    command("follow", ID, path, "--full")
    command("follow", ID, path, "--format", "markdown")
    command("follow", ID, path, "--json")


def read_times(data: bytes, folder: Path) -> None:
    """Read a line with many of a unit: the time grows with its length."""
    before, unit, after = data.decode("utf-8", "replace").split("\0")[:3]
    if not is_linear(*repeated(before, unit, after)):
        raise BrokenPromiseError("twice the length takes thrice the time")


def is_linear(line: bytes, longer: bytes) -> bool:
    """Return whether twice the length takes at most about twice the time.

    A line that takes so long for its length must be tried again: another
    process may have been in the way.
    """
    if _seconds(line) < _SHORT_S:
        return True
    once = min(_seconds(line) for _ in range(3))
    twice = min(_seconds(longer) for _ in range(3))
    return once < _SHORT_S or twice < 3 * once


def _seconds(line: bytes) -> float:
    """Return the processor time that both readers take for *line*."""
    began = time.process_time()
    read_line(line, Path())
    return time.process_time() - began


def repeating_line(chance: Random) -> bytes:
    """Return what is before, repeated and after in a line, apart by NULs."""
    forms = tuple(FORMS.values())
    line, more = chance.choice(forms), chance.choice(forms)
    at = chance.randrange(len(line) + 1)
    unit = chance.choice(UNITS) + chance.choice(("", chance.choice(UNITS)))
    ends = (line[at:], "", more[at:], chance.choice(UNITS))
    return "\0".join((line[:at], unit, chance.choice(ends))).encode()


LINE = Reader(read_line, (*_LINES, *_RECORDS, _TRACEBACK), _PIECES)
FILE = Reader(
    read_file,
    (
        *_FILES,
        gzip.compress(_FILES[0]),
        bz2.compress(_FILES[0]),
        lzma.compress(_FILES[0]),
    ),
    _PIECES,
)
REPORT = Reader(
    read_report,
    _FILES,
    _PIECES,
    # A line of no form, which the error quotes.
    finds=(b"Traceback (most recent call last):\n",),
)
COMPARE = Reader(read_compare, _FILES[:1], _PIECES)
FOLLOW = Reader(read_follow, _FILES, _PIECES)
TIMES = Reader(
    read_times,
    tuple(b"\0".join((line, b" ", b"x")) for line in _LINES),
    maker=repeating_line,
)
