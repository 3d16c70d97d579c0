# SPDX-License-Identifier: Apache-2.0
"""Makes the benchmarks importable: they are in no installed package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture
def root():
    """Return the top of the checkout."""
    return ROOT
