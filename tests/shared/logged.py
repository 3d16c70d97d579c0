# SPDX-License-Identifier: Apache-2.0
"""Logs and histories written by hand, for the pages over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders import numbered

from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.runs.kept.store import History
from nova_profiler.record import RequestRecord

USER = "0688b01e6439ca32d698d20789d52169126fb41fb1a4ddafcebb97d854e836c9"


def request_id(number: int) -> str:
    """Return the request id of line *number*."""
    return f"req-{number:08d}-1111-4111-8111-111111111111"


def wsgi_line(number: int, ms: float = 100.0, status: int = 200) -> str:
    """Return a line of nova's own server, *number* seconds past ten."""
    return (
        f"2026-11-10 10:00:{number % 60:02d}.000 25746 INFO "
        f"nova.osapi_compute.wsgi.server [{request_id(number)} "
        f"{USER} ops - default default] 10.11.10.1 "
        f'"GET /v2.1/servers/detail HTTP/1.1" status: {status} len: 1893 '
        f"time: {ms / 1000:.7f}"
    )


def write_log(path: Path, *lines: str) -> Path:
    """Write *lines* as a log."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def log_file_line(number: int, **fields: Any) -> str:
    """Return the line that the option log_file writes for a request."""
    record: RequestRecord = numbered(number, **fields)
    kept = record.to_dict()
    kept.pop("timeline", None)
    return json.dumps(kept)


def keep_run(directory: Path, name: str, log: Path) -> None:
    """Keep the requests of *log* as the run *name* of a history."""
    History(directory).add(name, entries_of([str(log)], Unread()), [str(log)])
