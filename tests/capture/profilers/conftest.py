# SPDX-License-Identifier: Apache-2.0
"""What tests of several profilers need."""

from __future__ import annotations

import pytest
from services import readable_here


@pytest.fixture(scope="session")
def readable():
    """Be where a process may be looked into by its child."""
    readable_here()
