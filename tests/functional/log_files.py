# SPDX-License-Identifier: Apache-2.0
"""Reads the records that a server has left in its log file."""

from __future__ import annotations

import json
from pathlib import Path

from nova_profiler.record import RequestRecord


def records_in(log_file: Path) -> list[RequestRecord]:
    """Return the records of a log file, in the order of their end."""
    return [
        RequestRecord.from_dict(json.loads(line))
        for line in log_file.read_text().splitlines()
    ]
