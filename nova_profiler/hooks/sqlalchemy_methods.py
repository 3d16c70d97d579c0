# SPDX-License-Identifier: Apache-2.0
"""The part of the SQLAlchemy hook that times the driver's other work.

Fetching, connecting, waiting for the pool, pings and the end of
transactions have no events that say how long they took: the methods that do
them are wrapped.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from time import perf_counter
from typing import Any

from sqlalchemy.engine import cursor, default
from sqlalchemy.pool import base as pool_base
from sqlalchemy.pool import impl as pool_impl

from nova_profiler.current import (
    CHUNK_CALLS,
    Lane,
    active,
    current_lane,
    find_lane,
)
from nova_profiler.faults import HOOK_FAULTS
from nova_profiler.hooks import Undo
from nova_profiler.hooks.attribute_patches import patch, undo_all


def install() -> Undo:
    """Wrap the methods that this SQLAlchemy has; what it lacks is not told.

    Returns the function that undoes it.
    """
    undos = []
    for strategy in (
        cursor.CursorFetchStrategy,
        cursor.BufferedRowCursorFetchStrategy,
    ):
        for name in ("fetchone", "fetchmany", "fetchall"):
            if name in vars(strategy):
                undos.append(patch(strategy, name, _timed_fetch))
    for owner, name, wrap in (
        (default.DefaultDialect, "do_commit", _timed_into("commits")),
        (default.DefaultDialect, "do_rollback", _timed_into("rollbacks")),
        (default.DefaultDialect, "_do_ping_w_event", _timed_into("pings")),
        (pool_impl.QueuePool, "_do_get", _timed_wait),
        (
            pool_base._ConnectionRecord,
            "_ConnectionRecord__connect",
            _timed_connect,
        ),
    ):
        if hasattr(owner, name):
            undos.append(patch(owner, name, wrap))
    return undo_all(undos)


def _timed_fetch(fetch: Callable[..., Any]) -> Callable[..., Any]:
    many = fetch.__name__ != "fetchone"

    def timed_fetch(
        self: Any, result: Any, dbapi_cursor: Any, *args: Any, **kwargs: Any
    ) -> Any:
        lane = current_lane()
        if lane is None or lane.closed:
            if lane is None and not active:
                return fetch(self, result, dbapi_cursor, *args, **kwargs)
            lane = find_lane(lane)
            if lane is None:
                return fetch(self, result, dbapi_cursor, *args, **kwargs)
        driver_s = lane.driver_s
        start = perf_counter()
        rows = None
        try:
            rows = fetch(self, result, dbapi_cursor, *args, **kwargs)
        finally:
            end = perf_counter()
            # One strategy may call another's method: count time once.
            lane.driver_s = driver_s + (end - start)
            count = 0 if rows is None else len(rows) if many else 1
            _add_fetch(lane, start, end, count, result)
        return rows

    timed_fetch.__wrapped__ = fetch  # type: ignore[attr-defined]
    return timed_fetch


def _add_fetch(
    lane: Lane, start: float, end: float, count: int, result: Any
) -> None:
    try:
        context = result.context
        engine = context.root_connection.engine
        fetches = lane.fetches
        fetches.append((start, end, count, context.statement, engine))
        if len(fetches) >= CHUNK_CALLS:
            lane.fold(fetches)
    except Exception as exc:
        HOOK_FAULTS.note("sqlalchemy_hook", exc)


def _timed_into(place: str) -> Callable[[Any], Callable[..., Any]]:
    """Return what times a dialect's method into the lane's list *place*."""
    samples_of = attrgetter(place)

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        def timed_method(dialect: Any, connection: Any) -> Any:
            lane = current_lane()
            if lane is None or lane.closed:
                if lane is None and not active:
                    return method(dialect, connection)
                lane = find_lane(lane)
                if lane is None:
                    return method(dialect, connection)
            start = perf_counter()
            try:
                return method(dialect, connection)
            finally:
                end = perf_counter()
                lane.driver_s += end - start
                samples = samples_of(lane)
                samples.append((start, end, 0))
                if len(samples) >= CHUNK_CALLS:
                    lane.fold(samples)

        timed_method.__wrapped__ = method  # type: ignore[attr-defined]
        return timed_method

    return wrap


def _timed_wait(get: Callable[..., Any]) -> Callable[..., Any]:
    def timed_get(pool: Any) -> Any:
        lane = current_lane()
        if lane is None or lane.closed:
            if lane is None and not active:
                return get(pool)
            lane = find_lane(lane)
            if lane is None:
                return get(pool)
        driver_s = lane.driver_s
        start = perf_counter()
        try:
            return get(pool)
        finally:
            # A new connection is made in here and has a group of its own:
            # each moment goes to one group only.
            spent = perf_counter() - start
            own_s = spent - (lane.driver_s - driver_s)
            lane.driver_s = driver_s + spent
            waits = lane.pool_waits
            waits.append((start, start + own_s, pool))
            if len(waits) >= CHUNK_CALLS:
                lane.fold(waits)

    timed_get.__wrapped__ = get  # type: ignore[attr-defined]
    return timed_get


def _timed_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    def timed_connect(record: Any) -> Any:
        lane = current_lane()
        if lane is None or lane.closed:
            if lane is None and not active:
                return connect(record)
            lane = find_lane(lane)
            if lane is None:
                return connect(record)
        driver_s = lane.driver_s
        start = perf_counter()
        error = None
        try:
            return connect(record)
        except BaseException as exc:
            error = type(exc).__name__
            raise
        finally:
            end = perf_counter()
            # The first connection of an engine is asked what it can do;
            # that is part of connecting.
            lane.driver_s = driver_s + (end - start)
            pool = record._ConnectionRecord__pool
            connects = lane.connects
            connects.append((start, end, pool))
            if error is not None:
                lane.failed(connects, start, error)
            if len(connects) >= CHUNK_CALLS:
                lane.fold(connects)

    timed_connect.__wrapped__ = connect  # type: ignore[attr-defined]
    return timed_connect
