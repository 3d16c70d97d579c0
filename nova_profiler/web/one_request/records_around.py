# SPDX-License-Identifier: Apache-2.0
"""The records of one request in all directories that are served."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from nova_profiler.dump_store import DumpError, read_dump
from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.relations.served import served_of
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    Around,
)
from nova_profiler.record import RequestRecord
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.columns import id_bytes
from nova_profiler.web.tables.table import Table

# A page waits no longer for other records, and reads no more of them.
MOST_S = 0.5
MOST_BYTES = 16 * 1024 * 1024
MOST_RECORDS = 200
# Calls of another record that the picture knows.
_MOST_CALLS = 500
_MOST_FAR_IDS = 256
# Rows that are made of columns; a client can give one id to many requests.
_MOST_FOUND = 10_000


def around_of(
    record: RequestRecord,
    own: Row,
    rows: Table,
    link: Callable[[Row], str],
    clock: Callable[[], float] = time.monotonic,
) -> Around | None:
    """Return the picture of all records of a request; None of it alone.

    *own* is the row of *record*, *rows* are those of all dumps, *link* gives
    the address of a page.
    """
    ids = {record.request_id or "", record.global_request_id or ""} - {""}
    if not ids:
        return None
    found = _rows_of(record, own, rows, ids)
    if not found:
        return None
    served = [served_of(record)]
    links: dict[int, str] = {}
    until, left = clock() + MOST_S, MOST_BYTES
    passed_over = max(0, len(found) - MOST_RECORDS)
    for row in found[:MOST_RECORDS]:
        if row.entry is None:
            continue
        path = row.entry.path
        try:
            left -= os.stat(path).st_size
            if left < 0 or clock() > until:
                passed_over += 1
                continue
            other = read_dump(path)
        except (OSError, DumpError):
            # Its own page has the reason.
            passed_over += 1
            continue
        links[len(served)] = link(row)
        served.append(served_of(other, str(path), _MOST_CALLS))
    if len(served) < 2:
        return None
    notes = []
    if passed_over:
        notes.append(
            f"{passed_over} more records of this request are not in the "
            f"picture; nova-profiler show has all"
        )
    picture = picture_of(str(record.request_id or ""), served)
    return Around(picture, 0, links, notes)


def _rows_of(
    record: RequestRecord, own: Row, rows: Table, ids: set[str]
) -> list[Row]:
    """Return the dumps of the request, in the order of their begin.

    Those that have one of *ids*, or the id that the other side of one of its
    HTTP requests gave; a line of a log has no more than its dump.
    """
    far: set[str] = set()
    for call in record.timeline or ():
        if call.request_id and len(far) < _MOST_FAR_IDS:
            far.add(call.request_id)
    mask = np.isin(rows.column("request_id"), _bytes_of(ids | far))
    mask |= np.isin(rows.column("global_request_id"), _bytes_of(ids))
    found = [
        row
        for row in rows.chosen(np.flatnonzero(mask)[:_MOST_FOUND])
        if row.entry is not None and row.key != own.key
    ]
    return sorted(found, key=lambda row: row.epoch_s)


def _bytes_of(ids: set[str]) -> list[bytes]:
    return [id_bytes(one) for one in ids]
