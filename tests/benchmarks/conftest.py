# SPDX-License-Identifier: Apache-2.0
"""What tests of the benchmarks share."""

from __future__ import annotations

import pytest
from places import ROOT


@pytest.fixture
def root():
    """Return the top of the checkout."""
    return ROOT
