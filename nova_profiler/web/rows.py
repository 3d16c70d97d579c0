# SPDX-License-Identifier: Apache-2.0
"""One request in the index: of a dump what its name has, then its head."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from nova_profiler.dump_store import DumpEntry
from nova_profiler.reading.record_words import full_title_of
from nova_profiler.record import (
    REQUEST,
    RequestRecord,
    kind_of_method,
)
from nova_profiler.record.rows import OTHER, PARTS

# How far a dump is known.
NAMED, READ, DAMAGED = "named", "read", "damaged"

# Names that a client chose are kept no longer than that.
LONGEST = 200
LONGEST_ID = 64
PART_PLACES = {name: place for place, name in enumerate(PARTS)}


class Row(NamedTuple):
    """A served request, as tables and pictures need it.

    ``key`` is its place in a URL; ``entry`` is its dump, None for a request
    of a log or a history; ``epoch_s`` is when it began, 0 if that is not
    known. ``title`` is method, route and action; of a dump that is only
    ``named`` the route is as in its name. ``parts`` are those of
    ``PARTS`` that took time, the largest first, with their milliseconds.
    ``problem`` is why it cannot be read.
    """

    key: str
    entry: DumpEntry | None
    epoch_s: float
    duration_ms: float
    title: str
    state: str = NAMED
    status: int = 0
    outcome: str = ""
    request_id: str = ""
    user: str = ""
    project: str = ""
    service: str = ""
    host: str = ""
    # The name of the largest of ``parts``.
    part: str = ""
    parts: tuple[tuple[str, float], ...] = ()
    is_failed: bool = False
    problem: str = ""
    kind: str = REQUEST.name
    # Of a request that another service sent: the id that both have.
    global_request_id: str = ""

    @property
    def started_at(self) -> str:
        """Return when it began, as ISO 8601 in UTC; empty if not known."""
        if self.entry is not None:
            return self.entry.started_at
        return time_of(round(1000 * self.epoch_s)) if self.epoch_s else ""


def key_of(source: int, entry: DumpEntry) -> str:
    """Return the place of a dump in a URL: no part of it is a client's."""
    return f"{source}/{place_of(entry)}"


def place_of(entry: DumpEntry) -> str:
    """Return the folder and the stem of a dump, as they are in its key."""
    # Quicker than Path, for all dumps of a full directory.
    return f"{entry.folder.rpartition('/')[2]}/{entry.stem}"


def named_row(source: int, entry: DumpEntry) -> Row:
    """Return what the name of a dump has."""
    return Row(
        key_of(source, entry),
        entry,
        epoch_of(entry.started_at) or 0.0,
        float(entry.duration_ms),
        sys.intern(f"{entry.method} {entry.route_name}"),
        kind=kind_of_method(entry.method).name,
    )


def read_row(row: Row, record: RequestRecord) -> Row:
    """Return *row* with what the head of the dump has."""
    parts = parts_of(record.parts_ms)
    return row._replace(
        duration_ms=float(record.duration_ms),
        title=_kept(full_title_of(record)),
        state=READ,
        status=int(record.status),
        outcome=_kept(record.outcome),
        request_id=(record.request_id or "")[:LONGEST_ID],
        global_request_id=(record.global_request_id or "")[:LONGEST_ID],
        user=_kept(record.user_name) or _kept(record.user_id),
        project=_kept(record.project_name) or _kept(record.project_id),
        service=_kept(record.service),
        host=_kept(record.host),
        part=parts[0][0] if parts else "",
        parts=parts,
        is_failed=record.is_failed,
    )


def parts_of(parts_ms: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the parts of a time as rows have them."""
    known: dict[str, float] = {}
    for name, ms in parts_ms.items():
        if ms > 0:
            part = name if name in PART_PLACES else OTHER
            known[part] = known.get(part, 0.0) + ms
    return tuple(
        sorted(known.items(), key=lambda one: (-one[1], PART_PLACES[one[0]]))
    )


def damaged_row(row: Row, problem: str) -> Row:
    """Return *row* with the reason for which its dump cannot be read."""
    return row._replace(state=DAMAGED, problem=problem[:LONGEST])


def epoch_of(started_at: str) -> float | None:
    """Return a time as seconds, None for what is none."""
    try:
        moment = datetime.fromisoformat(started_at)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def time_of(epoch_ms: int) -> str:
    """Return a time in UTC, to the millisecond; empty for none of a date."""
    try:
        moment = datetime.fromtimestamp(epoch_ms / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds")


def bounded(text: str | None) -> str:
    """Return *text* as rows have it; empty for none.

    It has no blanks around it, as a URL that chooses by it has none.
    """
    return (text or "")[:LONGEST].strip()


def _kept(text: str | None) -> str:
    # Thousands of rows share few names.
    return sys.intern(bounded(text))
