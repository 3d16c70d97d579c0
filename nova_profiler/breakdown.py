# SPDX-License-Identifier: Apache-2.0
"""Where each moment of a request went, so that the parts make the whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

# The database driver and the pool, in the order in which they win a moment
# that several lanes claim: what the request truly waits for comes first.
DRIVER_GROUPS = (
    "sql",
    "fetch",
    "transaction",
    "connect",
    "pool_wait",
    "ping",
)
SQLALCHEMY = "sqlalchemy"
WAITING = "waiting"
PYTHON = "python"
_RANK = {
    group: rank
    for rank, group in enumerate((*DRIVER_GROUPS, "db_api", "timed"))
}


class Span(NamedTuple):
    """A call of *group* from *start* to *end*, seconds since the start."""

    group: str
    start: float
    end: float


def of_one_lane(
    duration_s: float,
    driver_s: dict[str, float],
    db_api_s: float,
    db_api_driver_s: float,
    waiting_db_api_s: float,
    waiting_python_s: float,
) -> dict[str, float]:
    """Return seconds by bucket for a request that ran in one thread.

    *driver_s* is by group; *db_api_driver_s* is the part of all of it that
    was spent inside DB API functions. The buckets add up to *duration_s*.
    """
    buckets = dict(driver_s)
    sqlalchemy_s = max(0.0, db_api_s - db_api_driver_s)
    rest_s = duration_s - sum(driver_s.values()) - sqlalchemy_s
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
    main_s, own_s = _swept(duration_s, main, ())
    both_s, _ = _swept(duration_s, main, others)
    buckets = {g: s for g, s in both_s.items() if g not in ("db_api",)}
    sqlalchemy_s = both_s.get("db_api", 0.0)
    rest_s = duration_s - sum(both_s.values())
    # While other lanes worked, the request's own thread waited for them:
    # that is not waiting for nobody knows what. Nor is what stood still in
    # a timed function, which the CPU clock does not tell from the rest.
    covered_s = sum(both_s.values()) - sum(main_s.values())
    covered_s += main_s.get("timed", 0.0)
    waiting_python_s = max(0.0, waiting_python_s - covered_s)
    waiting_db_api_s = min(waiting_db_api_s, own_s)
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
        buckets[SQLALCHEMY] = sqlalchemy_s - waiting_db_api_s
    buckets[PYTHON] = rest_s - waiting_python_s
    if waiting_s:
        buckets[WAITING] = waiting_s
    return buckets


def _swept(
    duration_s: float, main: Iterable[Span], others: Iterable[Span]
) -> tuple[dict[str, float], float]:
    """Return seconds by group, and the main lane's own db_api seconds."""
    edges: list[tuple[float, int, int, int]] = []
    for side, spans in enumerate((main, others)):
        for span in spans:
            start = min(max(span.start, 0.0), duration_s)
            end = min(max(span.end, 0.0), duration_s)
            if end > start:
                rank = _RANK.get(span.group, len(_RANK))
                edges.append((start, 1, side, rank))
                edges.append((end, -1, side, rank))
    edges.sort()
    names = [*_RANK, "timed"]
    open_calls = ([0] * len(names), [0] * len(names))
    seconds: dict[str, float] = {}
    own_db_api_s = 0.0
    before = 0.0
    for at, step, side, rank in edges:
        if at > before:
            winner, is_own = _winner(open_calls)
            if winner is not None:
                name = names[winner]
                seconds[name] = seconds.get(name, 0.0) + at - before
                if is_own and name == "db_api":
                    own_db_api_s += at - before
            before = at
        open_calls[side][rank] += step
    return seconds, own_db_api_s


def _winner(
    open_calls: tuple[list[int], list[int]],
) -> tuple[int | None, bool]:
    for side in (0, 1):
        for rank, count in enumerate(open_calls[side]):
            if count > 0:
                return rank, side == 0
    return None, False


def covered_s(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much time *spans* (start, end) cover, each moment once."""
    total = 0.0
    reach = float("-inf")
    for start, end in sorted(spans):
        if end > reach:
            total += end - max(start, reach)
            reach = end
    return total
