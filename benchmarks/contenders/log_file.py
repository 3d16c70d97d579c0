# SPDX-License-Identifier: Apache-2.0
"""Reads back what a contender wrote, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.contenders import Seen


class LogFile:
    """Counts the lines that came since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def seen(self) -> Seen:
        """Return the totals of the new lines."""
        totals = Seen()
        for line in self._new_lines():
            record = json.loads(line)
            groups = record["groups"]
            totals = totals._replace(
                requests=totals.requests + 1,
                statements=totals.statements + _calls(groups, "sql"),
                calls=totals.calls + _calls(groups, "db_api"),
            )
        return totals

    def _new_lines(self) -> list[bytes]:
        if not self._path.exists():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        return data.splitlines()


def _calls(groups: dict[str, dict[str, float]], name: str) -> int:
    return int(groups.get(name, {}).get("calls", 0))
