# SPDX-License-Identifier: Apache-2.0
"""The ways of eventlet and gevent to hand work over, where they are loaded.

Neither is ever imported: nova's native threading mode forbids it.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from nova_profiler.capture.current import taken_along
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Shared, Undo
from nova_profiler.capture.hooks.attribute_patches import (
    Wrap,
    patch,
    patch_method,
    undo_all,
)
from nova_profiler.capture.hooks.spawns.handing_over import (
    handing_over,
    handing_to_workers,
)

_SPAWN = handing_over(0, "func")
_SPAWN_AFTER = handing_over(1, "func")

# Module, name, wrapper. What was imported by name earlier stays as it is.
_FUNCTIONS: tuple[tuple[str, str, Wrap], ...] = (
    *(
        (module, name, wrap)
        for module in ("eventlet", "eventlet.greenthread")
        for name, wrap in (
            ("spawn", _SPAWN),
            ("spawn_n", _SPAWN),
            ("spawn_after", _SPAWN_AFTER),
            ("spawn_after_local", _SPAWN_AFTER),
        )
    ),
    ("eventlet.tpool", "execute", handing_to_workers(0, "meth")),
    ("gevent", "spawn_raw", handing_over(0, "function")),
)

# The callback that gevent has for each Greenlet.
_shared = Shared()


def install() -> Undo:
    """Wrap what is loaded; return the function that undoes it."""
    undos = []
    for module_name, name, wrap in _FUNCTIONS:
        module = sys.modules.get(module_name)
        if module is not None and hasattr(module, name):
            undos.append(patch(module, name, wrap))
    pool = sys.modules.get("gevent.threadpool")
    if pool is not None:
        undos.append(
            patch_method(
                pool.ThreadPool, "spawn", handing_to_workers(1, "func")
            )
        )
    greenlet = getattr(sys.modules.get("gevent"), "Greenlet", None)
    if hasattr(greenlet, "add_spawn_callback"):
        undos.append(_shared.install(partial(_follow, greenlet)))
    return undo_all(undos)


def _follow(greenlet: Any) -> Undo:
    """Have gevent call us for each Greenlet that starts, by whatever way."""
    greenlet.add_spawn_callback(_starting)
    return partial(greenlet.remove_spawn_callback, _starting)


def _starting(greenlet: Any) -> None:
    """Have *greenlet*, which is about to start, run in a lane of its own."""
    try:
        run = greenlet._run
        taken = taken_along(run)
        if taken is not run:
            greenlet._run = taken
    except Exception as exc:
        HOOK_FAILURES.note("spawn_hook", exc)
