# SPDX-License-Identifier: Apache-2.0
"""Notifiers answer as they would without our driver.

nova builds no payload where ``noop`` is the only driver. With ours beside it
there are two, and payloads would be built for no receiver.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded

# Our driver's entry point.
OURS = "nova_profiler"
_ONLY_NOOP = ["noop"]


def install() -> Undo:
    """Leave our driver out of what notifiers look at."""
    return patch_when_loaded(
        [
            Point(
                "services",
                "oslo_messaging.notify.notifier",
                "Notifier.is_enabled",
                _without_ours,
            )
        ]
    )


def _without_ours(is_enabled: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(is_enabled)
    def is_enabled_without_ours(self: Any) -> bool:
        others = None
        try:
            names = self._driver_mgr.names()
            if OURS in names:
                others = [name for name in names if name != OURS]
        except Exception as exc:
            HOOK_FAILURES.note("notifiers", exc)
        if others is None:
            return is_enabled(self)
        return others != _ONLY_NOOP

    return is_enabled_without_ours
