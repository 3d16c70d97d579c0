# SPDX-License-Identifier: Apache-2.0
"""Where each moment of a request went, so that the parts make the whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nova_profiler.groups import (
    DB_API,
    DRIVER_GROUPS,
    GROUPS,
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
# The driver's calls contain no other call, and functions round the driver
# nothing but them: without other groups sums are exact.
FLAT_GROUPS = frozenset((*DRIVER_GROUPS, _DB_API))


class Span(NamedTuple):
    """A call of *group* from *start* to *end*, seconds since the start."""

    group: str
    start: float
    end: float


def of_one_lane(
    duration_s: float,
    by_group_s: dict[str, float],
    db_api_driver_s: float,
    waiting_db_api_s: float,
    waiting_python_s: float,
) -> dict[str, float]:
    """Return seconds by bucket for a request that ran in one thread.

    *by_group_s* are the sums of its groups; *db_api_driver_s* is the part
    that the driver had inside DB API functions. The buckets add up to
    *duration_s*. What the sums of other groups share with the database is
    unknown, so they have no more than it leaves.
    """
    buckets = {
        _BUCKET_OF[group]: by_group_s[group]
        for group in DRIVER_GROUPS
        if group in by_group_s
    }
    db_api_s = by_group_s.get(_DB_API, 0.0)
    sqlalchemy_s = max(0.0, db_api_s - db_api_driver_s)
    rest_s = duration_s - sum(buckets.values()) - sqlalchemy_s
    for group, spent in by_group_s.items():
        if group not in FLAT_GROUPS and rest_s > 0.0:
            buckets[_BUCKET_OF[group]] = taken_s = min(spent, rest_s)
            rest_s -= taken_s
            waiting_python_s = max(0.0, waiting_python_s - taken_s)
    return _with_rest(
        buckets, sqlalchemy_s, rest_s, waiting_db_api_s, waiting_python_s
    )


def of_many_lanes(
    duration_s: float,
    main: Iterable[Span],
    others: Iterable[Span],
    waiting_db_api_s: float,
    waiting_python_s: float,
) -> dict[str, float]:
    """Return seconds by bucket for a request with lanes beside its own.

    Each moment belongs to the innermost call of the request's own lane;
    where that has none, to what the other lanes do then, the driver first.
    """
    both_s, own_s = _swept(duration_s, main, others)
    buckets = {
        _BUCKET_OF[group]: spent
        for group, spent in both_s.items()
        if group != _DB_API
    }
    sqlalchemy_s = both_s.get(_DB_API, 0.0)
    rest_s = duration_s - sum(both_s.values())
    # While other lanes worked, the request's own thread waited for them:
    # that waiting has a name. So has what stood still in a call of another
    # group than the database's; the CPU clock has both as one.
    covered_s = sum(both_s.values()) - sum(own_s.values())
    covered_s += sum(
        [s for group, s in own_s.items() if group not in FLAT_GROUPS]
    )
    waiting_python_s = max(0.0, waiting_python_s - covered_s)
    waiting_db_api_s = min(waiting_db_api_s, own_s.get(_DB_API, 0.0))
    return _with_rest(
        buckets, sqlalchemy_s, rest_s, waiting_db_api_s, waiting_python_s
    )


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
