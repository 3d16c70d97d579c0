# SPDX-License-Identifier: Apache-2.0
"""Hook that names waiting for locks of oslo.concurrency and of nova-compute.

Most are free when they are asked for: these are counted. How long a lock is
held is part of what is done meanwhile. nova-compute limits its builds and
snapshots by semaphores, which it makes when it starts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

from nova_profiler.capture.call_names import NamedKeys, without_ids
from nova_profiler.capture.current import active, current_lane, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import MIN_WAIT_S, add_wait, named_s
from nova_profiler.groups import COUNT_PLACES, LOCK

_LOCKS = COUNT_PLACES["locks"]
# Of the compute manager's objects.
_SEMAPHORES = ("_build_semaphore", "_snapshot_semaphore")


def install() -> Undo:
    """Name waits for locks in the current lane; returns what undoes it."""
    keys = NamedKeys(LOCK.name)
    return patch_when_loaded(
        [
            Point(
                "lock",
                "oslo_concurrency.lockutils",
                "lock",
                functools.partial(_waited_for, keys),
                ("name",),
            ),
            *(
                Point(
                    "lock",
                    "nova.compute.manager",
                    f"ComputeManager.{name}",
                    functools.partial(_Semaphore, keys),
                    is_of_objects=True,
                )
                for name in _SEMAPHORES
            ),
        ]
    )


def _waited_for(
    keys: NamedKeys, lock: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(lock)
    def waited_for_lock(name: Any, *args: Any, **kwargs: Any) -> Any:
        taken = lock(name, *args, **kwargs)
        try:
            if not active:
                return taken
            lane = lane_here()
            if lane is not None:
                taken = _WaitedFor(taken, name, lane, keys)
        except Exception as exc:
            HOOK_FAILURES.note("lock_hook", exc)
        return taken

    return waited_for_lock


class _WaitedFor:
    """A lock as ``with`` takes it, in the lane where it was made."""

    __slots__ = ("_keys", "_lane", "_name", "_taken")

    def __init__(
        self, taken: Any, name: object, lane: Lane, keys: NamedKeys
    ) -> None:
        self._taken = taken
        self._name = name
        self._lane = lane
        self._keys = keys

    def __enter__(self) -> Any:
        lane = self._lane
        # Its own name is worked out for a long wait alone.
        key = self._keys.other
        start = None
        try:
            named_before_s = named_s(lane)
            start = perf_counter()
        except Exception as exc:
            HOOK_FAILURES.note("lock_hook", exc)
        try:
            return self._taken.__enter__()
        finally:
            try:
                end = perf_counter()
                lane.counts[_LOCKS] += 1
                if start is not None and end - start > MIN_WAIT_S:
                    # It logs, too, which has a name of its own.
                    inside_s = named_s(lane) - named_before_s
                    if end - start - inside_s > MIN_WAIT_S:
                        key = self._keys.key(without_ids(self._name))
                        add_wait(lane, key, start, end, inside_s)
            except Exception as exc:
                HOOK_FAILURES.note("lock_hook", exc)

    def __exit__(self, *exc_info: Any) -> Any:
        return self._taken.__exit__(*exc_info)

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Return *function* with the lock held; it is taken anew each time."""
        return self._taken(function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._taken, name)


class _Semaphore:
    """Finds a semaphore of an object, and has its waits named.

    The object keeps it where it was, so that nothing is left behind.
    """

    def __init__(self, keys: NamedKeys, name: str) -> None:
        self._keys = keys
        self._name = name

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        name = self._name
        try:
            found = vars(owner)[name]
        except (KeyError, TypeError):
            # The class itself has none.
            raise AttributeError(name) from None
        try:
            if current_lane() is not None:
                lane = lane_here()
                if lane is not None:
                    plain = name.removeprefix("_")
                    return _WaitedFor(found, plain, lane, self._keys)
        except Exception as exc:
            HOOK_FAILURES.note("lock_hook", exc)
        return found

    def __set__(self, owner: Any, semaphore: Any) -> None:
        vars(owner)[self._name] = semaphore

    def __delete__(self, owner: Any) -> None:
        try:
            del vars(owner)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
