# SPDX-License-Identifier: Apache-2.0
"""All that a record knows of one of its calls, in words."""

from __future__ import annotations

from nova_profiler.reading.record_calls import SHORTEST_MS, CallsAround
from nova_profiler.reading.screen.terminal import printable
from nova_profiler.record import RequestRecord, TimelineEntry

# Of a statement: only a hostile one is longer.
_LONGEST = 20_000
_LONGEST_NAME = 300


class CallWords:
    """What a record knows of its calls."""

    def __init__(self, record: RequestRecord) -> None:
        self._statements = record.statements or []
        self._around = CallsAround(record)
        self._whole_ms = max(SHORTEST_MS, float(record.duration_ms))

    def name_of(self, call: TimelineEntry) -> str:
        """Return the group and the name of *call*."""
        return printable(f"{call.group} {call.name}".strip(), _LONGEST_NAME)

    def statement_of(self, call: TimelineEntry) -> str:
        """Return the whole statement, empty for what has none."""
        if call.statement is None:
            return ""
        place = int(call.statement)
        if not 0 <= place < len(self._statements):
            return ""
        return printable(self._statements[place].statement, _LONGEST)

    def share_of(self, call: TimelineEntry) -> float:
        """Return which part of the request it took."""
        return call.ms / self._whole_ms

    def facts_of(self, call: TimelineEntry) -> list[tuple[str, str]]:
        """Return names and values, for what is known of *call*."""
        sender = self._around.db_api_of(call)
        facts = [
            ("took", f"{call.ms:.3f} ms, {100 * self.share_of(call):.1f} %"),
            ("from", f"{call.start_ms:.3f} ms on"),
            ("rows", "" if call.rows is None else str(call.rows)),
            ("failed", call.error or ""),
            ("by", sender or ""),
            ("at", call.made_by or ""),
            ("its id there", call.request_id or ""),
        ]
        return [
            (name, printable(value, _LONGEST_NAME))
            for name, value in facts
            if value
        ]

    def lines_of(self, call: TimelineEntry) -> list[str]:
        """Return the same as lines, the name first."""
        facts = [f"{name} {value}" for name, value in self.facts_of(call)]
        return [self.name_of(call), *facts]

    def around(self, call: TimelineEntry) -> list[TimelineEntry]:
        """Return the calls around *call*, the outermost first."""
        return list(self._around.of(call))[::-1]
