# SPDX-License-Identifier: Apache-2.0
"""Hook that times waits for external events of instances, and for networks.

neutron, cinder and others tell nova of events: a port that was plugged, a
volume that was extended. The event's tag, an id, is no part of its name. What
neutron has for an instance is asked for ahead, by a task that the build waits
for when it needs the answer.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.timing import call_timed
from nova_profiler.groups import EVENT

# nova has less than ten.
MOST_EVENTS = 100
_UUID_LENGTH = 36

_OTHER = CallKey(EVENT.name, "other")
_NETWORK_INFO = CallKey(EVENT.name, "network_info")
# Bounded by MOST_EVENTS.
_keys: dict[str, CallKey] = {}


def install() -> Undo:
    """Time the waits from now on; returns what undoes it."""
    return patch_when_loaded(
        [
            Point(
                "event",
                "nova.compute.manager",
                "ComputeVirtAPI._InstanceEvent.wait",
                _timed,
                ("timeout",),
                has_front=True,
            ),
            Point(
                "event",
                "nova.network.model",
                "NetworkInfoAsyncWrapper.wait",
                _timed_answer,
            ),
        ]
    )


def _timed(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def timed_wait(*args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
            if lane is not None:
                key = _key_of(getattr(args[0], "name", None))
        except Exception as exc:
            HOOK_FAILURES.note("event_hook", exc)
            key = _OTHER
        if lane is None:
            return wait(*args, **kwargs)
        return call_timed(lane, key, wait, args, kwargs)

    return timed_wait


def _timed_answer(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def timed_wait(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            # It is called at each use. Its length is not asked for: that
            # waits.
            if active and vars(self).get("_future") is not None:
                lane = lane_here()
        except Exception as exc:
            HOOK_FAILURES.note("event_hook", exc)
        if lane is None:
            return wait(self, *args, **kwargs)
        key = _NETWORK_INFO
        return call_timed(lane, key, wait, (self, *args), kwargs)

    return timed_wait


def _key_of(text: Any) -> CallKey:
    """Return what names the event whose name and tag are *text*."""
    module = sys.modules.get("nova.objects.external_event")
    try:
        names = module.EVENT_NAMES  # type: ignore[union-attr]  # None raises, too
        # Most tags are UUIDs.
        name = text[:-_UUID_LENGTH].removesuffix("-")
        if name not in names:
            # One may begin as another does.
            name = max(
                (
                    one
                    for one in names
                    if text == one or text.startswith(f"{one}-")
                ),
                key=len,
            )
    except Exception:
        # None of those that nova knows.
        return _OTHER
    key = _keys.get(name)
    if key is None:
        if len(_keys) >= MOST_EVENTS:
            return _OTHER
        key = _keys[name] = CallKey(EVENT.name, name)
    return key
