# SPDX-License-Identifier: Apache-2.0
"""Hook that times every public function of Nova's DB API.

Nova's callers reach these functions as attributes of their module, so the
module's attributes are replaced. What they keep is their wrapper chain
(``__wrapped__``), which nova looks through for signatures. ironic's DB API is
a class: its methods are replaced.
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

from nova_profiler.capture.calls import CHUNK_CALLS, CallKey
from nova_profiler.capture.current import active, current_lane, find_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import (
    patch,
    patch_method,
    undo_all,
)
from nova_profiler.capture.hooks.database.reach import reaches_database
from nova_profiler.capture.lanes import Lane
from nova_profiler.groups import DB_API

GROUP = DB_API.name

# Public and with a context, but the plumbing of the other functions.
_PLUMBING = {"get_context_manager", "model_query"}

_NOVA = "nova."


def install(modules: Iterable[str]) -> Undo:
    """Time the DB API functions of those of *modules* that exist.

    ``module:Class`` names a class with the methods of one. nova's modules are
    looked at only in a service that has loaded nova.

    Returns the function that undoes it. Raises HookError when a module
    exists and cannot be imported; then none is timed.
    """
    undos: list[Undo] = []
    try:
        for name in modules:
            path, _, class_name = name.partition(":")
            module = _module(path)
            if module is None:
                continue
            if class_name:
                undos += _patched_class(module, class_name)
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


def _patched_class(module: ModuleType, name: str) -> list[Undo]:
    """Time the public methods that the class *name* of *module* defines.

    Without such a class, nothing: other releases have other ones.
    """
    owner = getattr(module, name, None)
    if not isinstance(owner, type):
        return []
    prefix = f"{module.__name__}.{name}"
    return [
        patch_method(owner, method, _wrap(prefix, method))
        for method, function in list(vars(owner).items())
        if not method.startswith("_")
        and method not in _PLUMBING
        and inspect.isfunction(function)
        and reaches_database(function)
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


# Written out: one call more would cost a fifth of it all.
def timed(function: Callable[..., Any], key: CallKey) -> Callable[..., Any]:
    """Return *function* with its calls added to the current lane as *key*."""

    @functools.wraps(function)
    def timed_call(*args: Any, **kwargs: Any) -> Any:
        try:
            lane = current_lane()
            if active if lane is None else lane.unsure:
                lane = find_lane(lane)
            if lane is not None:
                nested = lane.in_db_api
                was = lane.driver_s
                start = perf_counter()
                if start > lane.cpu_due:
                    lane.read_cpu(start, nested)
                lane.in_db_api = True
        except Exception as exc:
            HOOK_FAILURES.note("db_api_hook", exc)
            lane = None
        if lane is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as exc:
            lane.in_db_api = nested
            try:
                _add_failed(lane, key.within(nested), start, was, exc)
            except Exception as fault:
                HOOK_FAILURES.note("db_api_hook", fault)
            raise
        else:
            lane.in_db_api = nested
            try:
                end = perf_counter()
                # Its record has gone out, and counts this call as late.
                if lane.closed:
                    return result
                driver_s = lane.driver_s - was
                if type(result) is GeneratorType:
                    return _followed(
                        result, lane, key.within(nested), start, end, driver_s
                    )
                calls = lane.calls[key.nested if nested else key]
                calls.append((start, end, driver_s))
                if driver_s:
                    if not nested:
                        lane.db_api_driver_s += driver_s
                        lane.db_api_s += end - start
                    if end - start >= lane.capture.slow_call_s:
                        calls.was_slow(start, lane.capture)
                if end > lane.cpu_due:
                    lane.read_cpu(end, True)
                if len(calls) >= CHUNK_CALLS:
                    calls.fold(lane.capture)
                return result
            except Exception as exc:
                HOOK_FAILURES.note("db_api_hook", exc)
        return result

    return timed_call


def _followed(
    generator: Generator[Any, Any, Any], *call: Any
) -> Generator[Any, Any, Any]:
    """Return what yields *generator*'s items, and times its steps."""
    # Looked up here: nothing may fail in there before the first step.
    return _timed_generator(generator, generator.send, generator.throw, *call)


def _timed_generator(
    generator: Generator[Any, Any, Any],
    send: Callable[[Any], Any],
    throw: Callable[[Any], Any],
    lane: Lane,
    key: CallKey,
    start: float,
    end: float,
    driver_total: float,
) -> Generator[Any, Any, Any]:
    """Yield what *generator* yields; one call, as long as all its steps.

    The call that made it went on from *start* to *end*.
    """
    error = value = began = None
    resume = send
    try:
        while True:
            nested = lane.in_db_api
            lane.in_db_api = True
            driver_s = lane.driver_s
            try:
                began = perf_counter()
            except Exception as exc:
                HOOK_FAILURES.note("db_api_hook", exc)
            try:
                item = resume(value)
            except StopIteration as stop:
                return stop.value
            except BaseException as exc:
                error = exc
                raise
            finally:
                lane.in_db_api = nested
                try:
                    if began is not None:
                        end += perf_counter() - began
                    driver_total += lane.driver_s - driver_s
                except Exception as exc:
                    HOOK_FAILURES.note("db_api_hook", exc)
            try:
                value = yield item
                resume = send
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as exc:
                resume, value = throw, exc
    finally:
        try:
            if lane.closed:
                HOOK_FAILURES.note("late_hooks")
            else:
                call = start, end, driver_total
                name = None if error is None else type(error).__name__
                _add(lane, key, call, name)
        except Exception as exc:
            HOOK_FAILURES.note("db_api_hook", exc)
        # They hold the frame.
        error = value = None


def _add_failed(
    lane: Lane,
    key: CallKey,
    start: float,
    driver_s: float,
    error: BaseException,
) -> None:
    if not lane.closed:
        call = start, perf_counter(), lane.driver_s - driver_s
        _add(lane, key, call, type(error).__name__)


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
