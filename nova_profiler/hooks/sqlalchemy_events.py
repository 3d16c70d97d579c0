# SPDX-License-Identifier: Apache-2.0
"""Hook that times what SQLAlchemy has its driver do.

Statements come from engine events, listened to on the class so that engines
made before and after are seen alike. Fetching, connecting, waiting for the
pool, pings and the end of transactions have no events that say how long
they took; the methods that do them are wrapped instead.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine, cursor, default
from sqlalchemy.pool import base as pool_base
from sqlalchemy.pool import impl as pool_impl

from nova_profiler.current import (
    _CHUNK,
    MAX_STATEMENTS,
    CallKey,
    Lane,
    Samples,
    current_lane,
    find_lane,
)
from nova_profiler.hooks import HookError, Undo
from nova_profiler.hooks.attribute_patches import patch, undo_all
from nova_profiler.sql import database_of, name_of_statement

# An attribute of SQLAlchemy's execution context, which follows a statement
# from event to event across greenlets: its lane and when it began.
_MARK = "nova_profiler"


def install() -> Undo:
    """Hook SQLAlchemy; returns the function that undoes it."""
    if sqlalchemy.__version__ < "1.4":
        raise HookError(
            f"SQLAlchemy {sqlalchemy.__version__} is older than 1.4"
        )
    return undo_all([_listen(), *_wrap_methods()])


# -- statements ------------------------------------------------------------

_listeners = 0


def _listen() -> Undo:
    global _listeners
    if _listeners == 0:
        # retval spares a wrapper round the listener on each statement.
        event.listen(
            Engine, "before_cursor_execute", before_statement, retval=True
        )
        event.listen(Engine, "after_cursor_execute", after_statement)
        event.listen(Engine, "handle_error", failed_statement)
    _listeners += 1
    done = False

    def undo() -> None:
        nonlocal done
        global _listeners
        if done:
            return
        done = True
        _listeners -= 1
        if _listeners == 0:
            event.remove(Engine, "before_cursor_execute", before_statement)
            event.remove(Engine, "after_cursor_execute", after_statement)
            event.remove(Engine, "handle_error", failed_statement)

    return undo


def before_statement(
    conn: Any,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> tuple[str, Any]:
    """Note when a statement begins, and for which lane."""
    lane = current_lane()
    if lane is None or lane.closed:
        lane = find_lane(lane)
        if lane is None:
            return statement, parameters
    if context is not None:
        context.nova_profiler = (lane, perf_counter())
    return statement, parameters


def after_statement(
    conn: Any,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> None:
    """Add the statement that ended to its lane."""
    end = perf_counter()
    mark = getattr(context, _MARK, None)
    if mark is None:
        return
    context.nova_profiler = None
    lane, start = mark
    rows = cursor.rowcount
    lane.driver_s += end - start
    by_text = lane.sql.get(conn.engine)
    if by_text is None:
        by_text = lane.sql[conn.engine] = {}
    samples = by_text.get(statement)
    if samples is None:
        samples = _samples_of(by_text, statement)
    samples += (start, end, rows if rows > 0 else 0)
    if executemany:
        done = lane.executemany
        done[statement] = done.get(statement, 0) + 1
    if len(samples) >= _CHUNK:
        lane.fold(samples)


def _samples_of(by_text: dict[str, Samples], statement: str) -> Samples:
    """Return the list for *statement*, or for its kind if there are many."""
    if len(by_text) >= MAX_STATEMENTS:
        statement = name_of_statement(statement)
    return by_text.setdefault(statement, [])


def failed_statement(error: Any) -> None:
    """Add a statement that failed: SQLAlchemy sends no event at its end."""
    context = error.execution_context
    mark = getattr(context, _MARK, None)
    if mark is None:
        return
    end = perf_counter()
    context.nova_profiler = None
    lane, start = mark
    lane.driver_s += end - start
    engine = error.engine or error.connection.engine
    by_text = lane.sql.setdefault(engine, {})
    samples = _samples_of(by_text, error.statement or context.statement or "")
    samples += (start, end, 0)
    lane.failed(samples, start, type(error.original_exception).__name__)
    if len(samples) >= _CHUNK:
        lane.fold(samples)


# -- the rest of the driver's work -------------------------------------------


def _wrap_methods() -> list[Undo]:
    """Wrap the methods that this SQLAlchemy has; what it lacks is not told."""
    undos = []
    for strategy in (
        cursor.CursorFetchStrategy,
        cursor.BufferedRowCursorFetchStrategy,
    ):
        for name in ("fetchone", "fetchmany", "fetchall"):
            if name in vars(strategy):
                undos.append(patch(strategy, name, _timed_fetch))
    for owner, name, group in (
        (pool_base._ConnectionRecord, "_ConnectionRecord__connect", "connect"),
        (pool_impl.QueuePool, "_do_get", "pool_wait"),
        (default.DefaultDialect, "_do_ping_w_event", "ping"),
        (default.DefaultDialect, "do_commit", "transaction"),
        (default.DefaultDialect, "do_rollback", "transaction"),
    ):
        if hasattr(owner, name):
            text = {"do_commit": "COMMIT", "do_rollback": "ROLLBACK"}.get(name)
            undos.append(patch(owner, name, _Driver(group, text)))
    undos.append(patch(Engine, "raw_connection", _named_connection))
    return undos


def _timed_fetch(fetch: Callable[..., Any]) -> Callable[..., Any]:
    many = fetch.__name__ != "fetchone"

    def timed_fetch(
        self: Any, result: Any, dbapi_cursor: Any, *args: Any, **kwargs: Any
    ) -> Any:
        lane = current_lane()
        if lane is None or lane.closed:
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
            context = result.context
            engine = context.engine
            by_text = lane.fetches.get(engine)
            if by_text is None:
                by_text = lane.fetches[engine] = {}
            statement = context.statement
            samples = by_text.get(statement)
            if samples is None:
                samples = _samples_of(by_text, statement)
            samples += (
                start,
                end,
                0 if rows is None else len(rows) if many else 1,
            )
            if len(samples) >= _CHUNK:
                lane.fold(samples)
        return rows

    timed_fetch.__wrapped__ = fetch  # type: ignore[attr-defined]
    return timed_fetch


class _Driver:
    """Wraps a method that waits for the driver, as calls of *group*."""

    def __init__(self, group: str, name: str | None) -> None:
        self._group = group
        self._name = name
        self._keys: dict[str, CallKey] = {}

    def __call__(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed_method(target: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current_lane()
            if lane is None or lane.closed:
                lane = find_lane(lane)
                if lane is None:
                    return method(target, *args, **kwargs)
            driver_s = lane.driver_s
            start = perf_counter()
            error = None
            try:
                return method(target, *args, **kwargs)
            except BaseException as exc:
                error = type(exc).__name__
                raise
            finally:
                # Connecting is part of what waiting for the pool takes:
                # each moment goes to one group only.
                spent = perf_counter() - start
                own_s = max(0.0, spent - (lane.driver_s - driver_s))
                lane.driver_s = driver_s + spent
                self._add(lane, start, own_s, error)

        timed_method.__wrapped__ = method  # type: ignore[attr-defined]
        return timed_method

    def _add(
        self, lane: Lane, start: float, own_s: float, error: str | None
    ) -> None:
        name = self._name or lane.database or "database"
        key = self._keys.get(name)
        if key is None:
            # As many as there are databases.
            key = self._keys[name] = CallKey(self._group, name)
        samples = lane.calls.setdefault(key, [])
        samples += (start, start + own_s, 0)
        if error is not None:
            lane.failed(samples, start, error)
        if len(samples) >= _CHUNK:
            lane.fold(samples)


def _named_connection(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tell the lane which database its connections are for."""

    def raw_connection(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current_lane()
        if lane is not None:
            lane.database = database_of(self)
        return method(self, *args, **kwargs)

    raw_connection.__wrapped__ = method  # type: ignore[attr-defined]
    return raw_connection
