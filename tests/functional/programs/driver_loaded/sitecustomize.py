# SPDX-License-Identifier: Apache-2.0
"""Has nova's own tests load our notification driver, as a service does.

Their notifiers are stand-ins that load none. So the driver is made where nova
makes its notifiers, with the options that it makes them with. Python imports
this file by its name before anything else.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from types import ModuleType
from typing import Any

_NAME = "nova.rpc"


class _Finder:
    """Finds ``nova.rpc`` once, and changes its init()."""

    @classmethod
    def find_spec(cls, name: str, path: Any, target: Any = None) -> Any:
        """Return the spec of nova.rpc, None for all other modules."""
        if name != _NAME:
            return None
        sys.meta_path.remove(cls)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_changed(module: ModuleType) -> None:
            execute(module)
            module.init = _with_driver(module.init)  # type: ignore[attr-defined]

        spec.loader.exec_module = execute_changed  # type: ignore[method-assign]
        return spec


def _with_driver(init: Any) -> Any:
    @functools.wraps(init)
    def init_with_driver(conf: Any) -> None:
        from nova_profiler.services.notification_driver import (
            NotificationDriver,
        )

        init(conf)
        NotificationDriver(conf, None, None)

    return init_with_driver


sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
