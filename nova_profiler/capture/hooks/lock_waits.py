# SPDX-License-Identifier: Apache-2.0
"""Hook that names waiting for the locks of oslo.concurrency.

Most are free when they are asked for: these are counted. How long a lock is
held is part of what is done meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

from nova_profiler.capture.call_names import NamedKeys, without_ids
from nova_profiler.capture.current import active, current_lane, lane_here
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import MIN_WAIT_S, add_wait
from nova_profiler.groups import COUNT_PLACES, LOCK

_LOCKS = COUNT_PLACES["locks"]


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
            )
        ]
    )


def _waited_for(
    keys: NamedKeys, lock: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(lock)
    def waited_for_lock(name: Any, *args: Any, **kwargs: Any) -> Any:
        taken = lock(name, *args, **kwargs)
        if current_lane() is None and not active:
            return taken
        lane = lane_here()
        return taken if lane is None else _WaitedFor(taken, name, lane, keys)

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
        start = perf_counter()
        try:
            return self._taken.__enter__()
        finally:
            end = perf_counter()
            lane.counts[_LOCKS] += 1
            if end - start > MIN_WAIT_S:
                key = self._keys.key(without_ids(self._name))
                add_wait(lane, key, start, end)

    def __exit__(self, *exc_info: Any) -> Any:
        return self._taken.__exit__(*exc_info)

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Return *function* with the lock held; it is taken anew each time."""
        return self._taken(function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._taken, name)
