# SPDX-License-Identifier: Apache-2.0
"""Hook that times every public function of Nova's DB API.

Nova's callers reach these functions as attributes of their module, so the
module's attributes are replaced. What they keep is their wrapper chain
(``__wrapped__``), which nova looks through for signatures.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Generator, Iterable
from time import perf_counter
from types import GeneratorType, ModuleType
from typing import Any

from nova_profiler.capture.calls import CHUNK_CALLS, CallKey, Calls
from nova_profiler.capture.current import active, current_lane, find_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import patch, undo_all
from nova_profiler.capture.hooks.database.reach import reaches_database
from nova_profiler.capture.lanes import Lane
from nova_profiler.groups import DB_API

GROUP = DB_API.name

# Public and with a context, but the plumbing of the other functions.
_PLUMBING = {"get_context_manager", "model_query"}

_NOVA = "nova."


def install(modules: Iterable[str]) -> Undo:
    """Time the DB API functions of those of *modules* that exist.

    nova's are looked at only in a service that has loaded nova.

    Returns the function that undoes it. Raises HookError when a module
    exists and cannot be imported; then none is timed.
    """
    undos: list[Undo] = []
    try:
        for name in modules:
            module = _module(name)
            if module is None:
                continue
            for function in functions_of(module):
                undos.append(patch(module, function, _wrap(name, function)))
    except BaseException:
        undo_all(undos)()
        raise
    return undo_all(undos)


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the DB API functions that *module* defines.

    Where functions take a ``context`` first, as nova's do, the ones that do
    not are helpers and are left out. So are checks, such as
    is_admin_context(), whose code cannot reach the database.
    """
    public = {
        name: function
        for name, function in vars(module).items()
        if not name.startswith("_")
        and name not in _PLUMBING
        and inspect.isfunction(function)
        and function.__module__ == module.__name__
    }
    with_context = [
        name
        for name, function in public.items()
        if _first_parameter(function) == "context"
    ]
    return [
        name
        for name in with_context or public
        if reaches_database(public[name])
    ]


def _first_parameter(function: Callable[..., Any]) -> str | None:
    try:
        return next(iter(inspect.signature(function).parameters), None)
    except (TypeError, ValueError):
        return None


def _module(name: str) -> ModuleType | None:
    if name in sys.modules:
        return sys.modules[name]
    if name.startswith(_NOVA) and _NOVA[:-1] not in sys.modules:
        # Another service, beside which nova is installed: importing it would
        # bring in eventlet.
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        # Absent here, as one of the two defaults always is.
        if exc.name and (name == exc.name or name.startswith(exc.name + ".")):
            return None
        raise HookError(f"module {name} cannot be imported: {exc}") from exc
    except Exception as exc:
        raise HookError(f"module {name} cannot be imported: {exc}") from exc


def _wrap(module: str, name: str) -> Callable[[Any], Any]:
    key = CallKey(GROUP, name, f"{module}.{name}")
    return functools.partial(timed, key=key)


def timed(function: Callable[..., Any], key: CallKey) -> Callable[..., Any]:
    """Return *function* with its calls added to the current lane as *key*."""

    @functools.wraps(function)
    def timed_call(*args: Any, **kwargs: Any) -> Any:
        lane = current_lane()
        if lane is None or lane.unsure:
            if lane is None and not active:
                return function(*args, **kwargs)
            lane = find_lane(lane)
            if lane is None:
                return function(*args, **kwargs)
        nested = lane.in_db_api
        lane.in_db_api = True
        driver_s = lane.driver_s
        start = perf_counter()
        if start > lane.cpu_due:
            lane.read_cpu(start, nested)
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            lane.in_db_api = nested
            called = key.nested if nested else key
            if not lane.closed:
                call = start, perf_counter(), lane.driver_s - driver_s
                _add(lane, called, call, type(exc).__name__)
            raise
        end = perf_counter()
        lane.in_db_api = nested
        if lane.closed:
            # The record went out meanwhile, and counts this call as late.
            return result
        called = key.nested if nested else key
        if type(result) is GeneratorType:
            driver_s = lane.driver_s - driver_s
            made = start, end, driver_s
            return _timed_generator(result, lane, called, made)
        # Written out here: one call more would cost a fifth of it all.
        calls = lane.calls.get(called)
        if calls is None:
            calls = lane.calls[called] = Calls()
        # The very same number where no driver was called meanwhile.
        if lane.driver_s is driver_s:
            calls.append((start, end, 0.0))
        else:
            driver_s = lane.driver_s - driver_s
            calls.append((start, end, driver_s))
            if not nested:
                lane.db_api_driver_s += driver_s
                lane.db_api_s += end - start
        if end > lane.cpu_due:
            lane.read_cpu(end, True)
        if len(calls) >= CHUNK_CALLS:
            calls.fold(lane.capture)
        return result

    return timed_call


def _timed_generator(
    generator: Generator[Any, Any, Any],
    lane: Lane,
    key: CallKey,
    made: tuple[float, float, float],
) -> Generator[Any, Any, Any]:
    """Yield what *generator* yields; one call, as long as all its steps.

    *made* is the call that made it.
    """
    start, end, driver_total = made
    spent = end - start
    error = None
    resume: Callable[[Any], Any] = generator.send
    value = None
    try:
        while True:
            nested = lane.in_db_api
            lane.in_db_api = True
            driver_s = lane.driver_s
            began = perf_counter()
            try:
                item = resume(value)
            except StopIteration as stop:
                return stop.value
            except BaseException as exc:
                error = type(exc).__name__
                raise
            finally:
                spent += perf_counter() - began
                driver_total += lane.driver_s - driver_s
                lane.in_db_api = nested
            try:
                value = yield item
                resume = generator.send
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as exc:
                resume, value = generator.throw, exc
    finally:
        if lane.closed:
            HOOK_FAILURES.note("late_hooks")
        else:
            _add(lane, key, (start, start + spent, driver_total), error)


def _add(
    lane: Lane,
    key: CallKey,
    call: tuple[float, float, float],
    error: str | None,
) -> None:
    calls = lane.add(key, call)
    if key.outermost and call[2]:
        lane.db_api_driver_s += call[2]
        lane.db_api_s += call[1] - call[0]
    if error is not None:
        calls.failed(call[0], error, lane.capture)
