# SPDX-License-Identifier: Apache-2.0
"""Hook that counts look-ups of oslo.config options.

Counted, not timed: one look-up is quicker than two clocks, and it is their
number that made them dear.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.hooks.attribute_patches import patch_method
from nova_profiler.groups import COUNT_PLACES

_METHOD = "_get"
_PARAMETERS = ["self", "name", "group", "namespace"]
_LOOKUPS = COUNT_PLACES["config_lookups"]


def install() -> Undo:
    """Count look-ups in the current lane; returns what undoes it.

    Raises HookError for an oslo.config that is built otherwise.
    """
    if not hasattr(cfg.ConfigOpts, _METHOD):
        raise HookError("this oslo.config has no ConfigOpts._get to count")
    return patch_method(cfg.ConfigOpts, _METHOD, _counted)


def _counted(get: Callable[..., Any]) -> Callable[..., Any]:
    # With a signature of its own it costs half.
    def counted_get(
        self: Any, name: Any, group: Any = None, namespace: Any = None
    ) -> Any:
        try:
            lane = current_lane()
            if lane is not None:
                lane.counts[_LOOKUPS] += 1
        except Exception as exc:
            HOOK_FAILURES.note("config_hook", exc)
        return get(self, name, group, namespace)

    def counted_any(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            lane = current_lane()
            if lane is not None:
                lane.counts[_LOOKUPS] += 1
        except Exception as exc:
            HOOK_FAILURES.note("config_hook", exc)
        return get(self, *args, **kwargs)

    return counted_get if _takes(get) == _PARAMETERS else counted_any


def _takes(get: Callable[..., Any]) -> list[str]:
    """Return the names of its parameters, none where they are not known."""
    try:
        return list(inspect.signature(get).parameters)
    except (TypeError, ValueError):
        return []
