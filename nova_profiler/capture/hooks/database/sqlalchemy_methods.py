# SPDX-License-Identifier: Apache-2.0
"""The part of the SQLAlchemy hook that times the driver's other work.

Fetching, connecting, waiting for the pool, pings and the end of
transactions have no events for their durations: the methods that do them are
wrapped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from sqlalchemy.engine import cursor, default
from sqlalchemy.pool import base as pool_base
from sqlalchemy.pool import impl as pool_impl

from nova_profiler import groups
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.attribute_patches import (
    patch_method,
    undo_all,
)
from nova_profiler.capture.lanes import CONNECTING, Lane

FETCH = CallKey(groups.FETCH.name, "fetch")
COMMIT = CallKey(groups.TRANSACTION.name, "COMMIT")
ROLLBACK = CallKey(groups.TRANSACTION.name, "ROLLBACK")
CONNECT = CallKey(groups.CONNECT.name, "connect")
POOL_WAIT = CallKey(groups.POOL_WAIT.name, "pool_wait")
PING = CallKey(groups.PING.name, "ping")


def install() -> Undo:
    """Wrap the driver's methods; return the function that undoes it.

    Methods that this SQLAlchemy lacks are skipped: their time counts as
    SQLAlchemy's.
    """
    undos = []
    for strategy in (
        cursor.CursorFetchStrategy,
        cursor.BufferedRowCursorFetchStrategy,
    ):
        for name in ("fetchone", "fetchmany", "fetchall"):
            if name in vars(strategy):
                fetch = partial(_timed_fetch, many=name != "fetchone")
                undos.append(patch_method(strategy, name, fetch))
    for owner, name, wrap in (
        (default.DefaultDialect, "do_commit", _timed_as(COMMIT)),
        (default.DefaultDialect, "do_rollback", _timed_as(ROLLBACK)),
        (default.DefaultDialect, "_do_ping_w_event", _timed_as(PING)),
        (pool_impl.QueuePool, "_do_get", _timed_wait),
        (
            pool_base._ConnectionRecord,
            "_ConnectionRecord__connect",
            _timed_connect,
        ),
    ):
        if hasattr(owner, name):
            undos.append(patch_method(owner, name, wrap))
    return undo_all(undos)


def _driver_lane() -> Lane | None:
    """Return the lane for the driver's work here and now, None if none is.

    What connecting asks the server for is part of connecting.
    """
    lane = lane_here()
    if lane is None or lane.executing is CONNECTING:
        return None
    return lane


def _timed_fetch(
    fetch: Callable[..., Any], *, many: bool
) -> Callable[..., Any]:
    key = FETCH

    def timed_fetch(
        self: Any, result: Any, dbapi_cursor: Any, *args: Any, **kwargs: Any
    ) -> Any:
        try:
            lane = _driver_lane()
            if lane is not None:
                driver_s = lane.driver_s
                start = perf_counter()
        except Exception as exc:
            HOOK_FAILURES.note("sqlalchemy_hook", exc)
            lane = None
        if lane is None:
            return fetch(self, result, dbapi_cursor, *args, **kwargs)
        rows = None
        try:
            rows = fetch(self, result, dbapi_cursor, *args, **kwargs)
        finally:
            try:
                end = perf_counter()
                # One strategy may call another's method: count time once.
                lane.driver_s = driver_s + (end - start)
                count = 0 if rows is None else len(rows) if many else 1
                context = result.context
                engine = context.root_connection.engine
                lane.add(key, (start, end, count, context.statement, engine))
            except Exception as exc:
                HOOK_FAILURES.note("sqlalchemy_hook", exc)
        return rows

    return timed_fetch


def _timed_as(key: CallKey) -> Callable[[Any], Callable[..., Any]]:
    """Return what times a dialect's method as calls of *key*."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        def timed_method(dialect: Any, connection: Any) -> Any:
            lane = None
            try:
                lane = _driver_lane()
                if lane is not None:
                    start = perf_counter()
            except Exception as exc:
                HOOK_FAILURES.note("sqlalchemy_hook", exc)
                lane = None
            if lane is None:
                return method(dialect, connection)
            try:
                return method(dialect, connection)
            finally:
                try:
                    end = perf_counter()
                    lane.driver_s += end - start
                    lane.add(key, (start, end, 0))
                except Exception as exc:
                    HOOK_FAILURES.note("sqlalchemy_hook", exc)

        return timed_method

    return wrap


def _timed_wait(get: Callable[..., Any]) -> Callable[..., Any]:
    key = POOL_WAIT

    def timed_get(pool: Any) -> Any:
        lane = None
        try:
            lane = _driver_lane()
            if lane is not None:
                driver_s = lane.driver_s
                start = perf_counter()
        except Exception as exc:
            HOOK_FAILURES.note("sqlalchemy_hook", exc)
            lane = None
        if lane is None:
            return get(pool)
        try:
            return get(pool)
        finally:
            try:
                # A new connection is made in here and has a group of its
                # own: each moment goes to one group only.
                spent = perf_counter() - start
                own_s = spent - (lane.driver_s - driver_s)
                lane.driver_s = driver_s + spent
                lane.add(key, (start, start + own_s, pool))
            except Exception as exc:
                HOOK_FAILURES.note("sqlalchemy_hook", exc)

    return timed_get


def _timed_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    key = CONNECT

    def timed_connect(record: Any) -> Any:
        lane = error = None
        try:
            lane = _driver_lane()
            if lane is not None:
                driver_s = lane.driver_s
                start = perf_counter()
                # The first connection of an engine is asked what it can do;
                # that is part of connecting.
                lane.executing = CONNECTING
        except Exception as exc:
            HOOK_FAILURES.note("sqlalchemy_hook", exc)
            lane = None
        if lane is None:
            return connect(record)
        try:
            return connect(record)
        except BaseException as exc:
            error = exc
            raise
        finally:
            lane.executing = None
            try:
                end = perf_counter()
                lane.driver_s = driver_s + (end - start)
                pool = record._ConnectionRecord__pool
                connects = lane.add(key, (start, end, pool))
                if error is not None:
                    connects.failed(start, type(error).__name__, lane.capture)
            except Exception as exc:
                HOOK_FAILURES.note("sqlalchemy_hook", exc)
            # It holds the frame.
            error = None

    return timed_connect
