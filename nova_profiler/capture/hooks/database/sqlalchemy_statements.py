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
from nova_profiler.capture.lanes import CONNECTING, Lane

Execute = Callable[..., Any]

# As much of a text as distinguishes an INSERT from a SELECT or SET.
_VERB = 6


def install() -> Undo:
    """Hook SQLAlchemy; returns the function that undoes it.

    Raises HookError for one older than 1.4.
    """
    if sqlalchemy.__version__ < "1.4":
        raise HookError(
            f"SQLAlchemy {sqlalchemy.__version__} is older than 1.4"
        )
    return undo_all(
        [sqlalchemy_dialects.install(WRAPS), sqlalchemy_methods.install()]
    )


# Written as one function: each call it does not make is a tenth of what it
# costs a statement. Nor may an unusual driver fail the application's.
def timed(execute: Execute, many: bool = False) -> Execute:
    """Return *execute*, a dialect's method, adding calls to their lane."""

    def timed_execute(
        dialect: Any,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any = None,
    ) -> Any:
        try:
            lane = current_lane()
            if active if lane is None else lane.unsure:
                lane = find_lane(lane)
            if lane is not None:
                now = lane.executing
                # Part of another statement, or no call of SQLAlchemy's.
                if context is None or now is context or now is CONNECTING:
                    lane = None
                else:
                    start = perf_counter()
                    lane.executing = context
        except Exception as exc:
            HOOK_FAILURES.note("sqlalchemy_hook", exc)
            lane = None
        if lane is None:
            return execute(dialect, cursor, statement, parameters, context)
        try:
            result = execute(dialect, cursor, statement, parameters, context)
        except BaseException as exc:
            try:
                _add_failed(lane, context, statement, start, exc)
            except Exception as fault:
                HOOK_FAILURES.note("sqlalchemy_hook", fault)
            raise
        lane.executing = None
        try:
            end = perf_counter()
            lane.driver_s += end - start
            if many or statement is not context.statement:
                calls = _batch_of(lane, context, statement, many)
            else:
                calls = lane.sql[context.root_connection.engine][statement]
            rows = cursor.rowcount
            # Some drivers have None for "unknown": it cannot be added up.
            calls.append((start, end, -1 if rows is None else rows))
            if len(calls) >= CHUNK_CALLS:
                calls.fold(lane.capture)
            if end - start >= lane.capture.slow_call_s:
                calls.was_slow(start, lane.capture)
        except Exception as exc:
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


def _batch_of(lane: Lane, context: Any, statement: str, many: bool) -> Calls:
    """Return the list for *statement*, with one batch more if it was one."""
    statement, is_batch = _whole(statement, many, context)
    calls = lane.sql[context.root_connection.engine][statement]
    if is_batch:
        calls.batches += 1
    return calls


def _add_failed(
    lane: Lane,
    context: Any,
    statement: str,
    start: float,
    error: BaseException,
) -> None:
    lane.executing = None
    try:
        end = perf_counter()
        lane.driver_s += end - start
        whole = _whole(statement, False, context)[0]
        calls = lane.sql[context.root_connection.engine][whole]
        calls.append((start, end, 0))
        calls.failed(start, type(error).__name__, lane.capture)
        if end - start >= lane.capture.slow_call_s:
            calls.was_slow(start, lane.capture)
        if len(calls) >= CHUNK_CALLS:
            calls.fold(lane.capture)
    except Exception as exc:
        HOOK_FAILURES.note("sqlalchemy_hook", exc)
