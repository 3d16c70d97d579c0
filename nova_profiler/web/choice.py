# SPDX-License-Identifier: Apache-2.0
"""Which requests a page is about: all of it stands in its URL."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

from nova_profiler.dump_store import name_of_route
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.options import moment_ago
from nova_profiler.reading.record_words import NO_ROUTE
from nova_profiler.reading.screen.terminal import printable
from nova_profiler.record import KINDS
from nova_profiler.web.rows import NAMED, Row, epoch_of
from nova_profiler.web.tables.columns import STATES, Array
from nova_profiler.web.tables.table import Table

# What rows can be sorted by, each largest first; "-" turns it round.
SORTS = ("time", "ms", "title", "status", "user", "service", "kind")
# Fields of a choice that are attributes of a row, and are compared as they
# stand.
EXACT = ("kind", "user", "project", "service", "host", "part", "outcome")
PAGE_ROWS = 100

KIND_NAMES = tuple(kind.name for kind in KINDS)

_LONGEST = 300
_MOST_PAGE = 1_000_000


class ChoiceError(NovaProfilerError):
    """A URL asks for what cannot be; the message names the parameter."""

    def __init__(self, message: str) -> None:
        """*message* may have text of the URL: it stays one line."""
        super().__init__(printable(message))


class Choice(NamedTuple):
    """The parameters of the overview; empty ones choose nothing.

    ``since`` and ``until`` are times, ``status`` is such as 404 or 5xx.
    """

    kind: str = ""
    route: str = ""
    user: str = ""
    project: str = ""
    service: str = ""
    host: str = ""
    part: str = ""
    outcome: str = ""
    status: str = ""
    since: str = ""
    until: str = ""
    min_ms: float = 0.0
    max_ms: float = math.inf
    sort: str = "time"
    page: int = 1

    @property
    def is_any(self) -> bool:
        """Return whether it leaves any request out."""
        return self._replace(sort="time", page=1) != Choice()

    @property
    def filters(self) -> dict[str, str]:
        """Return what it chooses by, as the URL has it."""
        query = self._query()
        return {
            name: value
            for name, value in query.items()
            if name not in ("sort", "page")
        }

    def link(self, **changes: object) -> str:
        """Return the query of the same choice with *changes*.

        A change of what is chosen leads to the first page.
        """
        changes.setdefault("page", 1)
        changed = self._replace(**changes)  # type: ignore[arg-type]  # by fields' names
        return f"?{urlencode(changed._query(), errors='replace')}"

    def _query(self) -> dict[str, str]:
        return {
            name: str(value)
            for name, value in self._asdict().items()
            if value != Choice._field_defaults[name]
        }

    def of(self, rows: Iterable[Row]) -> Table:
        """Return those of *rows* that are chosen, in their order."""
        table = Table.of(rows)
        return table.chosen(self.mask(table)) if self.is_any else table

    def mask(self, table: Table) -> Array:
        """Return for each row of *table* whether it is chosen."""
        found = np.ones(len(table), np.bool_)
        if self.min_ms > 0 or self.max_ms < math.inf:
            took = table.column("duration_ms")
            found &= (took >= self.min_ms) & (took < self.max_ms)
        for text, is_start in ((self.since, True), (self.until, False)):
            at = epoch_of(text)
            if at is not None:
                later = table.column("epoch_ms") >= _whole_ms(at)
                found &= later if is_start else ~later
        if self.route:
            found &= _has_title(table, self.route)
        if self.status:
            found &= _has_status(table, self.status)
        for name in EXACT:
            wanted = getattr(self, name)
            if wanted:
                found &= table.column(name) == table.names.known(wanted)
        return found


# What an address can have for a choice.
PARAMETERS = Choice._fields


def choice_of(parameters: Mapping[str, str]) -> Choice:
    """Return the choice of a URL; raises ChoiceError for what cannot be."""
    values: dict[str, object] = {}
    for name in Choice._fields:
        text = parameters.get(name, "").strip()
        if text:
            values[name] = _value_of(name, text[:_LONGEST])
    return Choice(**values)  # type: ignore[arg-type]  # by fields' names


def _value_of(name: str, text: str) -> object:
    if name in ("min_ms", "max_ms"):
        return _number_of(name, text)
    if name == "page":
        number = _number_of(name, text)
        if not 1 <= number <= _MOST_PAGE:
            raise ChoiceError(f"page = {text}: expected 1 or more")
        return int(number)
    if name == "sort" and text.removeprefix("-") not in SORTS:
        raise ChoiceError(f"sort = {text}: expected {', '.join(SORTS)}")
    if name == "kind" and text not in KIND_NAMES:
        raise ChoiceError(f"kind = {text}: expected {', '.join(KIND_NAMES)}")
    if name in ("since", "until"):
        return _moment_of(name, text)
    if name == "status" and not _is_status(text.lower()):
        raise ChoiceError(f"status = {text}: expected such as 404 or 5xx")
    return text.lower() if name == "status" else text


def _moment_of(name: str, text: str) -> str:
    """Return a time or an age as a time; an age is that of now."""
    try:
        ago = moment_ago(text)
    except OverflowError:
        ago = datetime.min.replace(tzinfo=timezone.utc)
    if ago is not None:
        return ago.isoformat(timespec="milliseconds")
    # A "+" of a time zone that was not escaped is a blank here.
    text = text.replace(" ", "+")
    if epoch_of(text) is None:
        raise ChoiceError(
            f"{name} = {text}: expected an age such as 30m, 2h or 7d, or a "
            f"time such as 2026-11-21T10:35 (UTC)"
        )
    return text


def _number_of(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ChoiceError(f"{name} = {text}: expected a number, 0 or more")
    return number


def _is_status(text: str) -> bool:
    return 1 <= len(text) <= 3 and all(one in "0123456789x" for one in text)


def _whole_ms(epoch_s: float) -> int:
    """Return the first whole millisecond that is not before *epoch_s*."""
    # Rounded first: a float is a little beside the digits of its text.
    return math.ceil(round(1000 * epoch_s, 2))


def _has_status(table: Table, wanted: str) -> Array:
    status = table.column("status")
    meant = [
        code
        for code in np.unique(status).tolist()
        if len(str(code)) == len(wanted)
        and all(a in ("x", b) for a, b in zip(wanted, str(code), strict=True))
    ]
    is_known = table.column("state") != STATES.index(NAMED)
    found: Array = np.isin(status, meant) & is_known
    return found


def _name_of_title(title: str) -> str:
    """Return the title that a dump of the same route has by its name."""
    method, _, rest = title.partition(" ")
    route = rest.partition(" ")[0]
    if rest == NO_ROUTE:
        route = ""
    return f"{method} {name_of_route(route)}"


def _has_title(table: Table, title: str) -> Array:
    number = table.names.known
    titles = table.column("title")
    is_named = table.column("state") == STATES.index(NAMED)
    found: Array = (titles == number(title)) | (
        is_named & (titles == number(_name_of_title(title)))
    )
    return found
