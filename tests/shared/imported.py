# SPDX-License-Identifier: Apache-2.0
"""Libraries of OpenStack, which warn of one another when they are loaded."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType


def imported(name: str) -> ModuleType:
    """Return the module *name*, imported without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)
