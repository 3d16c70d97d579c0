# SPDX-License-Identifier: Apache-2.0
"""Hook that counts look-ups of oslo.config options.

Counted, not timed: one look-up is quicker than two clocks, and it is their
number that made them dear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import patch_method
from nova_profiler.groups import COUNT_PLACES

_METHOD = "_get"
_LOOKUPS = COUNT_PLACES["config_lookups"]


def install() -> Undo:
    """Count look-ups in the current lane; returns what undoes it."""
    if not hasattr(cfg.ConfigOpts, _METHOD):
        raise HookError("this oslo.config has no ConfigOpts._get to count")
    return patch_method(cfg.ConfigOpts, _METHOD, _counted)


def _counted(get: Callable[..., Any]) -> Callable[..., Any]:
    def counted_get(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current_lane()
        if lane is not None:
            lane.counts[_LOOKUPS] += 1
        return get(self, *args, **kwargs)

    return counted_get
