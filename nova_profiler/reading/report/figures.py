# SPDX-License-Identifier: Apache-2.0
"""The requests of logs, added up: all of them, by route, by user."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.reading.advice.adding_up import Evidence
from nova_profiler.reading.advice.findings import parts_with
from nova_profiler.reading.command_line.route_option import is_meant
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.line_parts.path_routes import is_metadata
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.report.durations import Batch, Durations
from nova_profiler.reading.report.fronts import Fronts

METADATA = "metadata"
OTHERS = "(others)"
NOT_KNOWN = "-"

BY = ("route", "user", "project", "service", "status", "hour")

# Percentiles are exact up to this many requests.
EXACT_MOST = 200_000
# Clients make rows, by their paths and users: these limits hold them.
_MOST_ROUTES = 1_000
_MOST_CALLERS = 10_000
_MOST_BUCKETS = 100


class Asked(NamedTuple):
    """What the user wants the report to be about."""

    slow_ms: float = 1000.0
    by: str = "route"
    exclude: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    route: str | None = None

    def is_route(self, route: str, method: str) -> bool:
        """Return whether requests of *route* with *method* are counted."""
        if self.route is not None and not _is_meant(self.route, route, method):
            return False
        return not any(_is_meant(text, route, method) for text in self.exclude)

    @property
    def has_time(self) -> bool:
        """Return whether only a part of the time is asked for."""
        return self.since is not None or self.until is not None

    def is_time(self, at: float | None) -> bool:
        """Return whether requests that ended *at* are counted."""
        if self.since is None and self.until is None:
            return True
        return (
            at is not None
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


class Answered(NamedTuple):
    """What several requests had in common."""

    form: str
    service: str
    user: str
    project: str
    method: str
    route: str
    status: int
    hour: str = ""

    def value_of(self, by: str) -> str:
        """Return the value of the field that groups the requests."""
        return str(getattr(self, by)) or NOT_KNOWN


class Row:
    """The requests of one line of a table."""

    __slots__ = (
        "breakdown_ms",
        "db_api_calls",
        "db_api_ms",
        "db_api_of_ms",
        "db_api_requests",
        "db_api_wall_ms",
        "durations",
    )

    def __init__(self, is_exact: bool = True) -> None:
        self.durations = Durations(is_exact)
        # Of the requests whose lines have it.
        self.db_api_requests = 0
        self.db_api_calls = 0
        self.db_api_ms = 0.0
        # Of those whose lines have the cover, too.
        self.db_api_wall_ms = 0.0
        self.db_api_of_ms = 0.0
        self.breakdown_ms: dict[str, float] = {}

    def add_inside(self, entry: AccessEntry) -> None:
        """Add where the time of one request went, if its line has it."""
        if entry.db_api_ms is not None:
            self.db_api_requests += 1
            self.db_api_calls += entry.db_api_calls or 0
            self.db_api_ms += entry.db_api_ms
        if entry.db_api_wall_ms is not None:
            # A damaged line may claim more than there was.
            self.db_api_wall_ms += min(entry.db_api_wall_ms, entry.ms)
            self.db_api_of_ms += entry.ms
        if entry.breakdown_ms:
            known = self.breakdown_ms
            for bucket, ms in entry.breakdown_ms.items():
                if bucket in known:
                    known[bucket] += ms
                elif len(known) < _MOST_BUCKETS:
                    known[bucket] = ms

    def merge(self, other: Row) -> None:
        """Add what *other* holds."""
        self.durations.merge(other.durations)
        self.db_api_requests += other.db_api_requests
        self.db_api_calls += other.db_api_calls
        self.db_api_ms += other.db_api_ms
        self.db_api_wall_ms += other.db_api_wall_ms
        self.db_api_of_ms += other.db_api_of_ms
        for bucket, ms in other.breakdown_ms.items():
            known = self.breakdown_ms.get(bucket, 0.0)
            self.breakdown_ms[bucket] = known + ms


Key = tuple[str, ...]


class Rows(dict[Key, Row]):
    """Rows by key; beyond ``most`` all new keys share one."""

    def __init__(self, most: int, is_exact: bool = True) -> None:
        super().__init__()
        self.most = most
        self.is_exact = is_exact

    def of(self, key: Key) -> Row:
        """Return the row of *key*."""
        row = self.get(key)
        if row is None:
            if len(self) >= self.most:
                key = (OTHERS, *[""] * (len(key) - 1))
            row = self.setdefault(key, Row(self.is_exact))
        return row

    def merge(self, other: Rows) -> None:
        """Add the rows of *other*."""
        for key, row in other.items():
            self.of(key).merge(row)

    def __reduce__(self) -> tuple[object, ...]:
        return _rows_of, (self.most, self.is_exact, dict(self))


def _rows_of(most: int, is_exact: bool, rows: dict[Key, Row]) -> Rows:
    made = Rows(most, is_exact)
    made.update(rows)
    return made


class Figures:
    """All figures of a report, of any part of the logs.

    With *is_exact*, percentiles are exact as long as the requests are few.
    """

    def __init__(self, asked: Asked, is_exact: bool = True) -> None:
        self.asked = asked
        self.total = Row(is_exact)
        self.routes = Rows(_MOST_ROUTES, is_exact)
        self.callers = Rows(_MOST_CALLERS, is_exact)
        self.groups = Rows(_MOST_CALLERS, is_exact)
        self.evidence: dict[Key, Evidence] = {}
        self.forms: dict[str, int] = {}
        self.first: float | None = None
        self.last: float | None = None
        self.excluded = 0
        self.out_of_time = 0
        # Calls whose time of day is not known, where that was asked for.
        self.without_time = 0
        self.fronts = Fronts()
        # False where lines have to be compared with others first.
        self.is_whole = True

    def add(self, answered: Answered, values: list[float]) -> list[Row]:
        """Add requests that took *values* ms; return the rows they went to."""
        form = answered.form
        self.forms[form] = self.forms.get(form, 0) + len(values)
        if not self.asked.is_route(answered.route, answered.method):
            self.excluded += len(values)
            return []
        batch = Batch(values, self.asked.slow_ms)
        method, route = answered.method, answered.route
        rows = [
            self.total,
            self.routes.of((method, route)),
            self.callers.of((answered.user, method, route)),
        ]
        if self.asked.by != "route":
            rows.append(self.groups.of((answered.value_of(self.asked.by),)))
        for row in rows:
            row.durations.add(batch)
        return rows

    def add_entry(self, entry: AccessEntry) -> None:
        """Add one request."""
        if not self.asked.is_time(entry.at):
            if entry.at is None:
                self.without_time += 1
            else:
                self.out_of_time += 1
            return
        is_by_hour = self.asked.by == "hour"
        answered = Answered(
            entry.form,
            entry.service,
            entry.user,
            entry.project,
            entry.method,
            entry.route,
            entry.status,
            hour_of(entry.at) if is_by_hour and entry.at is not None else "",
        )
        rows = self.add(answered, [entry.ms])
        for row in rows:
            row.add_inside(entry)
        if rows and entry.found is not None:
            evidence = self._evidence_on((entry.method, entry.route))
            if evidence is not None:
                parts = parts_with(entry.breakdown_ms or {}, entry.unnamed_ms)
                evidence.add(entry.ms, entry.found, parts)
        if self.asked.is_route(entry.route, entry.method):
            self.fronts.add(entry)
        if entry.at is not None:
            self.saw(entry.at)

    def _evidence_on(self, key: Key) -> Evidence | None:
        """Return what was found on a route; None if routes are too many."""
        evidence = self.evidence.get(key)
        if evidence is None and len(self.evidence) < _MOST_ROUTES:
            evidence = self.evidence[key] = Evidence()
        return evidence

    def saw(self, at: float) -> None:
        """Note a request *at* that time."""
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    def merge(self, other: Figures) -> None:
        """Add the figures of another part of the logs."""
        self.total.merge(other.total)
        self.routes.merge(other.routes)
        self.callers.merge(other.callers)
        self.groups.merge(other.groups)
        for key, found in other.evidence.items():
            evidence = self._evidence_on(key)
            if evidence is not None:
                evidence.merge(found)
        for form, count in other.forms.items():
            self.forms[form] = self.forms.get(form, 0) + count
        for at in (other.first, other.last):
            if at is not None:
                self.saw(at)
        self.excluded += other.excluded
        self.out_of_time += other.out_of_time
        self.without_time += other.without_time
        self.fronts.merge(other.fronts)
        self.is_whole &= other.is_whole
        self.stay_small()

    def stay_small(self) -> None:
        """Collapse the durations if they became too many."""
        durations = self.total.durations
        if durations.count <= EXACT_MOST or not durations.is_exact:
            return
        durations.collapse()
        for rows in (self.routes, self.callers, self.groups):
            rows.is_exact = False
            for row in rows.values():
                row.durations.collapse()


def hour_of(at: float) -> str:
    """Return the hour of *at*: ``2026-11-21 10:00``."""
    return iso_of(at)[:13].replace("T", " ") + ":00"


def _is_meant(text: str, route: str, method: str) -> bool:
    if text == METADATA:
        return is_metadata(route)
    return is_meant(text, route, method)
