# SPDX-License-Identifier: Apache-2.0
"""What tests of several profilers need."""

from __future__ import annotations

import pytest
from services import pyspy_program


@pytest.fixture(scope="session")
def pyspy():
    """Return py-spy's program, if it may look into this process."""
    return pyspy_program()
