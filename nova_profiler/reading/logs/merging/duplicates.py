# SPDX-License-Identifier: Apache-2.0
"""Finds the lines of several forms that are about one request.

uWSGI, Apache, nova's requestlog, our filter, a proxy before them and a client
may all log the same request.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple, TypeAlias

from nova_profiler.reading.logs.line_parts.services import is_service
from nova_profiler.routes import UNMATCHED

# Servers and journald round their stamps down to a second.
NEAR_S = 1.5

# Open requests of one route that a line is compared with.
_MOST_COMPARED = 200
# Of its own and of those without a route; of any, for a line without one.
_MOST_IN_ALL = 2 * _MOST_COMPARED
# A caller waits at least as long as the service works, but for rounding.
_ROUNDED_MS = 50.0

# For each line that is not kept: its number, the kept one, whether it is of
# a front or a client.
Dropped: TypeAlias = "tuple[int, int, bool]"


class Line(NamedTuple):
    """What lines are compared by; the columns of the spool, in order."""

    number: int
    rank: int
    request_id: str | None
    at: float | None
    asked: str
    route: str
    size: int | None
    ms: float
    service: str
    is_outer: bool


Merged: TypeAlias = Callable[[Iterable[Line]], Iterator[Dropped]]


class _Request:
    """The lines about one request; ``best`` is the one to keep."""

    __slots__ = ("at", "best", "lines", "ranks", "request_id", "size")

    def __init__(self, line: Line) -> None:
        self.at = line.at or 0.0
        self.best = line
        self.lines = [line]
        self.ranks = {line.rank}
        self.request_id = line.request_id
        self.size = line.size

    def may_have(self, line: Line) -> bool:
        """Return whether *line*, of another form, may be about it."""
        if self.request_id and line.request_id:
            # Equal ids were merged before: these differ.
            return False
        if None not in (self.size, line.size) and self.size != line.size:
            return False
        return _agree(self.best, line) and _may_contain(self.best, line)

    def add(self, line: Line) -> None:
        """Add *line*."""
        self.lines.append(line)
        self.ranks.add(line.rank)
        self.request_id = self.request_id or line.request_id
        if self.size is None:
            self.size = line.size
        if line.rank < self.best.rank:
            self.best = line

    def dropped(self) -> Iterator[Dropped]:
        """Yield the lines that are not kept."""
        for line in self.lines:
            if line is not self.best:
                yield line.number, self.best.number, line.is_outer


def _agree(line: Line, other: Line) -> bool:
    """Return whether both are of one service, as far as that is known."""
    return (
        line.service == other.service
        or not is_service(line.service)
        or not is_service(other.service)
    )


def _may_contain(line: Line, other: Line) -> bool:
    """Return whether a caller's time is long enough for the service's."""
    if line.is_outer == other.is_outer:
        return True
    outer, inner = (line, other) if line.is_outer else (other, line)
    return outer.ms + _ROUNDED_MS >= inner.ms


def _same_route(line: Line, other: Line) -> bool:
    # In our records a request that failed before nova's router has no route.
    return line.route == other.route or UNMATCHED in (line.route, other.route)


def of_one_id(lines: Iterable[Line]) -> Iterator[Dropped]:
    """Yield the lines that are about the request of another with their id.

    *lines* come in the order of ids and ranks. A service may answer several
    requests under its caller's id: method, route and status agree as well.
    """
    for _, group in groupby(lines, key=lambda line: line.request_id):
        by_answer: dict[str, list[_Request]] = {}
        for line in group:
            requests = by_answer.setdefault(line.asked, [])
            same = [
                request
                for request in requests[:_MOST_COMPARED]
                if line.rank not in request.ranks
                and _same_route(request.best, line)
                and _agree(request.best, line)
            ]
            if same:
                # Of several the one of about the same time.
                min(same, key=lambda one: abs(one.best.ms - line.ms)).add(line)
            else:
                requests.append(_Request(line))
        for requests in by_answer.values():
            for request in requests:
                yield from request.dropped()


def of_near_times(lines: Iterable[Line]) -> Iterator[Dropped]:
    """Yield the lines that are about a request that another has, by time.

    *lines* come in the order of method and status, time and rank.
    """
    for _, group in groupby(lines, key=lambda line: line.asked):
        open_requests: dict[str, deque[_Request]] = defaultdict(deque)
        for line in group:
            for route in _routes_beside(line, open_requests):
                requests = open_requests.get(route)
                if requests and requests[0].at < (line.at or 0.0) - NEAR_S:
                    yield from _ended(line, route, open_requests)
            request = _request_of(line, open_requests)
            if request is not None:
                request.add(line)
            else:
                open_requests[line.route].append(_Request(line))
        for left in open_requests.values():
            for request in left:
                yield from request.dropped()


def _routes_beside(
    line: Line, open_requests: dict[str, deque[_Request]]
) -> list[str]:
    if line.route == UNMATCHED:
        return list(islice(open_requests, _MOST_IN_ALL))
    # In our records a request that failed before nova's router has no route.
    return [line.route, UNMATCHED]


def _ended(
    line: Line, route: str, open_requests: dict[str, deque[_Request]]
) -> Iterator[Dropped]:
    """Close the requests that are too far before *line*."""
    requests = open_requests.get(route)
    while requests and requests[0].at < (line.at or 0.0) - NEAR_S:
        yield from requests.popleft().dropped()
    if not requests:
        open_requests.pop(route, None)


def _request_of(
    line: Line, open_requests: dict[str, deque[_Request]]
) -> _Request | None:
    left = _MOST_IN_ALL
    for route in _routes_beside(line, open_requests):
        requests = open_requests.get(route, ())
        most = min(left, _MOST_COMPARED)
        for request in islice(requests, most):
            # Most are of the line's own form: a call would double the time.
            if line.rank not in request.ranks and request.may_have(line):
                return request
        left -= min(most, len(requests))
    return None
