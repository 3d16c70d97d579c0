# SPDX-License-Identifier: Apache-2.0
"""When which stack of a session stood in which lane: ``nova_profiler_timed``.

A field of a session file, which pyinstrument ignores, of equal columns:
``lane``, as in the dump's timeline; ``record``, a place in ``frame_records``;
``start_us`` after the request began, in ascending order; and ``us``, the time
that looks at this stack stand for. ``joined`` counts stacks that are not in
it: a neighbour in their lane stands for their time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

VERSION = 1
# Rows of a session; what the engine writes has a tenth of them at most.
MOST_ROWS = 20_000
_MOST_LANE = 1_000_000
_MOST_US = 10**15


class TimedStacks(NamedTuple):
    """Columns of equal length, as the file has them."""

    lane: list[int]
    record: list[int]
    start_us: list[int]
    us: list[int]
    joined: int = 0

    def rows(self) -> zip[tuple[int, int, int, int]]:
        """Return lane, record, start and time of each stretch."""
        return zip(self.lane, self.record, self.start_us, self.us, strict=True)

    def fields(self) -> dict[str, Any]:
        """Return the field's value, JSON-ready."""
        return {"version": VERSION, **self._asdict()}


def timed_stacks_of(fields: Any, records: int) -> TimedStacks | None:
    """Return what *fields* describe of a session of so many *records*.

    None where there is nothing, or what a later version has written. Raises
    ValueError at what is neither.
    """
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise ValueError("its times are none")
    if fields.get("version") != VERSION:
        return None
    found = TimedStacks(
        _column(fields, "lane", _MOST_LANE),
        _column(fields, "record", records - 1),
        _column(fields, "start_us", _MOST_US),
        _column(fields, "us", _MOST_US),
        _column({"joined": [fields.get("joined", 0)]}, "joined", _MOST_US)[0],
    )
    if len({len(column) for column in found[:4]}) != 1:
        raise ValueError("its times are not equally many")
    return found


def _column(fields: dict[str, Any], name: str, most: int) -> list[int]:
    """Return whole numbers from 0 to *most*."""
    column = fields.get(name)
    if not isinstance(column, list) or len(column) > MOST_ROWS:
        raise ValueError(f"{name} is no column, or too long")
    if column and (
        set(map(type, column)) != {int}
        or min(column) < 0
        or max(column) > most
    ):
        raise ValueError(f"{name} has what is no such number")
    return column
