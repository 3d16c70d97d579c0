# SPDX-License-Identifier: Apache-2.0
"""Hook that times what goes to a cache outside the process.

Of dogpile's regions that is the backend alone: what makes a value that was
not there is no part of it. A cache in the process's memory answers quicker
than two clocks, so its calls are counted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.timing import call_timed
from nova_profiler.groups import CACHE, COUNT_PLACES

# Far more than there are classes of backends.
MOST_BACKENDS = 50
_MOST_PROXIES = 10
_NOTHING: dict[str, Any] = {}

_Function = Callable[..., Any]

_REGION = "dogpile.cache.region"
# Each method of a region that is one call of its backend.
_OPERATIONS = {
    "_get_from_backend": "get",
    "_get_multi_from_backend": "get_multi",
    "_set_cached_value_to_backend": "set",
    "_set_multi_cached_value_to_backend": "set_multi",
    "set": "set",
    "set_multi": "set_multi",
    "delete": "delete",
    "delete_multi": "delete_multi",
}
_IN_MEMORY = frozenset(
    ("MemoryBackend", "MemoryPickleBackend", "NullBackend", "DictCacheBackend")
)
_COUNT = COUNT_PLACES["memory_cache_calls"]
_GROUP = CACHE.name
_OTHER = {
    name: CallKey(_GROUP, f"other {name}")
    for name in set(_OPERATIONS.values())
}

# By class of backend and operation, None: in memory. Bounded by
# MOST_BACKENDS classes.
_keys: dict[type, dict[str, CallKey] | None] = {}


def install() -> Undo:
    """Time the calls of caches from now on; returns what undoes it."""
    points = [
        Point(
            "cache",
            _REGION,
            f"CacheRegion.{method}",
            _of_region(operation),
            has_front=True,
        )
        for method, operation in _OPERATIONS.items()
    ]
    points += [
        Point(
            "cache",
            "keystonemiddleware.auth_token._cache",
            f"TokenCache.{operation}",
            _of_tokens(operation),
            ("token_id",),
            has_front=True,
        )
        for operation in ("get", "set")
    ]
    return patch_when_loaded(points)


def _of_region(operation: str) -> Callable[[_Function], _Function]:
    def wrap(function: _Function) -> _Function:
        @functools.wraps(function)
        def timed_operation(*args: Any, **kwargs: Any) -> Any:
            lane = key = None
            try:
                if active:
                    lane = lane_here()
                if lane is not None:
                    keys = _keys_of(args[0])
                    if keys is None:
                        lane.counts[_COUNT] += 1
                    else:
                        key = keys[operation]
            except Exception as exc:
                HOOK_FAILURES.note("cache_hook", exc)
            if lane is None or key is None:
                return function(*args, **kwargs)
            return call_timed(lane, key, function, args, kwargs)

        return timed_operation

    return wrap


def _keys_of(region: Any) -> dict[str, CallKey] | None:
    """Return the keys of the backend's class, None: it is in memory."""
    # As it stands there: asking the region may change or raise something.
    backend = getattr(region, "__dict__", _NOTHING).get("backend")
    kind = type(backend)
    if kind in _keys:
        return _keys[kind]
    for _ in range(_MOST_PROXIES):
        try:
            under = getattr(backend, "proxied", None)
        except Exception:
            # It asks its server for what it does not have.
            under = None
        if under is None:
            break
        backend = under
    return _new_keys(type(backend))


def _new_keys(kind: type) -> dict[str, CallKey] | None:
    if kind in _keys:
        return _keys[kind]
    if _IN_MEMORY & {one.__name__ for one in kind.__mro__}:
        keys = None
    else:
        name = kind.__name__.removesuffix("Backend") or "other"
        keys = {
            operation: CallKey(_GROUP, f"{name} {operation}")
            for operation in _OTHER
        }
    if len(_keys) >= MOST_BACKENDS:
        return None if keys is None else _OTHER
    _keys[kind] = keys
    return keys


def _of_tokens(operation: str) -> Callable[[_Function], _Function]:
    """Time keystonemiddleware's cache of tokens; it has a client of its own.

    The wait for a client of its pool and the encryption are parts of it.
    """
    key = CallKey(_GROUP, f"tokens {operation}")

    def wrap(function: _Function) -> _Function:
        @functools.wraps(function)
        def timed_operation(*args: Any, **kwargs: Any) -> Any:
            lane = None
            try:
                if active:
                    lane = lane_here()
                if lane is not None and not _is_outside(args[0]):
                    lane.counts[_COUNT] += 1
                    lane = None
            except Exception as exc:
                HOOK_FAILURES.note("cache_hook", exc)
                lane = None
            if lane is None:
                return function(*args, **kwargs)
            return call_timed(lane, key, function, args, kwargs)

        return timed_operation

    return wrap


def _is_outside(cache: Any) -> bool:
    """Return whether memcached, or a cache of the server's, is behind it."""
    pool = getattr(cache, "_cache_pool", None)
    return bool(
        getattr(cache, "_memcached_servers", None)
        or type(pool).__name__ == "_EnvCachePool"
    )
