# SPDX-License-Identifier: Apache-2.0
"""Replaces the public functions of a module, as a DB API hook does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any


def wrap_functions(
    module: ModuleType,
    wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]],
) -> None:
    """Put ``wrap(name, function)`` where each DB API function was."""
    for name, function in list(vars(module).items()):
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if next(iter(inspect.signature(function).parameters), "") == "context":
            setattr(module, name, wrap(name, function))
