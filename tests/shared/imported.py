# SPDX-License-Identifier: Apache-2.0
"""Libraries of OpenStack, which warn of one another when they are loaded."""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType

import pytest


def imported(name: str) -> ModuleType:
    """Return the module *name*, imported without its warnings.

    Skips the test on Pythons that the library's pinned release does not run
    on.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError:
        if sys.version_info < (3, 11):
            pytest.skip(f"{name} needs Python 3.11", allow_module_level=True)
        raise
