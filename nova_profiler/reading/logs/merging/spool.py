# SPDX-License-Identifier: Apache-2.0
"""Entries put aside in a temporary file until all are known.

There the halves of requests are paired, and several lines about one request
become one entry. The file bounds the memory.
"""

from __future__ import annotations

import pickle
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.form_table import FORMS, IN_JSON, PREFERRED
from nova_profiler.reading.logs.forms.begin_and_end import (
    HALVES,
    pairs_in,
)
from nova_profiler.reading.logs.forms.stated_formats import STATED
from nova_profiler.reading.logs.merging.copies import (
    drop_copies_by_id,
    drop_copies_by_text,
)
from nova_profiler.reading.logs.merging.duplicates import (
    Line,
    Merged,
    of_near_times,
    of_one_id,
)
from nova_profiler.reading.logs.unread import Unread

DUPLICATE = "further line about a request, merged"

_RANKS = {form: rank for rank, form in enumerate(PREFERRED)}
_HALF = -1


def _ranks_of(field: str) -> frozenset[int]:
    return frozenset(
        _RANKS[name + within]
        for form in FORMS
        for name in getattr(form, field)
        for within in ("", IN_JSON)
    )


_NOT_BODY_SIZES = _ranks_of("with_headers")
_OUTER = _ranks_of("outer")
# The columns of a row that duplicates are found by; the last is no column.
_COLUMNS = ", ".join(
    (
        *(name for name in Line._fields if name != "is_outer"),
        f"rank IN ({', '.join(map(str, sorted(_OUTER)))})",
    )
)


def _rank_of(entry: AccessEntry) -> int:
    return _RANKS.get(entry.form, _RANKS[STATED])


class SpooledRow(NamedTuple):
    """One entry, and what it is compared by."""

    rank: int
    request_id: str | None
    at: float | None
    asked: str
    route: str
    size: int | None
    ms: float
    service: str
    copy: int | None
    source: str
    entry: bytes


def spooled(
    entry: AccessEntry, text: bytes = b"", source: str = ""
) -> SpooledRow:
    """Return *entry*, read from the line *text* of *source*, as a row."""
    rank = _HALF if entry.form in HALVES else _rank_of(entry)
    return SpooledRow(
        rank,
        entry.request_id,
        entry.at,
        f"{entry.method} {entry.status}",
        entry.route,
        None if rank in _NOT_BODY_SIZES else entry.response_bytes,
        entry.ms,
        entry.service,
        # Without an id only the same text is surely the same line.
        None if entry.request_id or not text else zlib.crc32(text),
        source,
        pickle.dumps(tuple(entry), pickle.HIGHEST_PROTOCOL),
    )


class Spool:
    """Entries of all forms, put aside until all are known.

    A temporary database, which SQLite keeps on disk when it grows and
    removes at the end.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(
            """
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -32000;
            CREATE TABLE entries (
                number INTEGER PRIMARY KEY, rank INTEGER, request_id TEXT,
                at REAL, asked TEXT, route TEXT, size INTEGER, ms REAL,
                service TEXT, copy INTEGER, source TEXT, entry BLOB
            );
            CREATE TABLE dropped (
                number INTEGER PRIMARY KEY, kept INTEGER, is_outer INTEGER
            );
            BEGIN;
            """
        )
        # Forms, by their rank, each with a source that has it.
        self._places: set[tuple[int, str]] = set()
        self._ranks_with_ids: set[int] = set()

    def close(self) -> None:
        """Remove what was put aside."""
        self._base.close()

    def add(self, rows: Iterable[SpooledRow]) -> None:
        """Put *rows*, made by ``spooled``, aside."""
        rows = list(rows)
        self._base.executemany(
            "INSERT INTO entries VALUES "
            "(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._places |= {(row.rank, row.source) for row in rows}
        self._ranks_with_ids |= {row.rank for row in rows if row.request_id}

    def merge(self, unread: Unread) -> int:
        """Leave one line of each request; return how many others there were.

        *unread* notes halves of requests without the other half.
        """
        if _HALF in {rank for rank, _ in self._places}:
            self._pair_halves(unread)
        ranks = Counter(rank for rank, _ in self._places)
        sources = {source for _, source in self._places}
        if max(len(ranks), len(sources)) > 1:
            if self._ranks_with_ids:
                drop_copies_by_id(self._base)
            if max(ranks.values()) > 1:
                drop_copies_by_text(self._base)
        if len(ranks) > 1:
            # Lines of one form are about different requests.
            if len(self._ranks_with_ids) > 1:
                self._drop(
                    of_one_id, "request_id IS NOT NULL", "request_id, rank"
                )
            self._drop(of_near_times, "at IS NOT NULL", "asked, at, rank")
        return self._count_of_dropped()

    def _count_of_dropped(self) -> int:
        found = self._base.execute("SELECT COUNT(*) FROM dropped")
        return int(found.fetchone()[0])

    def dropped_example(self) -> str:
        """Return the first line that was dropped, in words."""
        found = self._base.execute(
            "SELECT entry FROM entries JOIN dropped USING (number) "
            "ORDER BY number LIMIT 1"
        ).fetchone()
        if found is None:
            return ""
        entry = _entry_of(found[0])
        return f"{entry.form}: {entry.method} {entry.route} {entry.status}"

    def entries(self) -> Iterator[AccessEntry]:
        """Yield the entries that are left, in the order they came.

        The time of one is what its caller waited, where a front or a client
        logged that.
        """
        if not self._has_outer():
            found = self._base.execute(
                "SELECT entry FROM entries WHERE number NOT IN "
                "(SELECT number FROM dropped) ORDER BY number"
            )
            yield from (_entry_of(blob) for (blob,) in found)
            return
        # A client asked a front, which asked the service: from there on.
        found = self._base.execute(
            "SELECT line.number, line.entry, outer_.entry "
            "FROM entries AS line LEFT JOIN dropped "
            "ON dropped.kept = line.number AND dropped.is_outer "
            "LEFT JOIN entries AS outer_ ON outer_.number = dropped.number "
            "WHERE line.number NOT IN (SELECT number FROM dropped) "
            "ORDER BY line.number, outer_.rank, outer_.number"
        )
        for _, lines in groupby(found, key=itemgetter(0)):
            blobs = list(lines)
            made = _entry_of(blobs[0][1])
            for _, _, outer in blobs:
                if outer is not None:
                    made = _seen_from(_entry_of(outer), made)
            yield made

    def _has_outer(self) -> bool:
        found = self._base.execute(
            "SELECT COUNT(*) FROM dropped WHERE is_outer"
        )
        if not found.fetchone()[0]:
            return False
        self._base.execute("CREATE INDEX by_kept ON dropped (kept)")
        return True

    def _pair_halves(self, unread: Unread) -> None:
        """Make an entry of each begin and its end."""
        halves = self._base.execute(
            "SELECT entry FROM entries WHERE rank = ? "
            "ORDER BY request_id, service, route, at, number",
            (_HALF,),
        )
        entries = (_entry_of(blob) for (blob,) in halves)
        made = [spooled(pair) for pair in pairs_in(entries, unread)]
        self._base.execute("DELETE FROM entries WHERE rank = ?", (_HALF,))
        self._places = {one for one in self._places if one[0] != _HALF}
        self._ranks_with_ids.discard(_HALF)
        self.add(made)

    def _drop(self, find: Merged, where: str, order: str) -> None:
        found = self._base.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE {where} "  # noqa: S608 - texts of this module
            f"AND number NOT IN (SELECT number FROM dropped) ORDER BY {order}"
        )
        was_any = self._count_of_dropped() > 0
        self._base.execute(
            "CREATE TEMP TABLE more "
            "(number INTEGER, kept INTEGER, is_outer INTEGER)"
        )
        self._base.executemany(
            "INSERT INTO more VALUES (?, ?, ?)", find(map(Line._make, found))
        )
        self._base.execute("INSERT INTO dropped SELECT * FROM more")
        if was_any:
            # What was merged into a line goes where that line went.
            self._base.execute(
                "UPDATE dropped SET kept = (SELECT more.kept FROM more "
                "WHERE more.number = dropped.kept) "
                "WHERE kept IN (SELECT number FROM more)"
            )
        self._base.execute("DROP TABLE more")


def _entry_of(data: bytes) -> AccessEntry:
    return AccessEntry(*pickle.loads(data))  # noqa: S301 - of this process's own temporary file


def _seen_from(outer: AccessEntry, server: AccessEntry) -> AccessEntry:
    """Return the request of *server* with the time that *outer* waited."""
    is_front = _rank_of(server) in _OUTER
    is_served = server.waits_ms is None and not is_front
    return server._replace(
        form=outer.form,
        ms=outer.ms,
        at=outer.at if outer.at is not None else server.at,
        user_name=server.user_name
        or (outer.user_name if server.user_id is None else None),
        remote_address=outer.remote_address or server.remote_address,
        waits_ms=outer.waits_ms or server.waits_ms,
        server_ms=server.ms if is_served else server.server_ms,
        ended=outer.ended or server.ended,
        front=server.form if is_front and server.waits_ms else None,
    )
