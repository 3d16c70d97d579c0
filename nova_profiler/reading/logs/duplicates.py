# SPDX-License-Identifier: Apache-2.0
"""Several lines about one request become one entry.

uWSGI, Apache, nova's requestlog and our filter may all log the same
request. Entries wait in a temporary file, which bounds the memory.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.entry_of_line import FORMS, IN_JSON, PREFERRED
from nova_profiler.routes import UNMATCHED

# Servers and journald round their stamps down to a second.
NEAR_S = 1.5

_RANKS = {form: rank for rank, form in enumerate(PREFERRED)}
_NOT_BODY_SIZES = frozenset(
    _RANKS[name + within]
    for form in FORMS
    for name in form.with_headers
    for within in ("", IN_JSON)
)
# Open requests of one route that a line is compared with.
_MOST_COMPARED = 200

SpooledRow = tuple[
    int, "str | None", "float | None", str, str, "int | None", bytes
]


class _Line(NamedTuple):
    number: int
    rank: int
    request_id: str | None
    at: float
    route: str
    size: int | None


class _Request:
    """The lines about one request; ``best`` is the one to keep."""

    __slots__ = ("at", "best", "ranks", "request_id", "size")

    def __init__(self, line: _Line) -> None:
        self.at = line.at
        self.best = line
        self.ranks = {line.rank}
        self.request_id = line.request_id
        self.size = line.size

    def may_have(self, line: _Line) -> bool:
        """Tell whether *line* may be about this request, in another form."""
        if line.rank in self.ranks:
            return False
        if self.request_id and line.request_id:
            # Equal ids were merged before: these differ.
            return False
        return None in (self.size, line.size) or self.size == line.size

    def add(self, line: _Line) -> int:
        """Add *line* and return the number of the one that is not kept."""
        self.ranks.add(line.rank)
        self.request_id = self.request_id or line.request_id
        if self.size is None:
            self.size = line.size
        if line.rank < self.best.rank:
            dropped, self.best = self.best.number, line
            return dropped
        return line.number


def spooled(entry: AccessEntry) -> SpooledRow:
    """Return *entry* as a row of the spool."""
    rank = _RANKS[entry.form]
    return (
        rank,
        entry.request_id,
        entry.at,
        f"{entry.method} {entry.status}",
        entry.route,
        None if rank in _NOT_BODY_SIZES else entry.response_bytes,
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
                at REAL, asked TEXT, route TEXT, size INTEGER, entry BLOB
            );
            CREATE TABLE dropped (number INTEGER PRIMARY KEY);
            BEGIN;
            """
        )

    def close(self) -> None:
        """Remove what was put aside."""
        self._base.close()

    def add(self, rows: Iterable[SpooledRow]) -> None:
        """Put *rows*, made by ``spooled``, aside."""
        self._base.executemany(
            "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def merge(self) -> int:
        """Drop all lines about a request but the best; return how many."""
        forms = self._base.execute("SELECT COUNT(DISTINCT rank) FROM entries")
        if forms.fetchone()[0] > 1:
            self._drop_same_ids()
            self._drop_near_ones()
        count = self._base.execute("SELECT COUNT(*) FROM dropped")
        return int(count.fetchone()[0])

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
        """Yield the entries that are left, in the order they came."""
        found = self._base.execute(
            "SELECT entry FROM entries WHERE number NOT IN "
            "(SELECT number FROM dropped) ORDER BY number"
        )
        for (entry,) in found:
            yield _entry_of(entry)

    def _drop_same_ids(self) -> None:
        self._base.execute(
            "CREATE INDEX by_request_id ON entries (request_id, rank) "
            "WHERE request_id IS NOT NULL"
        )
        self._base.execute(
            """
            INSERT INTO dropped SELECT number FROM entries AS line
            WHERE request_id IS NOT NULL AND rank > (
                SELECT MIN(rank) FROM entries
                WHERE request_id IS NOT NULL AND request_id = line.request_id
            )
            """
        )

    def _drop_near_ones(self) -> None:
        found = self._base.execute(
            """
            SELECT asked, number, rank, request_id, at, route, size
            FROM entries WHERE at IS NOT NULL
            AND number NOT IN (SELECT number FROM dropped)
            ORDER BY asked, at, rank
            """
        )
        self._base.execute("CREATE TEMP TABLE near (number INTEGER)")
        self._base.executemany(
            "INSERT INTO near VALUES (?)",
            ((number,) for number in _duplicates(found)),
        )
        self._base.execute("INSERT INTO dropped SELECT number FROM near")


def _entry_of(data: bytes) -> AccessEntry:
    # From this process's own temporary file.
    return AccessEntry(*pickle.loads(data))  # noqa: S301


def _duplicates(
    rows: Iterable[tuple[str, int, int, str | None, float, str, int | None]],
) -> Iterator[int]:
    """Yield the numbers of lines that have a better one beside them."""
    asked = ""
    open_requests: dict[str, deque[_Request]] = defaultdict(deque)
    for what, *fields in rows:
        # In the order of the query's columns.
        line = _Line(*fields)  # type: ignore[arg-type]
        if what != asked:
            asked = what
            open_requests.clear()
        request = _request_of(line, open_requests)
        if request is not None:
            yield request.add(line)
        else:
            open_requests[line.route].append(_Request(line))


def _request_of(
    line: _Line, open_requests: dict[str, deque[_Request]]
) -> _Request | None:
    # In our records a request that failed before nova's router has no route.
    routes = (
        list(open_requests)
        if line.route == UNMATCHED
        else [line.route, UNMATCHED]
    )
    for route in routes:
        requests = open_requests.get(route)
        while requests and requests[0].at < line.at - NEAR_S:
            requests.popleft()
        if not requests:
            open_requests.pop(route, None)
            continue
        for place, request in enumerate(requests):
            if place >= _MOST_COMPARED:
                break
            if request.may_have(line):
                return request
    return None
