# SPDX-License-Identifier: Apache-2.0
"""Where each moment of a request went, so that the parts make the whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

from nova_profiler.groups import (
    DB_API,
    DRIVER_GROUPS,
    GROUPS,
    POOL,
    PYTHON,
    WAITING,
)

# In the order in which they win a moment that several lanes claim.
_GROUPS = tuple(group.name for group in GROUPS)
_RANK = {group: rank for rank, group in enumerate(_GROUPS)}
_LAST_RANK = len(_GROUPS) - 1
_BUCKET_OF = {group.name: group.bucket.name for group in GROUPS}
_DB_API = DB_API.name
_SQLALCHEMY = DB_API.bucket.name
_POOL = POOL.name


class Span(NamedTuple):
    """A call of *group* from *start* to *end*, seconds since the start."""

    group: str
    start: float
    end: float


class LaneSums(NamedTuple):
    """What a lane added up while it went on, in seconds."""

    # Of the driver's groups and of DB API functions: all their time.
    by_group_s: Mapping[str, float]
    # Of the other groups: without the calls inside them.
    others_s: Mapping[str, float]
    # What DB API functions spent in the driver, and in other groups.
    db_api_driver_s: float = 0.0
    db_api_other_s: float = 0.0
    waiting_db_api_s: float = 0.0
    waiting_python_s: float = 0.0


def of_one_lane(duration_s: float, sums: LaneSums) -> dict[str, float]:
    """Return seconds by bucket for a request that ran in one thread.

    The buckets add up to *duration_s*: no moment is in two of *sums*.
    """
    buckets = {
        _BUCKET_OF[group]: sums.by_group_s[group]
        for group in DRIVER_GROUPS
        if group in sums.by_group_s
    }
    for group, spent in sums.others_s.items():
        # Clocks are read a moment apart.
        buckets[_BUCKET_OF[group]] = max(0.0, spent)
    db_api_s = sums.by_group_s.get(_DB_API, 0.0)
    inside_s = sums.db_api_driver_s + sums.db_api_other_s
    sqlalchemy_s = max(0.0, db_api_s - inside_s)
    rest_s = duration_s - sum(buckets.values()) - sqlalchemy_s
    return _with_rest(
        buckets,
        sqlalchemy_s,
        rest_s,
        sums.waiting_db_api_s,
        sums.waiting_python_s,
    )


def of_many_lanes(
    duration_s: float,
    main: Iterable[Span],
    others: Iterable[Iterable[Span]],
    waiting_db_api_s: float,
    waiting_python_s: float,
) -> dict[str, float]:
    """Return seconds by bucket for a request with lanes beside its own.

    Each moment belongs to the innermost call of the request's own lane;
    where that has none, to the innermost calls of the *others* then, the
    driver first.
    """
    own = innermost(main)
    beside = [span for lane in others for span in innermost(lane)]
    both_s, own_s = _swept(duration_s, own, beside)
    if _POOL in both_s:
        # What waits for a worker holds the request only as far as its own
        # thread waits meanwhile: for that work, by all that is known.
        own_pool_s = own_s.get(_POOL, 0.0)
        beside_s = both_s.pop(_POOL) - own_pool_s
        pool_s = own_pool_s + min(beside_s, waiting_python_s)
        if pool_s:
            both_s[_POOL] = pool_s
    buckets = {
        _BUCKET_OF[group]: spent
        for group, spent in both_s.items()
        if group != _DB_API
    }
    sqlalchemy_s = both_s.get(_DB_API, 0.0)
    rest_s = duration_s - sum(both_s.values())
    # While other lanes worked, the request's own thread waited for them:
    # that waiting has a name.
    covered_s = sum(both_s.values()) - sum(own_s.values())
    waiting_python_s = max(0.0, waiting_python_s - covered_s)
    waiting_db_api_s = min(waiting_db_api_s, own_s.get(_DB_API, 0.0))
    return _with_rest(
        buckets, sqlalchemy_s, rest_s, waiting_db_api_s, waiting_python_s
    )


def innermost(spans: Iterable[Span]) -> list[Span]:
    """Return the pieces of one lane's calls that no call inside them has.

    The calls of a lane lie within each other or apart. Where clocks say
    that two lie across, the later one has what they share. Of two that are
    the same by the clocks, the driver's is inside, else the one that was
    added first.
    """
    pieces: list[Span] = []
    open_calls: list[Span] = []
    at = float("-inf")
    latest_first = list(spans)[::-1]
    for span in sorted(latest_first, key=_outer_first):
        while open_calls and open_calls[-1].end <= span.start:
            at = _ended(open_calls, at, pieces)
        if open_calls and span.start > at:
            pieces.append(Span(open_calls[-1].group, at, span.start))
        at = max(at, span.start)
        open_calls.append(span)
    while open_calls:
        at = _ended(open_calls, at, pieces)
    return pieces


def _outer_first(span: Span) -> tuple[float, float, bool]:
    return span.start, -span.end, span.group in DRIVER_GROUPS


def _ended(open_calls: list[Span], at: float, pieces: list[Span]) -> float:
    """Take the innermost call off; return up to when all has its piece."""
    group, _, end = open_calls.pop()
    if end > at:
        pieces.append(Span(group, at, end))
        return end
    return at


def _with_rest(
    buckets: dict[str, float],
    sqlalchemy_s: float,
    rest_s: float,
    waiting_db_api_s: float,
    waiting_python_s: float,
) -> dict[str, float]:
    """Split what no driver call claims into running and waiting."""
    if rest_s < 0.0:
        # Clocks read a moment apart: what is missing was SQLAlchemy's.
        sqlalchemy_s += rest_s
        rest_s = 0.0
        if sqlalchemy_s < 0.0:
            # Still too much: each call's clocks were read outside of it.
            claimed_s = sum(buckets.values())
            share = max(0.0, claimed_s + sqlalchemy_s) / claimed_s
            buckets = {group: s * share for group, s in buckets.items()}
            sqlalchemy_s = 0.0
    waiting_db_api_s = min(waiting_db_api_s, sqlalchemy_s)
    waiting_python_s = min(waiting_python_s, rest_s)
    waiting_s = waiting_db_api_s + waiting_python_s
    if sqlalchemy_s:
        buckets[_SQLALCHEMY] = sqlalchemy_s - waiting_db_api_s
    buckets[PYTHON.name] = rest_s - waiting_python_s
    if waiting_s:
        buckets[WAITING.name] = waiting_s
    return buckets


def _swept(
    duration_s: float, main: Iterable[Span], others: Iterable[Span]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return seconds by group: of all, and of the main lane's own.

    One pass over the ends of all spans: it is made while a request waits.
    """
    edges: list[tuple[float, int, int, int]] = []
    for side, spans in enumerate((main, others)):
        for group, start, end in spans:
            start = max(start, 0.0)
            end = min(end, duration_s)
            if end > start:
                rank = _RANK.get(group, _LAST_RANK)
                edges.append((start, 1, side, rank))
                edges.append((end, -1, side, rank))
    edges.sort()
    open_calls = ([0] * len(_GROUPS), [0] * len(_GROUPS))
    open_sides = [0, 0]
    seconds = ([0.0] * len(_GROUPS), [0.0] * len(_GROUPS))
    before = 0.0
    for at, step, side, rank in edges:
        if at > before:
            winning = 0 if open_sides[0] else 1
            if open_sides[winning]:
                winner = _first_open(open_calls[winning])
                seconds[winning][winner] += at - before
            before = at
        open_calls[side][rank] += step
        open_sides[side] += step
    own_s = {g: s for g, s in zip(_GROUPS, seconds[0], strict=True) if s}
    both_s = dict(own_s)
    for group, spent in zip(_GROUPS, seconds[1], strict=True):
        if spent:
            both_s[group] = both_s.get(group, 0.0) + spent
    return both_s, own_s


def _first_open(counts: list[int]) -> int:
    """Return the first rank of which a call is open; one is."""
    rank = 0
    while not counts[rank]:
        rank += 1
    return rank


def covered_s(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much time *spans* (start, end) cover, each moment once."""
    total = 0.0
    reach = float("-inf")
    for start, end in sorted(spans):
        if end > reach:
            total += end - max(start, reach)
            reach = end
    return total


def any_begins_in(
    spans: Iterable[tuple[float, float]],
    others: Iterable[tuple[float, float]],
) -> bool:
    """Return whether one of *others* begins while one of *spans* goes on."""
    by_start = sorted(spans)
    starts = [start for start, _ in by_start]
    ends = list(accumulate([end for _, end in by_start], max))
    for start, _ in others:
        earlier = bisect_right(starts, start)
        if earlier and ends[earlier - 1] > start:
            return True
    return False
