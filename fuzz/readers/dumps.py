# SPDX-License-Identifier: Apache-2.0
"""Dumps: the record in one, and the commands that show it."""

from __future__ import annotations

import json
from pathlib import Path

from fuzz.inputs.seeds import contents
from fuzz.readers.contracts import BrokenPromiseError, Reader, command
from nova_profiler.dump_store import record_of_json
from nova_profiler.record import RecordError

_SEEDS = contents("*-GET-*.json")
_DAY = "2026-11-28"
_NAME = "224932.249-202ms-GET-unmatched-6ec84648.json"


def read_record(data: bytes, folder: Path) -> None:
    """Read *data* as a dump; a record is written as it was read."""
    try:
        record = record_of_json(data)
    except RecordError:
        return
    written = json.dumps(record.to_dict(), allow_nan=False)
    again = record_of_json(written)
    if again.to_dict() != json.loads(written):
        raise BrokenPromiseError("a record is not read as it was written")


def read_pages(data: bytes, folder: Path) -> None:
    """Show *data* by each command that reads dumps."""
    dump = folder / _DAY / _NAME
    dump.parent.mkdir(exist_ok=True)
    dump.write_bytes(data)
    where = "--dump-dir", folder
    command("show", dump)
    command("show", dump, "--json")
    command("list", *where, "--failed")
    command("list", *where, "--json", "--slowest", "--user", "demo")
    command("calls", *where)
    command("calls", *where, "--by", "sql", "--json")
    command("size", *where, "--statsd-labels", "dogstatsd")
    for form in ("firefox", "perfetto"):
        command("export", dump, "--format", form, "-o", folder / "out")


# Numbers that JSON has no way to write again, within what is taken as it is;
# tables within tables of which the writer of JSON had enough; a number of
# calls that is false.
_FINDS = (
    b'{"schema": 1, "profile": {"interval_ms": 1e999}}',
    b'{"schema": 1, "profile": {"notes": [-1e999]}}',
    b'{"schema": 1, "profile": {"new": ' + b"[" * 2000 + b"]" * 2000 + b"}}",
    b'{"schema": 1, "calls": [{"group": "", "name": "", "count": 4, "ms": 4, '
    b'"max_ms": 7, "nested": false}]}',
)

RECORD = Reader(read_record, _SEEDS, finds=_FINDS, is_json=True)
PAGES = Reader(read_pages, _SEEDS, finds=_FINDS, is_json=True)
