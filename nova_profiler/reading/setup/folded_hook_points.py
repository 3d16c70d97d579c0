# SPDX-License-Identifier: Apache-2.0
"""What to do about hooks that cannot be installed, or find nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nova_profiler.reading.setup import OK, WARNING, Point

_TIMED = "timed_callables"


def hook_remedy(
    reason: str, hooks: Sequence[str], timed: Sequence[str]
) -> tuple[str, ...]:
    """Return what helps against *reason*, which names the option it is of."""
    if f"{_TIMED}: " in reason:
        return (
            f"mend or take out that name in {_TIMED} = {','.join(timed)}",
            "expected: module:function or module:Class.method",
        )
    kept = ",".join(hooks) or "none"
    return (f"take it out of hooks = {kept}, or install it",)


def db_api_point(modules: Sequence[str]) -> Point:
    """Return whether one of the modules with nova's DB API is loaded."""
    name = "db_api_modules"
    there = [one for one in modules if one in sys.modules]
    if there:
        return Point(OK, name, f"{', '.join(there)} is there")
    return Point(
        WARNING,
        name,
        f"none exists in this environment: {', '.join(modules) or '(empty)'}",
        (
            "run this with the Python of nova-api, or name the module:",
            "db_api_modules = nova.db.main.api",
        ),
    )
