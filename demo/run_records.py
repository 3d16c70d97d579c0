# SPDX-License-Identifier: Apache-2.0
"""The records of a run, as the filter has written them."""

from __future__ import annotations

import json
import time
from pathlib import Path

from nova_profiler.dump_store import DumpError, DumpStore
from nova_profiler.record import RequestRecord

# The filter's sinks run after the answer has gone out.
_SETTLE_S = 5


class MissingRecordsError(Exception):
    """A request has no record, or another one has."""


def records_of(log_file: Path, expected: int) -> list[RequestRecord]:
    """Return the records of the log file, once all have been written.

    Raises MissingRecordsError if they are not as many as *expected*.
    """
    deadline = time.monotonic() + _SETTLE_S
    lines: list[str] = []
    while len(lines) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
        if log_file.exists():
            lines = log_file.read_text().splitlines()
    if len(lines) != expected:
        raise MissingRecordsError(
            f"{log_file} has {len(lines)} records of {expected} requests"
        )
    return [RequestRecord.from_dict(json.loads(line)) for line in lines]


def with_calls(records: list[RequestRecord], dumps: Path) -> int:
    """Give *records* the calls one by one, which a dump alone has.

    Advice names what made a call by them. Returns how many had a dump.
    """
    store = DumpStore(dumps)
    by_id = {record.record_id: record for record in records}
    found = 0
    for entry in store.entries():
        try:
            dump = store.read(entry)
        except DumpError:
            # It is being written, or has been removed for newer ones.
            continue
        record = by_id.get(dump.record_id)
        if record is not None:
            record.timeline = dump.timeline
            record.statements = dump.statements
            found += 1
    return found
