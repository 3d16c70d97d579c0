# SPDX-License-Identifier: Apache-2.0
"""Hook that counts the checks of oslo.policy.

Counted, not timed, as look-ups of options are: a list has one for each rule
and server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.groups import COUNT_PLACES

_CHECKS = COUNT_PLACES["policy_checks"]


def install() -> Undo:
    """Count checks in the current lane; returns what undoes it."""
    # authorize() ends in it.
    point = Point("policy", "oslo_policy.policy", "Enforcer.enforce", _counted)
    return patch_when_loaded([point])


def _counted(enforce: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(enforce)
    def counted_enforce(*args: Any, **kwargs: Any) -> Any:
        try:
            lane = current_lane()
            if lane is not None:
                lane.counts[_CHECKS] += 1
        except Exception as exc:
            HOOK_FAILURES.note("policy_hook", exc)
        return enforce(*args, **kwargs)

    return counted_enforce
