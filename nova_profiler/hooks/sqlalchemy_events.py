# SPDX-License-Identifier: Apache-2.0
"""Hook that times the statements SQLAlchemy hands to its driver.

From engine events, listened to on the class so that engines made before and
after are seen alike. The driver's other work is in sqlalchemy_methods.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine

from nova_profiler.current import (
    CHUNK_CALLS,
    MAX_STATEMENTS,
    Samples,
    active,
    current_lane,
    find_lane,
)
from nova_profiler.faults import HOOK_FAULTS
from nova_profiler.hooks import HookError, Undo, sqlalchemy_methods
from nova_profiler.hooks.attribute_patches import undo_all
from nova_profiler.sql import kind_of_statement


def install() -> Undo:
    """Hook SQLAlchemy; returns the function that undoes it."""
    if sqlalchemy.__version__ < "1.4":
        raise HookError(
            f"SQLAlchemy {sqlalchemy.__version__} is older than 1.4"
        )
    return undo_all([_listen(), sqlalchemy_methods.install()])


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
    """Note when a statement begins."""
    lane = current_lane()
    if lane is None or lane.closed:
        if lane is None and not active:
            return statement, parameters
        lane = find_lane(lane)
        if lane is None:
            return statement, parameters
    lane.statement_of = context
    lane.statement_at = perf_counter()
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
    lane = current_lane()
    if lane is None or lane.closed:
        if lane is None and not active:
            return
        lane = find_lane(lane)
        if lane is None:
            return
    # Another one where a statement ran inside the events of this one.
    if lane.statement_of is not context or context is None:
        return
    try:
        lane.statement_of = None
        start = lane.statement_at
        lane.driver_s += end - start
        by_text = lane.sql.get(conn.engine)
        if by_text is None:
            by_text = lane.sql[conn.engine] = {}
        samples = by_text.get(statement)
        if samples is None:
            samples = _samples_of(by_text, statement)
        rows = cursor.rowcount
        # None is no number to add up; some drivers say so for "unknown".
        samples.append((start, end, -1 if rows is None else rows))
        if executemany:
            done = lane.executemany
            done[statement] = done.get(statement, 0) + 1
        if len(samples) >= CHUNK_CALLS:
            lane.fold(samples)
    except Exception as exc:
        # An unusual driver must not fail the application's statement.
        HOOK_FAULTS.note("sqlalchemy_hook", exc)


def _samples_of(by_text: dict[str, Samples], statement: str) -> Samples:
    """Return the list for *statement*, or for its kind if there are many."""
    if len(by_text) >= MAX_STATEMENTS:
        statement = kind_of_statement(statement)
    return by_text.setdefault(statement, [])


def failed_statement(error: Any) -> None:
    """Add a statement that failed: SQLAlchemy sends no event at its end."""
    try:
        _add_failed(error)
    except Exception as exc:
        HOOK_FAULTS.note("sqlalchemy_hook", exc)


def _add_failed(error: Any) -> None:
    context = error.execution_context
    lane = current_lane()
    if lane is None or lane.closed:
        lane = find_lane(lane)
    if lane is None or context is None or lane.statement_of is not context:
        return
    end = perf_counter()
    lane.statement_of = None
    start = lane.statement_at
    lane.driver_s += end - start
    engine = error.engine or error.connection.engine
    by_text = lane.sql.setdefault(engine, {})
    samples = _samples_of(by_text, error.statement or context.statement or "")
    samples.append((start, end, 0))
    lane.failed(samples, start, type(error.original_exception).__name__)
    if len(samples) >= CHUNK_CALLS:
        lane.fold(samples)
