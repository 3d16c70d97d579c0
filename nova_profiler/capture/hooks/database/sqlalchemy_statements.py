# SPDX-License-Identifier: Apache-2.0
"""Hook that times the statements SQLAlchemy hands to its driver.

Round the dialects' methods that call the driver, not by engine events: these
would cost each statement of an engine SQLAlchemy's slower way, and what
others do in their listeners would count as the driver's time. The driver's
other work is in sqlalchemy_methods.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import sqlalchemy

from nova_profiler.capture.calls import CHUNK_CALLS, Calls
from nova_profiler.capture.current import active, current_lane, find_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import undo_all
from nova_profiler.capture.hooks.database import (
    sqlalchemy_dialects,
    sqlalchemy_methods,
)
from nova_profiler.capture.lanes import CONNECTING, MAX_STATEMENTS, Lane
from nova_profiler.capture.sql import kind_of_statement

Execute = Callable[..., Any]

# As much of a text as distinguishes an INSERT from a SELECT or SET.
_VERB = 6


def install() -> Undo:
    """Hook SQLAlchemy; returns the function that undoes it."""
    if sqlalchemy.__version__ < "1.4":
        raise HookError(
            f"SQLAlchemy {sqlalchemy.__version__} is older than 1.4"
        )
    return undo_all(
        [sqlalchemy_dialects.install(WRAPS), sqlalchemy_methods.install()]
    )


def timed(execute: Execute, many: bool = False) -> Execute:
    """Return *execute*, a dialect's method, adding calls to their lane.

    Written as one function: each call it does not make is a tenth of what
    it costs a statement.
    """

    def timed_execute(
        dialect: Any,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any = None,
    ) -> Any:
        lane = current_lane()
        if lane is None or lane.unsure:
            if lane is None and not active:
                return execute(dialect, cursor, statement, parameters, context)
            lane = find_lane(lane)
            if lane is None:
                return execute(dialect, cursor, statement, parameters, context)
        inside = lane.executing
        # A dialect's method that calls the one it overrides, a statement of
        # connecting, or a call that is not SQLAlchemy's.
        if context is None or inside is context or inside is CONNECTING:
            return execute(dialect, cursor, statement, parameters, context)
        lane.executing = context
        start = perf_counter()
        try:
            result = execute(dialect, cursor, statement, parameters, context)
        except BaseException as exc:
            _add_failed(lane, context, statement, start, exc)
            raise
        end = perf_counter()
        lane.executing = None
        lane.driver_s += end - start
        try:
            batch = many
            if statement is not context.statement:
                statement, batch = _whole(statement, many, context)
            engine = context.root_connection.engine
            by_text = lane.sql.get(engine)
            if by_text is None:
                by_text = lane.sql[engine] = {}
            calls = by_text.get(statement)
            if calls is None:
                calls = _calls_of(by_text, statement)
            rows = cursor.rowcount
            # Some drivers have None for "unknown", which cannot be added up.
            calls.append((start, end, -1 if rows is None else rows))
            if batch:
                calls.batches += 1
            if len(calls) >= CHUNK_CALLS:
                calls.fold(lane.capture)
        except Exception as exc:
            # An unusual driver must not fail the application's statement.
            HOOK_FAILURES.note("sqlalchemy_hook", exc)
        return result

    return timed_execute


def _timed_many(execute: Execute) -> Execute:
    return timed(execute, many=True)


def _timed_no_params(execute: Execute) -> Execute:
    def without(
        dialect: Any, cursor: Any, statement: str, _: None, context: Any
    ) -> Any:
        return execute(dialect, cursor, statement, context)

    with_params = timed(without)

    def timed_no_params(
        dialect: Any, cursor: Any, statement: str, context: Any = None
    ) -> Any:
        return with_params(dialect, cursor, statement, None, context)

    return timed_no_params


# A dialect's methods that call the driver, and what times each.
WRAPS: dict[str, Callable[[Execute], Execute]] = {
    "do_execute": timed,
    "do_executemany": _timed_many,
    "do_execute_no_params": _timed_no_params,
}


def _whole(statement: str, many: bool, context: Any) -> tuple[str, bool]:
    """Return the statement to record, and whether it was a batch.

    For a text that is not its context's. An INSERT of many rows goes out in
    batches, whose texts repeat the values for each row, and listeners add
    comments: then the context's statement is recorded, as it is for fetched
    rows. A dialect's own statement, such as the next value of a sequence,
    begins with another word and is recorded as it is.
    """
    whole = context.statement
    if whole and statement[:_VERB] == whole[:_VERB]:
        return whole, many or context.executemany
    return statement, many


def _calls_of(by_text: dict[str, Calls], statement: str) -> Calls:
    """Return the list for *statement*, or for its kind if there are many."""
    if len(by_text) >= MAX_STATEMENTS:
        statement = kind_of_statement(statement)
    calls = by_text.get(statement)
    if calls is None:
        calls = by_text[statement] = Calls()
    return calls


def _add_failed(
    lane: Lane,
    context: Any,
    statement: str,
    start: float,
    error: BaseException,
) -> None:
    end = perf_counter()
    lane.executing = None
    lane.driver_s += end - start
    try:
        engine = context.root_connection.engine
        by_text = lane.sql.setdefault(engine, {})
        calls = _calls_of(by_text, _whole(statement, False, context)[0])
        calls.append((start, end, 0))
        calls.failed(start, type(error).__name__, lane.capture)
        if len(calls) >= CHUNK_CALLS:
            calls.fold(lane.capture)
    except Exception as exc:
        HOOK_FAILURES.note("sqlalchemy_hook", exc)
